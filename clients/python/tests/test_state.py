"""What a client decides, without sockets and clocks."""

from __future__ import annotations

import unittest
from typing import Any, List

from .support import frame

from docket_client import Client
from docket_client.call import Call
from docket_client.errors import BadAnswer, ConnectionFailed, InvalidDocument
from docket_client.state import Action, ClientState, Complete, Connect, Disconnect, Send, pause_after


def state(**options: Any) -> ClientState:
    return ClientState(Client(**options).configuration)


def sent(actions: List[Action]) -> List[bytes]:
    return [action.data for action in actions if isinstance(action, Send)]


class StateTests(unittest.TestCase):
    def test_no_more_are_on_their_way_than_may_be(self) -> None:
        client = state(in_flight=2)
        self.assertEqual(client.submit(Call("GET", "/n/0")), [Connect(0)])
        for number in range(1, 5):
            self.assertEqual(client.submit(Call("GET", f"/n/{number}")), [])
        self.assertEqual(len(sent(client.connected())), 2)
        actions = client.received(frame("1") + b"\0" + frame("2")[:5])
        self.assertEqual([type(action) for action in actions], [Complete, Send])
        self.assertIn(b"/n/2", sent(actions)[0])
        self.assertIn(b"/n/3", sent(client.received(frame("2")[5:] + b"\0"))[0])

    def test_a_call_that_cannot_be_written_ends_alone(self) -> None:
        client = state()
        client.submit(Call("GET", "/n/0"))
        client.connected()
        wrong: Any = b"/n/1"
        for call in (Call("GET", wrong), Call("PUT", "/n/1", b"1", {"Idempotency-Key": wrong})):
            (action,) = client.submit(call)
            assert isinstance(action, Complete)
            self.assertIs(action.call, call)
            self.assertIsInstance(action.outcome, InvalidDocument)
        self.assertEqual([type(action) for action in client.received(frame() + b"\0")], [Complete])
        last = Call("GET", "/n/2")
        self.assertEqual(len(sent(client.submit(last))), 1)
        (answered,) = client.received(frame() + b"\0")
        assert isinstance(answered, Complete)
        self.assertIs(answered.call, last)

    def test_who_has_stopped_waiting_before_his_turn_is_not_sent(self) -> None:
        client = state(in_flight=1)
        calls = [Call("GET", f"/n/{number}") for number in range(3)]
        for call in calls:
            client.submit(call)
        client.connected()
        client.cancelled(calls[1])
        self.assertIn(b"/n/2", sent(client.received(frame() + b"\0"))[0])

    def test_a_port_that_speaks_something_else_is_told_to_all_that_was_sent_to_it(self) -> None:
        for beginning, meaning in (
            (b"HTTP/1.1 501 Not Implemented\r\n", "speaks HTTP"), (b"\x15\x03\x03\0\2\2\x46", "speaks TLS"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "another protocol.*SSH-2.0"), (b"J\0\0\0\n8.0.36\0", "another protocol.*J"),
        ):  # fmt: skip
            with self.subTest(beginning):
                client = state()
                calls = [Call("POST", "/n/", b"1"), Call("GET", "/n/1")]
                for call in calls:
                    client.submit(call)
                client.connected()
                actions = client.received(beginning)
                told = [action for action in actions if isinstance(action, Complete)]
                self.assertEqual([action.call for action in told], calls)
                for action in told:
                    self.assertIsInstance(action.outcome, BadAnswer)
                    self.assertRegex(str(action.outcome), meaning)
                self.assertEqual([type(action) for action in actions], [Complete, Complete, Disconnect])

    def test_what_an_answer_begins_with_may_come_in_pieces(self) -> None:
        for pieces in ((b" ", b"\n{"), (b"H", b"TTP"), (b"\x15",)):
            client = state()
            client.submit(Call("GET", "/n/1"))
            client.connected()
            for piece in pieces:
                self.assertEqual(client.received(piece), [])

    def test_a_connection_is_dead_where_nothing_has_come_for_the_time_of_a_call(self) -> None:
        client = state(attempts=2)
        calls = [Call("POST", f"/n/{number}", b"1") for number in range(4)]
        client.submit(calls[0])
        # Some of its time went into an attempt that failed.
        client.connect_failed(ConnectionFailed("h:1", "refused"))
        client.connected()
        self.assertEqual([type(action) for action in client.timed_out(calls[0])], [Complete])
        # Or into waiting for the answers to others.
        client.submit(calls[1])
        client.received(frame() + b"\0")
        client.submit(calls[2])
        self.assertEqual([type(action) for action in client.timed_out(calls[1])], [Complete])
        # In the time of the third nothing comes.
        client.submit(calls[3])
        self.assertEqual(
            [type(action) for action in client.timed_out(calls[2])], [Complete, Disconnect, Complete])

    def test_a_connection_is_dead_also_where_nobody_waits_any_more_for_what_is_on_its_way(self) -> None:
        client = state(attempts=1, in_flight=1)
        calls = [Call("POST", f"/n/{number}", b"1") for number in range(4)]
        client.submit(calls[0])
        client.connected()
        client.submit(calls[1])
        client.received(frame() + b"\0")
        # It was made before that answer.
        self.assertEqual([type(action) for action in client.timed_out(calls[1])], [Complete])
        client.submit(calls[2])
        self.assertEqual([type(action) for action in client.timed_out(calls[2])], [Complete, Disconnect])
        self.assertEqual([type(action) for action in client.submit(calls[3])], [Connect])

    def test_pauses_grow_to_their_maximum_and_differ(self) -> None:
        self.assertEqual(pause_after(0, 2), 0)
        for failures, bound in ((1, 0.05), (3, 0.2), (10, 2), (10_000, 2)):
            pauses = [pause_after(failures, 2) for _ in range(200)]
            self.assertTrue(all(0 <= pause <= bound for pause in pauses))
            self.assertGreater(max(pauses), bound / 4)
            self.assertGreater(len(set(pauses)), 100)
