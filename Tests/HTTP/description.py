"""The service's description, Sources/DocketOpenAPI/openapi.json, as the tests read it."""

import json
import os
import urllib.parse

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Sources")
FILE = os.path.join(SOURCES, "DocketOpenAPI/openapi.json")
METHODS = ("get", "put", "post", "delete", "patch")

with open(FILE, "rb") as file:
    TEXT = file.read()
DOCUMENT = json.loads(TEXT)


def resolved(value):
    """What a `$ref` stands for."""
    while isinstance(value, dict) and "$ref" in value:
        place = DOCUMENT
        for key in value["$ref"].removeprefix("#/").split("/"):
            place = place[key.replace("~1", "/").replace("~0", "~")]
        value = place
    return value


class Operation:
    """A method of a path."""

    def __init__(self, path, method, item):
        self.path, self.method, self.item = path, method.upper(), item[method]
        self.parameters = [resolved(one) for one in item.get("parameters", []) + self.item.get("parameters", [])]
        self.body = resolved(self.item.get("requestBody"))
        self.responses = {status: resolved(response) for status, response in self.item["responses"].items()}

    def __repr__(self):
        return f"{self.method} {self.path}"

    @property
    def is_for_everybody(self):
        return self.item.get("security", DOCUMENT["security"]) == []

    def parameter(self, name):
        return next(one for one in self.parameters if one["name"] == name and one["in"] != "path")

    @property
    def required(self):
        """What every request has, by the examples."""
        return [one for one in self.parameters if one.get("required")]

    def target(self, parameters):
        """The path and the query, with these parameters' examples."""
        path = self.path
        query = []
        for one in parameters:
            text = example_text(one)
            if one["in"] == "path":
                path = path.replace("{%s}" % one["name"], urllib.parse.quote(text, safe=""))
            elif one["in"] == "query":
                query.append((one["name"], text))
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def response(self, status):
        """What is said of a status; None: nothing."""
        return self.responses.get(str(status)) or self.responses.get(f"{status // 100}XX")


def operations():
    return [Operation(path, method, item) for path, item in DOCUMENT["paths"].items() for method in METHODS if method in item]


def example(parameter):
    """A parameter's example; None: it has none."""
    if "content" in parameter:
        return parameter["content"]["application/json"].get("example")
    return parameter.get("example")


def example_text(parameter):
    value = example(parameter)
    if "content" in parameter:
        return json.dumps(value)
    if isinstance(value, list):
        return ",".join(value)
    return value if isinstance(value, str) else json.dumps(value)


def parameter_schema(parameter):
    return parameter["schema"] if "schema" in parameter else parameter["content"]["application/json"]["schema"]


def closed(schema, is_part=False):
    """A schema by which an answer has no member that is not described: the document itself leaves room for later ones.

    :param is_part: whether something around it says what else there may be.
    """
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema and is_part:
        schema = resolved(schema)
    result = {}
    for key, value in schema.items():
        if key == "properties":
            result[key] = {name: closed(one) for name, one in value.items()}
        elif key in ("items", "additionalProperties", "propertyNames", "not"):
            result[key] = closed(value)
        elif key in ("anyOf", "oneOf"):
            result[key] = [closed(one) for one in value]
        elif key == "allOf":
            result[key] = [closed(one, is_part=True) for one in value]
        elif key == "$ref":
            result[key] = value.replace("#/components/schemas/", "#/$defs/")
        else:
            result[key] = value
    if ("properties" in result or "allOf" in result) and not is_part:
        result["unevaluatedProperties"] = False
    return result
