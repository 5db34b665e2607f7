"""Frames and JSON text, byte by byte."""

from __future__ import annotations

import json
import unittest
from decimal import Decimal

from . import support  # noqa: F401  (makes the package importable)

from docket_client import Answer, BadAnswer, InvalidDocument, JSONText, document_path
from docket_client.frames import FrameSplitter, FrameTooLong, encode_request
from docket_client.json_text import decode, elements, encode, members


class FrameTests(unittest.TestCase):
    def test_frames_are_the_same_however_they_are_cut(self) -> None:
        stream = b"one\0\0three" + b"x" * 1000 + b"\0four\0rest"
        expected = [b"one", b"", b"three" + b"x" * 1000, b"four"]
        for size in (1, 2, 3, 7, 100, len(stream)):
            splitter = FrameSplitter(1 << 20)
            frames = []
            for start in range(0, len(stream), size):
                splitter.append(stream[start : start + size])
                while (frame := splitter.next()) is not None:
                    frames.append(frame)
            self.assertEqual(frames, expected)
            self.assertEqual(splitter.rest(), b"rest")

    def test_a_frame_may_be_as_long_as_the_limit_and_no_longer(self) -> None:
        splitter = FrameSplitter(4)
        splitter.append(b"1234\0")
        self.assertEqual(splitter.next(), b"1234")
        for data in (b"12345", b"12345\0"):
            splitter = FrameSplitter(4)
            splitter.append(data)
            with self.assertRaises(FrameTooLong):
                splitter.next()

    def test_a_request_has_its_headers_before_its_data(self) -> None:
        encoded = encode_request("PUT", "/é", b"1.10", {"If-Match": 1}, "i")
        self.assertEqual(encoded, b'{"method": "PUT", "path": "/\\u00e9", "id": "i", "headers": {"If-Match": 1}, "data": 1.10}')
        self.assertEqual(json.loads(encoded)["path"], "/é")


class TextTests(unittest.TestCase):
    def test_parts_are_where_they_stand(self) -> None:
        text = ' { "a" : [1, {"b": 2}] ,\n"c":"}", "a": 1.0 } '
        parts, end = members(text, 1)
        self.assertEqual([(part.key, text[part.start : part.end]) for part in parts], [("a", '[1, {"b": 2}]'), ("c", '"}"'), ("a", "1.0")])
        self.assertEqual(text[end:], " ")
        inner, _ = elements(text, parts[0].start)
        self.assertEqual([text[part.start : part.end] for part in inner], ["1", '{"b": 2}'])
        self.assertEqual((members("{ }"), elements("[ ]")), (([], 3), ([], 3)))

    def test_what_is_no_object_is_none(self) -> None:
        for text in ("", "[", "{", '{"a"}', '{"a":}', '{"a": 1', '{"a": 1,}', "{,}", '{1: 1}', '{"a": 1 "b": 2}', '{"a": NaN}', '{"a": 1}'[1:]):
            with self.subTest(text), self.assertRaises(ValueError):
                members(text)

    def test_json_text_is_kept_and_checked(self) -> None:
        self.assertEqual(encode(JSONText(' {"a": 1.10} ')), b' {"a": 1.10} ')
        for text in ("", "1 2", "{}\0", "\0", "NaN", "[1,]", "'a'", '"\n"', "[" * 100_000, "1\u00a0"):
            with self.subTest(text[:10]), self.assertRaises(InvalidDocument):
                encode(JSONText(text))

    def test_values_are_written_as_python_writes_them(self) -> None:
        self.assertEqual(encode({"é": [1, None]}), '{"é": [1, null]}'.encode())
        self.assertEqual(encode("\ud800"), b'"\\ud800"')
        self.assertNotIn(b"\0", encode("\0"))

    def test_integers_are_exact_whatever_their_length(self) -> None:
        self.assertEqual(decode(str(2**100)), 2**100)
        self.assertEqual(decode("-" + "9" * 10_000), Decimal("-" + "9" * 10_000))

    def test_answers(self) -> None:
        answer = Answer.parse(b' {"code": 200, "message": "OK", "data": {"n": 1.10}, "new": [], "id": 7, "headers": {"ETag": "1", "N": 2}} ')
        self.assertEqual((answer.text, answer.data, answer.id, answer.header("etag"), answer.header("n")), ('{"n": 1.10}', {"n": 1.1}, 7, "1", "2"))
        self.assertFalse(answer.continues)
        for frame in (b"", b"{}", b"\xff", b'{"code": 200, "message": "OK", "data": 1} {}'):
            with self.subTest(frame), self.assertRaises(BadAnswer):
                Answer.parse(frame)

    def test_paths(self) -> None:
        self.assertEqual(document_path("notes", "what?"), "/notes/what%3F")
        self.assertEqual(document_path("users", "é", "orders", ""), "/users/%C3%A9/orders/")
