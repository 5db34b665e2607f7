"""The service's description and the service are one."""

import json
import os
import re
import subprocess
import tempfile
import unittest
import uuid

import description
from description import DOCUMENT, SOURCES, example, example_text, operations, resolved
from server import BINARY, PATIENCE, Server, ServerTestCase, eventually
from test_access import token
from test_events import Stream

try:
    import jsonschema
    import openapi_spec_validator
    MISSING = None
except ImportError as error:
    MISSING = f"{error.name} is not installed (pip install -r Tests/HTTP/requirements.txt)"

DOCS = os.path.join(SOURCES, "../docs")


def faults(schema, value, is_closed=False):
    """How a value is not as a schema of the document says."""
    schemas = DOCUMENT["components"]["schemas"]
    whole = {**description.closed(schema), "$defs": {name: description.closed(one) for name, one in schemas.items()}} \
        if is_closed else {**schema, "components": {"schemas": schemas}}
    validator = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(value)]


def source(name):
    with open(os.path.join(SOURCES, name), encoding="utf-8") as file:
        return file.read()


@unittest.skipIf(MISSING, MISSING)
class Document(unittest.TestCase):
    def test_it_is_openapi(self):
        openapi_spec_validator.validate(DOCUMENT)

    def test_each_operation_has_a_name_of_its_own(self):
        names = [operation.item["operationId"] for operation in operations()]
        self.assertEqual(len(names), len(set(names)))

    def test_every_component_is_used(self):
        text = description.TEXT.decode()
        for kind, components in DOCUMENT["components"].items():
            for name in components:
                if kind != "securitySchemes":
                    self.assertIn(f'"#/components/{kind}/{name}"', text)

    def test_examples_are_as_their_schemas_say(self):
        components = DOCUMENT["components"]
        for name, parameter in components["parameters"].items():
            if example(parameter) is not None:
                self.assertEqual(faults(description.parameter_schema(parameter), example(parameter)), [], name)
        for name, content in [(name, part["content"]) for kind in ("requestBodies", "responses")
                              for name, part in components[kind].items() if "content" in part]:
            for media in content.values():
                values = [one["value"] for one in media.get("examples", {}).values()]
                values += [media["example"]] if "example" in media else []
                for value in values:
                    self.assertEqual(faults(media["schema"], value, is_closed=True), [], name)

    def test_its_version_is_the_programs(self):
        output = subprocess.run([BINARY, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
        self.assertEqual(DOCUMENT["info"]["version"], re.match(r"docket (\S+),", output)[1])

    def test_it_has_the_errors_that_the_documentation_has(self):
        described = {}
        for response in DOCUMENT["components"]["responses"].values():
            schema = response.get("content", {}).get("application/problem+json", {}).get("schema", {})
            for part in schema.get("allOf", []):
                if "error" in part.get("properties", {}):
                    described.setdefault(part["properties"]["status"]["const"], set()).update(part["properties"]["error"]["enum"])
        told = {}
        for name, heading in [("PROTOCOL.md", "## Errors"), ("HTTP.md", "Codes that only HTTP has")]:
            with open(os.path.join(DOCS, name), encoding="utf-8") as file:
                section = file.read().partition(heading)[2].partition("\n## ")[0]
            for status, cells in re.findall(r"^\| (\d{3}) \| (.*)", section, re.MULTILINE):
                # What stands behind a colon is about them.
                codes = re.findall(r"`([a-z_]+)`", cells.partition(": ")[0]) + re.findall(r"; `([a-z_]+)`: ", cells)
                told.setdefault(int(status), set()).update(codes)
        # Of the native protocol alone, and of what no operation can be answered.
        for status, code in [(400, "invalid_method"), (400, "invalid_id"), (400, "invalid_headers"), (400, "incomplete_frame"),
                             (400, "watch_needs_session"), (400, "watch_needs_id"), (408, "frame_timeout"),
                             (409, "watch_id_in_use"), (413, "frame_too_large"), (422, "not_an_object"), (501, "unknown_method")]:
            self.assertIn(code, told[status])
            told[status].discard(code)
        # Of batches alone, whose problems are any.
        for code in ("batch_too_large", "batch_answer_too_large"):
            self.assertIn(code, told[413])
            told[413].discard(code)
        self.maxDiff = None
        self.assertEqual({status: sorted(codes) for status, codes in sorted(told.items()) if codes},
                         {status: sorted(codes) for status, codes in sorted(described.items())})

    def test_it_has_every_path_that_the_code_has(self):
        grammar = source("DocketService/PathGrammar.swift")
        paths = set(re.findall(r'isText\("(/[^"]*)"\)', grammar))
        self.assertIn("/_health", paths)
        for path in paths:
            self.assertIn(path, DOCUMENT["paths"])
        beginnings = set(re.findall(r'starts\(with: "(/_[^"]+/)"\.utf8\)', grammar))
        self.assertIn("/_tokens/", beginnings)
        for beginning in beginnings:
            self.assertTrue(any(path.startswith(beginning + "{") for path in DOCUMENT["paths"]), beginning)
        pages = set()
        for name in os.listdir(os.path.join(SOURCES, "DocketHTTP")):
            if name.startswith("HTTPSite"):
                pages.update(re.findall(r'Path = "(/[^"]+)"', source(f"DocketHTTP/{name}")))
        self.assertIn("/_openapi.json", pages)
        # The console is for people.
        for path in pages - {"/_console/"}:
            self.assertIn(path, DOCUMENT["paths"])


class Served(ServerTestCase):
    def test_it_is_served_as_it_is_written(self):
        status, headers, body = self.server.request("GET", "/_openapi.json")
        self.assertEqual((status, headers["Content-Type"], body), (200, "application/json", description.TEXT))
        tag = headers["ETag"]
        for known in (tag, "W/" + tag, f'"other", {tag}'):
            status, headers, body = self.server.request("GET", "/_openapi.json", If_None_Match=known)
            self.assertEqual((status, headers["ETag"], body), (304, tag, b""))
        self.assertEqual(self.server.request("GET", "/_openapi.json", If_None_Match='"other"')[0], 200)
        status, headers, body = self.server.request("HEAD", "/_openapi.json")
        self.assertEqual((status, headers["Content-Length"], body), (200, str(len(description.TEXT)), b""))
        self.assertEqual(self.server.request("PUT", "/_openapi.json", b"1")[0], 405)

    def test_each_path_has_its_methods_and_no_others(self):
        described = {}
        for operation in operations():
            needs_more = any(one["in"] == "query" for one in operation.required)
            target = operation.target([one for one in operation.required if one["in"] == "path"])
            methods = described.setdefault(target, [])
            if not needs_more:
                methods.append(operation.method)
        for target, methods in described.items():
            with self.subTest(target):
                allowed = self.server.request("OPTIONS", target)[1]["Allow"].split(", ")
                self.assertEqual(set(allowed), set(methods) | ({"HEAD"} if "GET" in methods else set()) | {"OPTIONS"})

    def test_a_method_that_there_is_not_is_no_matter_of_parameters(self):
        answer = self.server.request("TRACE", "/notes/42?restore=17")
        self.problem(answer, 405, "method_not_allowed")

    def test_a_watch_that_is_none_is_a_read(self):
        self.server.request("PUT", "/notes/42", b"1")
        self.assertEqual(self.server.request("GET", "/notes/42?watch=false")[2], b"1")
        self.assertIn("versions", json.loads(self.server.request("GET", "/notes/42?watch=false&history=true")[2]))


@unittest.skipIf(MISSING, MISSING)
class Answers(unittest.TestCase):
    """A server that has what the examples of the document speak of, and answers that are held against it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="docket-openapi-")
        cls.server = Server("--backup-folder", cls.folder.name)
        cls.token = token(cls.server, "admin", "admin")
        assert eventually(lambda: cls.server.request("GET", "/_stats")[0] == 401)
        writes = [{"method": "PUT", "path": f"/notes/{number}", "data": {"title": "Hello", "state": "open", "priority": number}}
                  for number in range(15)]
        # The examples speak of revision 17.
        cls.request("POST", "/_batch", {"requests": writes + [
            {"method": "PUT", "path": "/notes/42/comments/7", "data": {"state": "open"}},
            {"method": "PUT", "path": "/notes/42", "data": {"title": "Hello", "state": "open"}}]})
        cls.make_ready()

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()
        cls.folder.cleanup()

    @classmethod
    def request(cls, method, path, data=None):
        body = None if data is None else json.dumps(data).encode()
        return cls.server.request(method, path, body, Authorization=f"Bearer {cls.token}")

    @classmethod
    def make_ready(cls):
        """Whatever was done before, there is now what an example takes, and not what it makes."""
        for path in ("/_collections/notes/", "/_collections/notes/42/comments/"):
            cls.request("PUT", path, {"indexes": ["state"]})
        for path in ("/notes/42", "/notes/42/comments/7"):
            cls.request("PUT", path, {"title": "Hello", "state": "open", "priority": 2})
        cls.request("POST", "/item", "apple")
        cls.request("POST", "/_tokens/", {"name": "ci", "allow": ["read:/notes/"]})
        cls.request("DELETE", "/_tokens/reader")
        backups = json.loads(cls.request("GET", "/_backups/")[2])
        for backup in backups["items"] + [backups["fetching"]]:
            if backup and backup["name"] != "monday.db":
                cls.request("DELETE", f"/_backups/{backup['name']}")
        cls.request("POST", "/_backups/", {"name": "monday.db"})

    def ask(self, operation, parameters, body=None):
        """Makes a request of the examples, and holds its answer against the document."""
        headers = {one["name"].replace("-", "_"): example_text(one) for one in parameters if one["in"] == "header"}
        target = operation.target(parameters)
        headers["Authorization"] = f"Bearer {self.token}"
        if "Idempotency_Key" in headers:
            headers["Idempotency_Key"] = str(uuid.uuid4())  # A key is for one request.
        if operation.method == "GET" and any(one["name"] in ("watch", "Last-Event-ID") for one in parameters):
            return self.watch(operation, target, headers)
        answer = self.server.request(operation.method, target, body, **headers)
        self.check(operation, *answer)
        return answer[0]

    def watch(self, operation, target, headers):
        stream = Stream(self.server, target, **headers)
        try:
            self.assertEqual((stream.status, stream.answer.headers["Content-Type"]), (200, "text/event-stream"))
            self.assertIn("text/event-stream", operation.response(200)["content"])
            while True:
                event = stream.next()
                self.assertEqual(faults({"$ref": "#/components/schemas/Event"}, event[2], is_closed=True), [], event)
                if event[1] == "live":
                    return stream.status
        finally:
            stream.close()

    def check(self, operation, status, headers, body):
        response = operation.response(status)
        self.assertIsNotNone(response, f"{operation} is answered {status}, of which nothing is said: {body}")
        self.assertEqual("content" in response, status not in (204, 304), f"{operation}: {status}")
        if "content" in response:
            self.assertIn(headers["Content-Type"], response["content"])
            schema = response["content"][headers["Content-Type"]]["schema"]
            value = body.decode() if headers["Content-Type"].startswith("text/plain") else json.loads(body)
            self.assertEqual(faults(schema, value, is_closed=True), [], f"{operation}: {status} {body}")
        else:
            self.assertEqual(body, b"")
        common = {"date", "vary", "cache-control", "x-content-type-options", "content-type", "content-length", "connection",
                  "x-request-id"}
        described = {name.lower(): resolved(header) for name, header in response.get("headers", {}).items()}
        for name in set(map(str.lower, headers)) - common:
            self.assertIn(name, described, f"{operation}: {status}")
            self.assertEqual(faults(described[name]["schema"], headers[name]), [], name)
        self.assertEqual(status in (429, 503), "Retry-After" in headers and status != 409)
        for name, header in described.items():
            if header.get("required"):
                self.assertIn(name, headers, f"{operation}: {status}")


class Examples(Answers):
    def test_every_example_is_answered_as_it_is_described(self):
        for operation in operations():
            for name, parameters, body in self.requests(operation):
                if operation.method != "GET":
                    self.make_ready()
                with self.subTest(operation, example=name):
                    status = self.ask(operation, parameters, body)
                    if operation.path == "/_watches/{watch}":
                        self.assertEqual(status, 404)
                    else:
                        self.assertLess(status, 300)

    def requests(self, operation):
        """One without anything that may be left out, and one for each example of what may."""
        bodies = {}
        if operation.body:
            for name, one in operation.body["content"]["application/json"]["examples"].items():
                bodies[name] = json.dumps(one["value"]).encode()
        required = next(iter(bodies.values()), None) if operation.method != "GET" else None
        if required is None or not operation.body.get("required"):
            yield "as little as may be", operation.required, required if operation.path == "/item" else None
        for name, body in bodies.items():
            yield name, operation.required, body
        for one in operation.parameters:
            if example(one) is not None and not one.get("required"):
                goes_with = one.get("x-goes-with")
                others = [operation.parameter(goes_with)] if goes_with and self.is_optional(operation, goes_with) else []
                yield one["name"], operation.required + others + [one], required

    @staticmethod
    def is_optional(operation, name):
        """Changes are read behind `since` without a watch, too."""
        return any(one["name"] == name and one["in"] != "path" for one in operation.parameters)


class Refusals(Answers):
    """What the examples do not come to."""

    def test_only_what_is_for_everybody_needs_no_token(self):
        for operation in operations():
            with self.subTest(operation):
                answer = self.server.request(operation.method, operation.target(operation.required), None)
                self.check(operation, *answer)
                self.assertEqual(answer[0] == 401, not operation.is_for_everybody, answer)

    def test_a_write_that_lacks_its_body_is_told_what_else_is_wrong_first(self):
        for method, path, headers, code in [
            ("PUT", "/notes/42", {}, "missing_body"), ("PUT", "/notes/..", {}, "invalid_path"),
            ("POST", "/notes/42", {}, "method_not_allowed"), ("PUT", "/notes/42", {"If_Match": "one"}, "invalid_condition"),
        ]:
            with self.subTest(path, method=method):
                answer = self.server.request(method, path, Authorization=f"Bearer {self.token}", **headers)
                self.assertEqual(json.loads(answer[2])["error"], code)

    def test_each_operation_is_there(self):
        # With a condition that never holds and bodies that are none, nothing is changed.
        for operation in operations():
            with self.subTest(operation):
                body = b"{" if operation.method not in ("GET", "DELETE") else None
                target = operation.target(operation.required)
                headers = {"If_Match": '"1"'} if operation.method == "DELETE" else {}
                answer = self.server.request(
                    operation.method, target, body, Authorization=f"Bearer {self.token}", **headers)
                self.check(operation, *answer)
                self.assertNotEqual(answer[0], 405)
                if answer[0] == 404:
                    self.assertNotEqual(json.loads(answer[2])["error"], "unknown_resource")

    def test_errors_are_as_they_are_described(self):
        document = {operation.method: operation for operation in operations() if operation.path == "/{collection}/{id}"}
        collection = {operation.method: operation for operation in operations() if operation.path == "/{collection}/"}
        changes = next(operation for operation in operations() if operation.path == "/_changes")
        settings = next(operation for operation in operations() if operation.path == "/_collections/")
        batch = next(operation for operation in operations() if operation.path == "/_batch")
        item = {operation.method: operation for operation in operations() if operation.path == "/item"}
        token_ = next(operation for operation in operations() if operation.path == "/_tokens/" and operation.method == "POST")
        for operation, target, body, headers, status, code in [
            (document["GET"], "/notes/none", None, {}, 404, "not_found"),
            (document["PUT"], "/%5Fnotes/1", b"1", {}, 404, "unknown_resource"),
            (document["GET"], "/notes/..", None, {}, 400, "invalid_path"),
            (document["GET"], "/notes/42?asOf=99999", None, {}, 409, "ahead"),
            (document["GET"], "/notes/42?asOf=never", None, {}, 400, "invalid_moment"),
            (document["GET"], "/notes/42", None, {"If_Match": "1"}, 412, "precondition_failed"),
            (document["GET"], "/notes/42", None, {"If_Match": "one"}, 400, "invalid_condition"),
            (document["GET"], "/notes/42", None, {"Host": "evil.example"}, 421, "unknown_host"),
            (document["GET"], "/notes/42", None, {"Origin": "http://evil.example"}, 403, "foreign_origin"),
            (document["GET"], "/notes/42", None, {"X_Long": "x" * 40_000}, 431, "headers_too_large"),
            (changes, "/_changes?history=other&since=1", None, {}, 409, "other_history"),
            (document["PUT"], "/notes/42", b"{", {}, 422, "invalid_json"),
            (document["PUT"], "/notes/42", b'"' + b"x" * 1_100_000 + b'"', {}, 413, "document_too_large"),
            (document["PUT"], "/notes/42", b"1", {"Prefer": "dry-run", "Idempotency_Key": "x" * 256}, 400, "invalid_idempotency_key"),
            (document["PUT"], "/notes/42", b"1", {"Expires_In": "soon"}, 400, "invalid_expiry"),
            (document["PATCH"], "/notes/42", b"1", {}, 422, "invalid_patch"),
            (document["PATCH"], "/notes/42", b'[{"op": "add"}]', {}, 422, "invalid_patch"),
            (document["PATCH"], "/notes/42", b'[{"op": "test", "path": "", "value": 1}]', {}, 409, "patch_test_failed"),
            (document["POST"], "/notes/42", None, {}, 405, "method_not_allowed"),
            (settings, "/_collections/?limit=20", None, {}, 400, "unknown_parameter"),
            (collection["GET"], "/notes/?limit=0", None, {}, 400, "invalid_limit"),
            (collection["GET"], "/notes/?where[$text]=a", None, {}, 400, "no_text_index"),
            (batch, "/_batch", b'{"requests": [{"method": "GET", "path": "/notes/none"}]}', {}, 404, "batch_failed"),
            (batch, "/_batch", b'{"requests": [{"method": "GET", "path": "/_stats"}]}', {}, 400, "batch_failed"),
            (batch, "/_batch", b"[]", {}, 400, "invalid_batch"),
            (item["PUT"], "/item", b"1", {}, 400, "bad_request"),
            (item["PUT"], "/item", b'"a,b"', {}, 404, None),
            (token_, "/_tokens/", b'{"name": "ci", "allow": ["stats"]}', {}, 409, "token_exists"),
            (token_, "/_tokens/", b"{}", {}, 400, "invalid_token_request"),
        ]:
            with self.subTest(target, code=code):
                answer = self.server.request(
                    operation.method, target, body, Authorization=f"Bearer {self.token}", **headers)
                self.check(operation, *answer)
                self.assertEqual((answer[0], json.loads(answer[2]).get("error")), (status, code))


if __name__ == "__main__":
    unittest.main()
