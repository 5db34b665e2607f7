"""What a server tells of itself: /metrics, /_stats, /_ready, its log, and docket stats."""

import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from server import BINARY, PATIENCE, Server, ServerTestCase, eventually
from test_access import token

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")


def tool(name):
    """A program of Debian's package prometheus, which .ci/run unpacks below .build."""
    return shutil.which(name, path=os.path.join(ROOT, ".build/prometheus/usr/bin") + os.pathsep + os.environ["PATH"])


def needs(name):
    return unittest.skipUnless(tool(name), f"there is no {name}: install Debian's package prometheus")


def native(server, *requests):
    """Sends requests over the native port, and returns the answers."""
    with socket.create_connection((server.native[0], int(server.native[1])), timeout=PATIENCE) as connection:
        first = dict(requests[0], headers={"Connection": "keep-alive"})
        connection.sendall(b"".join(json.dumps(each).encode() + b"\0" for each in [first, *requests[1:]]))
        received = b""
        while received.count(b"\0") < len(requests):
            piece = connection.recv(65536)
            if not piece:
                break
            received += piece
    return [json.loads(frame) for frame in received.split(b"\0") if frame.strip()]


def samples(server, **headers):
    """The samples of a scrape: name and labels as they stand, and the value."""
    status, fields, body = server.request("GET", "/metrics", **headers)
    assert status == 200, (status, body)
    lines = [line for line in body.decode().splitlines() if not line.startswith("#")]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


def stats(server):
    return json.loads(server.request("GET", "/_stats")[2])


class Metrics(ServerTestCase):
    def requests(self, kind, outcome="ok"):
        return samples(self.server)[f'docket_requests_total{{kind="{kind}",outcome="{outcome}"}}']

    def test_the_form(self):
        status, fields, body = self.server.request("GET", "/metrics")
        self.assertEqual((status, fields["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        self.assertTrue(body.endswith(b"\n"))
        names = re.findall(r"^# TYPE (\S+)", body.decode(), re.M)
        self.assertEqual(len(names), len(set(names)))
        for name in ["docket_info", "docket_database_bytes", "docket_log_bytes", "docket_free_bytes", "docket_watches",
                     "docket_requests_total", "docket_request_duration_seconds", "docket_connections",
                     "docket_write_queue_bytes", "docket_waiting_answer_bytes", "docket_waiting_answer_limit_bytes", "process_start_time_seconds", "process_resident_memory_bytes",
                     "process_cpu_seconds_total", "process_open_fds"]:
            self.assertIn(name, names)
        head = self.server.request("HEAD", "/metrics")
        self.assertEqual((head[0], head[2]), (200, b""))
        self.problem(self.server.request("PUT", "/metrics", b"1"), 405, "method_not_allowed")
        self.assertEqual(self.server.request("OPTIONS", "/metrics")[1]["Allow"], "GET, HEAD, OPTIONS")

    @needs("promtool")
    def test_promtool_has_nothing_to_say_against_it(self):
        self.server.request("PUT", "/m/tool", b"1")
        body = self.server.request("GET", "/metrics")[2]
        result = subprocess.run([tool("promtool"), "check", "metrics"], input=body, capture_output=True, timeout=PATIENCE)
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, b""))

    def test_http_requests_are_counted(self):
        before = samples(self.server)
        for _ in range(3):
            self.assertLess(self.server.request("PUT", "/m/1", b"1")[0], 300)
        self.server.request("GET", "/m/1")
        self.server.request("GET", "/m/none")
        self.server.request("PATCH", "/m/1", b"7")
        self.server.request("GET", "/m/1", Host="evil.example")
        self.server.request("GET", "/m/?limit=1", Origin="http://evil.example")
        after = samples(self.server)

        def more(name):
            return after[name] - before.get(name, 0)

        self.assertEqual(more('docket_requests_total{kind="write",outcome="ok"}'), 3)
        self.assertEqual(more('docket_requests_total{kind="read",outcome="ok"}'), 1)
        self.assertEqual(more('docket_requests_total{kind="read",outcome="refused"}'), 1)
        self.assertEqual(more('docket_requests_total{kind="other",outcome="refused"}'), 3)
        self.assertEqual(more('docket_request_duration_seconds_count{kind="write"}'), 3)
        self.assertEqual(more('docket_request_duration_seconds_bucket{kind="write",le="+Inf"}'), 3)
        self.assertGreater(more('docket_request_duration_seconds_sum{kind="write"}'), 0)
        self.assertEqual(more("docket_changes_total"), 3)
        self.assertGreaterEqual(more("docket_write_group_size_sum"), 3)
        self.assertGreaterEqual(more("docket_log_sync_duration_seconds_count"), 3)

    def test_native_requests_are_counted_once_each(self):
        native(self.server, {"method": "PUT", "path": "/n/1", "data": 1})
        self.assertTrue(eventually(lambda: self.requests("write") > 0))
        # What came before has been told once the loop has no connections any more.
        self.assertTrue(eventually(lambda: samples(self.server)['docket_connections{protocol="native"}'] == 0))
        reads, missed, writes = self.requests("read"), self.requests("read", "refused"), self.requests("write")
        gets = [{"method": "GET", "path": "/n/1"}] * 40
        answers = native(self.server, *gets, {"method": "GET", "path": "/n/none"}, {"method": "PUT", "path": "/n/2", "data": 1})
        self.assertEqual([answer["code"] for answer in answers], [200] * 40 + [404, 201])
        self.assertTrue(eventually(lambda: self.requests("read") == reads + 40), self.requests("read"))
        self.assertTrue(eventually(lambda: self.requests("read", "refused") == missed + 1))
        self.assertTrue(eventually(lambda: self.requests("write") == writes + 1))

    def test_connections_and_watches(self):
        with socket.create_connection((self.server.native[0], int(self.server.native[1])), timeout=PATIENCE) as connection:
            connection.sendall(b'{"method":"GET","path":"/w/?watch=true","id":1,"headers":{"Connection":"keep-alive"}}\0')
            self.assertNotIn(b'"error"', connection.recv(65536))
            now = samples(self.server)
            self.assertEqual(now['docket_connections{protocol="native"}'], 1)
            self.assertGreaterEqual(now['docket_connections{protocol="http"}'], 1)
            self.assertEqual(now["docket_watches"], 1)
        self.assertTrue(eventually(lambda: samples(self.server)["docket_watches"] == 0))

    def test_stats_tell_the_same(self):
        self.server.request("PUT", "/s/1", b"1")
        told = stats(self.server)
        self.assertEqual(told["fileBytes"], told["databaseBytes"] + told["logBytes"])
        self.assertGreater(told["freeBytes"], 0)
        self.assertGreaterEqual(told["requests"]["write"]["count"], 1)
        self.assertGreater(told["requests"]["write"]["p99Milliseconds"], 0)
        self.assertGreaterEqual(told["requests"]["write"]["p99Milliseconds"], told["requests"]["write"]["p50Milliseconds"])
        self.assertGreaterEqual(told["writeGroups"]["mean"], 1)
        self.assertGreaterEqual(told["connections"]["http"], 1)
        self.server.request("GET", "/s/1")
        self.assertGreater(stats(self.server)["documentCacheBytes"], 0)
        self.assertIn(f'docket {told["version"]},', subprocess.run(
            [BINARY, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout)

    def test_the_dashboard_asks_for_what_there_is(self):
        self.server.request("PUT", "/d/1", b"1")
        with open(os.path.join(ROOT, "docs/grafana-dashboard.json")) as file:
            dashboard = json.load(file)
        queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        self.assertGreater(len(queries), 10)
        names = {key.split("{")[0] for key in samples(self.server)}
        for query in queries:
            asked = re.findall(r"\b(?:docket|process)_[a-z_]+", query)
            self.assertTrue(asked, query)
            for name in asked:
                self.assertIn(name, names, query)
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    @needs("promtool")
    def test_the_dashboards_queries_can_be_read(self):
        with open(os.path.join(ROOT, "docs/grafana-dashboard.json")) as file:
            dashboard = json.load(file)
        rules = [{"record": f"query:{number}", "expr": target["expr"].replace("$__rate_interval", "5m").replace('"$job"', '".+"')}
                 for number, target in enumerate(t for panel in dashboard["panels"] for t in panel.get("targets", []))]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)  # JSON is YAML.
            file.flush()
            result = subprocess.run(
                [tool("promtool"), "check", "rules", file.name], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    @needs("prometheus")
    def test_prometheus_scrapes_it(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with tempfile.TemporaryDirectory(prefix="docket-prometheus-") as folder:
            with open(os.path.join(folder, "prometheus.yml"), "w") as file:
                file.write(
                    "scrape_configs:\n- job_name: docket\n  scrape_interval: 1s\n  static_configs:\n"
                    f"  - targets: ['{self.server.host}:{self.server.port}']\n")
            log = open(os.path.join(folder, "log"), "w+")
            process = subprocess.Popen(
                [tool("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
            try:
                def value(query):
                    try:
                        with urllib.request.urlopen(
                                f"http://127.0.0.1:{port}/api/v1/query?query={query}", timeout=PATIENCE) as answer:
                            found = json.load(answer)["data"]["result"]
                    except (urllib.error.URLError, ConnectionError):
                        return None
                    return float(found[0]["value"][1]) if found else None

                self.server.request("PUT", "/p/1", b"1")
                self.assertTrue(eventually(lambda: value("up") == 1), "it never was up")
                self.assertTrue(eventually(lambda: (value("docket_changes_total") or 0) >= 1))
            finally:
                process.terminate()
                process.wait(timeout=PATIENCE)
                log.close()


class Guarded(ServerTestCase):
    def test_metrics_take_a_token_with_stats(self):
        allowed = token(self.server, "scraper", "stats")
        admin = token(self.server, "admin", "admin")
        reader = token(self.server, "reader", "read:/", "write:/")
        self.assertTrue(eventually(lambda: self.server.request("GET", "/metrics")[0] == 401))

        def ask(path, token, method="GET"):
            return self.server.request(method, path, Authorization=f"Bearer {token}")

        self.assertTrue(eventually(lambda: ask("/metrics", reader)[0] == 403))
        for path in ["/metrics", "/_stats"]:
            self.problem(self.server.request("GET", path), 401, "unauthorized")
            self.problem(ask(path, reader), 403, "forbidden")
            self.problem(ask(path, allowed[:-1] + ("A" if allowed[-1] != "A" else "B")), 401, "invalid_token")
            self.assertEqual(ask(path, allowed)[0], 200)
            self.assertEqual(ask(path, admin)[0], 200)
        self.problem(self.server.request("PUT", "/metrics", b"1"), 401, "unauthorized")
        # Whether it is ready is for everybody, as its health is.
        self.assertEqual(self.server.request("GET", "/_ready")[0], 200)
        self.assertEqual(native(self.server, {"method": "GET", "path": "/_ready"})[0]["data"], {"status": "ready"})


class Ready(unittest.TestCase):
    def test_without_room_it_is_not_ready_and_with_room_it_is_again(self):
        if os.geteuid() != 0:
            self.skipTest("a small file system takes root to mount")
        folder = tempfile.mkdtemp(prefix="docket-room-")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "docket", folder], capture_output=True).returncode:
            os.rmdir(folder)
            self.skipTest("nothing can be mounted here")
        try:
            server = Server("--ready-room-bytes", str(8 << 20), folder=folder)
            try:
                self.assertEqual(json.loads(server.request("GET", "/_ready")[2]), {"status": "ready"})
                with open(os.path.join(folder, "ballast"), "wb") as file:
                    file.write(bytes(9 << 20))
                status, fields, body = server.request("GET", "/_ready")
                self.assertEqual((status, json.loads(body)["error"]), (503, "no_room"))
                self.assertIn("--ready-room-bytes", json.loads(body)["detail"])
                self.assertTrue(fields["Retry-After"])
                answer = native(server, {"method": "GET", "path": "/_ready"})[0]
                self.assertEqual((answer["code"], answer["data"]["error"]), (503, "no_room"))
                # It is alive, and takes what still fits.
                self.assertEqual(server.request("GET", "/_health")[0], 200)
                os.remove(os.path.join(folder, "ballast"))
                self.assertEqual(server.request("GET", "/_ready")[0], 200)
                self.assertEqual(server.stop(), 0)
            finally:
                server.remove()
        finally:
            subprocess.run(["umount", folder], check=True)
            os.rmdir(folder)


class Log(unittest.TestCase):
    def served(self, *arguments):
        server = Server(*arguments)
        self.addCleanup(server.remove)
        return server

    def test_json_lines(self):
        server = self.served("--log-format", "json", "--log-level", "info")
        server.request("PUT", "/l/1", b"1", X_Request_Id="mine-17")
        native(server, {"method": "GET", "path": "/l/1\n", "id": "yours"}, {"method": "GET", "path": "/l/1", "id": 5})
        self.assertEqual(server.stop(), 0)
        events = [json.loads(line) for line in server.logged().splitlines()]
        for event in events:
            self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertTrue(event["level"] and event["message"])
        told = {event["message"]: event.get("metadata", {}).get("id") for event in events}
        self.assertEqual(told["PUT /l/1 201"], "mine-17")
        self.assertEqual(told["GET /l/1 200"], "5")
        self.assertIn('"yours"', told.values())

    def test_request_ids_are_echoed_or_made(self):
        server = self.served()
        self.assertEqual(server.request("GET", "/_health", X_Request_Id="abc/1")[1]["X-Request-Id"], "abc/1")
        for bad in ["x" * 129, "two words", "\u00e9"]:
            made = server.request("GET", "/_health", X_Request_Id=bad)[1]["X-Request-Id"]
            self.assertRegex(made, r"^[0-9a-f]{16}$")
        ids = {server.request("GET", "/a/none")[1]["X-Request-Id"] for _ in range(3)}
        self.assertEqual(len(ids), 3)

    def test_slow_requests_are_told(self):
        server = self.served("--slow-request-milliseconds", "1", "--log-format", "json")
        documents = [{"method": "PUT", "path": f"/s/{number}", "data": {"n": number, "text": "x" * 200}} for number in range(900)]
        for _ in range(3):
            self.assertEqual(native(server, {"method": "POST", "path": "/_batch", "data": {"requests": documents}, "id": "big"})[0]["code"], 200)
        body = json.dumps({"requests": documents}).encode()
        for _ in range(3):
            self.assertEqual(server.request("POST", "/_batch", body, X_Request_Id="over-http")[0], 200)
        self.assertEqual(server.stop(), 0)
        slow = [event for event in map(json.loads, server.logged().splitlines()) if event["message"] == "slow request: POST /_batch"]
        self.assertEqual({event["metadata"]["id"] for event in slow}, {'"big"', "over-http"})
        for event in slow:
            self.assertEqual((event["level"], event["metadata"]["kind"]), ("notice", "batch"))
            self.assertGreaterEqual(int(event["metadata"]["milliseconds"]), 1)
        self.assertTrue(any(event["metadata"]["connection"].startswith("127.0.0.1:") for event in slow))

    def test_and_are_not_where_nothing_is_said(self):
        server = self.served()
        documents = [{"method": "PUT", "path": f"/s/{number}", "data": number} for number in range(900)]
        native(server, {"method": "POST", "path": "/_batch", "data": {"requests": documents}})
        self.assertEqual(server.stop(), 0)
        self.assertNotIn("slow request", server.logged())


class StatsCommand(ServerTestCase):
    def command(self, *arguments):
        return [BINARY, "stats", "--port", self.server.native[1], *arguments]

    def test_one_print(self):
        self.server.request("PUT", "/c/1", b"1")

        def printed():
            return subprocess.run(
                self.command(), capture_output=True, text=True, timeout=PATIENCE, check=True).stdout

        # The loop that wrote tells it a moment later.
        self.assertTrue(eventually(lambda: re.search(r"(?m)^write +\d", printed())))
        output = printed()
        self.assertRegex(output, r"^docket \d+\.\d+\.\d+, SQLite \S+, up \d+ ")
        self.assertRegex(output, r"(?m)^write +\d+ +\d+ +\d+ +\d+\.\d+ +\d+\.\d+$")
        told = json.loads(subprocess.run(
            self.command("--json"), capture_output=True, text=True, timeout=PATIENCE, check=True).stdout)
        self.assertEqual(told["revision"], stats(self.server)["revision"])

    def test_without_a_terminal_it_is_a_line_a_second(self):
        process = subprocess.Popen(self.command("--watch"), stdout=subprocess.PIPE, text=True)
        try:
            lines = [process.stdout.readline() for _ in range(2)]
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            self.assertEqual(process.wait(timeout=PATIENCE), 0)
        finally:
            if process.poll() is None:
                process.kill()
            process.stdout.close()
        self.assertRegex(lines[0], r"^\S+Z requests/s - ")
        self.assertRegex(lines[1], r"^\S+Z requests/s \d+ changes/s \d+ connections \d+ ")
        self.assertNotIn("\x1b", "".join(lines) + rest)

    def test_on_a_terminal_it_is_drawn_anew(self):
        leader, follower = pty.openpty()
        process = subprocess.Popen(self.command("--watch"), stdout=follower, stderr=follower)
        os.close(follower)
        shown = b""
        try:
            deadline = time.monotonic() + PATIENCE
            while shown.count(b"\x1b[H") < 2 and time.monotonic() < deadline:
                if select.select([leader], [], [], 1)[0]:
                    shown += os.read(leader, 65536)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=PATIENCE), 0)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            os.close(leader)
        self.assertGreaterEqual(shown.count(b"\x1b[H"), 2)
        self.assertIn(b"a second", shown)


if __name__ == "__main__":
    unittest.main()
