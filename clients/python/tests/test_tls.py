"""TLS: whom a client believes, and what it shows of itself."""

from __future__ import annotations

import os
import ssl
import tempfile
import unittest
import unittest.mock
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple, Type

from .support import AnyClient, CertificateAuthority, Server, with_both

from docket_client import ConnectionFailed, Live, NotSecured, tls_context

Make = Callable[..., AnyClient]


class TLSTests(unittest.TestCase):
    folder: str
    authority: CertificateAuthority
    server: Server

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="docket-python-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.authority = CertificateAuthority(cls.folder)
        certificate, key = cls.authority.issue("server")
        cls.server = Server(cls.folder, "--tls-certificate", certificate, "--tls-key", key)
        cls.addClassCleanup(cls.server.stop)

    def test_a_server_is_believed_by_its_authority_and_name(self) -> None:
        context = tls_context(self.authority.certificate)
        for options in ({}, {"host": "localhost"}, {"server_name": "localhost"}):

            async def body(make: Make) -> None:
                async with make(tls=context, **options) as client:
                    await client.put("/n/1", "a" * 500_000)
                    self.assertEqual(len(await client.get("/n/1")), 500_000)
                    async with client.watch("/n/", snapshot=True) as watch:
                        self.assertEqual(len((await watch.next()).document), 500_000)
                        self.assertIsInstance(await watch.next(), Live)

            with_both(self, self.server.port, body)

    def test_many_large_requests_at_once_go_through_tls(self) -> None:
        async def body(make: Make) -> None:
            async with make(tls=tls_context(self.authority.certificate)) as client:
                if client.kind == "blocking":
                    with client.client.pipeline() as pipeline:
                        echoes = [pipeline.echo("a" * 300_000) for _ in range(30)]
                    self.assertEqual({len(echo.result()) for echo in echoes}, {300_000})
                else:
                    import asyncio

                    texts = await asyncio.gather(*(client.echo("a" * 300_000) for _ in range(30)))
                    self.assertEqual({len(text) for text in texts}, {300_000})

        with_both(self, self.server.port, body)

    def test_a_server_that_is_not_believed_is_told_nothing(self) -> None:
        other = CertificateAuthority(self.folder, "other")

        async def body(make: Make) -> None:
            for context, options in (
                (tls_context(other.certificate), {}),
                (tls_context(), {}),
                (tls_context(self.authority.certificate), {"server_name": "docket.example"}),
            ):
                async with make(tls=context, attempts=1, **options) as client:
                    with self.assertRaises(NotSecured) as raised:
                        await client.put("/n/2", 1)
                    self.assertFalse(raised.exception.may_have_happened)
                    self.assertIn("certificate", str(raised.exception))
                    async with client.watch("/n/", attempts=1) as watch:
                        with self.assertRaises(NotSecured):
                            await watch.next()
            async with make(tls=tls_context(verify=False)) as client:
                self.assertEqual(await client.count("/n/", where={"none": 1}), 0)

        with_both(self, self.server.port, body)

    def test_one_side_that_speaks_tls_alone_is_an_error(self) -> None:
        with tempfile.TemporaryDirectory(prefix="docket-python-") as folder:
            plain = Server(folder)
            self.addCleanup(plain.stop)

            async def body(make: Make) -> None:
                async with make(tls=tls_context(verify=False), attempts=1) as client:
                    with self.assertRaises(NotSecured):
                        await client.get("/n/1")

            with_both(self, plain.port, body)

        async def plain_body(make: Make) -> None:
            async with make(attempts=1) as client:
                with self.assertRaises(Exception) as raised:
                    await client.put("/n/1", 1)
                self.assertIn("TLS", str(raised.exception))

        with_both(self, self.server.port, plain_body)

    def test_true_stands_for_the_authorities_that_this_machine_trusts_and_false_for_no_tls(self) -> None:
        async def body(make: Make) -> None:
            async with make(tls=True, attempts=1) as client:
                with self.assertRaises(NotSecured) as raised:
                    await client.get("/n/1")
                self.assertIn("certificate", str(raised.exception))
            with unittest.mock.patch.dict(os.environ, {"SSL_CERT_FILE": self.authority.certificate}):
                async with make(tls=True) as client:
                    self.assertEqual(await client.count("/none/"), 0)
            self.assertIsNone(make(tls=False, unix_socket="/nowhere").client.configuration.tls)

        with_both(self, self.server.port, body)

    def test_what_is_no_context_is_refused_when_the_client_is_made(self) -> None:
        async def body(make: Make) -> None:
            for wrong in (self.authority.certificate, 1, tls_context):
                with self.subTest(wrong), self.assertRaisesRegex(TypeError, "tls_context"):
                    make(tls=wrong)

        with_both(self, 1, body)

    def test_a_file_that_is_missing_or_holds_something_else_is_named(self) -> None:
        certificate, key = self.authority.issue("named")
        other_key = self.authority.issue("other-named")[1]
        text = os.path.join(self.folder, "text.pem")
        Path(text).write_text("no certificate")
        cases: List[Tuple[str, Type[OSError], Dict[str, Any]]] = [
            ("/nofile", FileNotFoundError, {"ca_file": "/nofile"}),
            ("/nofile", FileNotFoundError, {"certificate_file": "/nofile"}),
            ("/nofile", FileNotFoundError, {"certificate_file": certificate, "key_file": "/nofile"}),
            (self.folder, IsADirectoryError, {"ca_file": self.folder}),
            (text, ssl.SSLError, {"ca_file": text}),
            (text, ssl.SSLError, {"certificate_file": text, "key_file": key}),
            (text, ssl.SSLError, {"certificate_file": certificate, "key_file": text}),
            (certificate, ssl.SSLError, {"certificate_file": certificate}),
            (other_key, ssl.SSLError, {"certificate_file": certificate, "key_file": other_key}),
        ]
        for name, kind, files in cases:
            with self.subTest(files), self.assertRaises(kind) as raised:
                tls_context(**files)
            self.assertIn(name, str(raised.exception))

    def test_tls_is_not_for_unix_sockets(self) -> None:
        async def body(make: Make) -> None:
            for tls in (tls_context(), True):
                with self.assertRaises(ValueError):
                    make(unix_socket="/nowhere", tls=tls)

        with_both(self, 1, body)

    def test_a_server_that_wants_certificates_gets_them_or_lets_nobody_in(self) -> None:
        with tempfile.TemporaryDirectory(prefix="docket-python-") as folder:
            certificate, key = self.authority.issue("strict")
            server = Server(
                folder, "--tls-certificate", certificate, "--tls-key", key, "--tls-client-ca", self.authority.certificate
            )
            self.addCleanup(server.stop)
            own, own_key = self.authority.issue("client")
            strange, strange_key = CertificateAuthority(folder, "stranger").issue("stranger-client")

            async def body(make: Make) -> None:
                known = tls_context(self.authority.certificate, certificate_file=own, key_file=own_key)
                async with make(tls=known) as client:
                    await client.put("/n/1", 1)
                    self.assertEqual(await client.get("/n/1"), 1)
                for context in (
                    tls_context(self.authority.certificate),
                    tls_context(self.authority.certificate, certificate_file=strange, key_file=strange_key),
                ):
                    async with make(tls=context, attempts=2, maximum_pause=0.01) as client:
                        with self.assertRaises(NotSecured) as raised:
                            await client.post("/n/", 1)
                        self.assertFalse(raised.exception.may_have_happened)
                        async with client.watch("/n/", attempts=1) as watch:
                            with self.assertRaises(NotSecured):
                                await watch.next()
                async with make(tls=known) as client:
                    self.assertEqual(await client.count("/n/"), 1)

            with_both(self, server.port, body)
