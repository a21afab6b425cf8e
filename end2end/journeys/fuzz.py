"""Requests that nobody would write, made by PyPI schemathesis from the OpenAPI document that the server itself serves: no
answer is a failure of the server (5xx), and none is other than the document says.

usage: PORTICO_URL=http://localhost:3000 PORTICO_KEY=sk_test_… python journeys/fuzz.py [SEED]

The server is worth nothing afterwards: what it holds is changed, cancelled and deleted.
"""

import json
import os
import sys
import tempfile
import urllib.parse
import urllib.request
from collections import defaultdict

import schemathesis
from schemathesis.cli import schemathesis as run

URL = os.environ["PORTICO_URL"]
KEY = os.environ["PORTICO_KEY"]
AUTHORIZATION = {"Authorization": f"Bearer {KEY}"}
RELEASE = os.environ.get("PORTICO_TEST_SCALE") == "release"

# Cases for each operation, at most. Those of the "coverage" phase, each limit of each parameter by itself, are as many
# as the document has limits: about a hundred for each operation.
CASES = 60 if RELEASE else 45
PHASES = "coverage,fuzzing" if RELEASE else "fuzzing"
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "ignored_auth",
]
# Words that a schema of strings does not tell, by the parameter's name.
WORDS = {
    "country": ["DE", "US"],
    "currency": ["usd", "eur", "jpy"],
    "email": ["maya@example.com"],
    "enabled_events": ["*", "invoice.paid"],
    "interval": ["day", "month", "year"],
    "percent_off": ["10", "33.33"],
    "url": ["https://example.com/"],
}


def get(path):
    with urllib.request.urlopen(urllib.request.Request(URL + path, headers=AUTHORIZATION)) as answer:
        return json.load(answer)


def found(value, ids):
    """Notes the id of every object anywhere inside `value`, by what `object` says."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), str) and isinstance(value.get("object"), str):
            ids[value["object"]].add(value["id"])
        for inner in value.values():
            found(inner, ids)
    elif isinstance(value, list):
        for inner in value:
            found(inner, ids)


def held(document):
    """Ids that the server holds: by the object's name, and by the path of the list that has them."""
    ids, lists = defaultdict(set), {}
    for path, methods in document["paths"].items():
        operation = methods.get("get", {})
        asks = [each for each in operation.get("parameters", []) if each["required"]]
        if asks or "200" not in operation.get("responses", {}):
            continue
        answer = get(path)
        found(answer, ids)
        lists[path] = {each["id"] for each in answer.get("data", [])}
    return ids, lists


def expandable(schema, schemas, within=""):
    """The paths that `expand` takes: fields that hold an id, or the object that it is of."""
    schema = schema.get("anyOf", [schema])[0]
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    for name, field in schema.get("properties", {}).items():
        if name == "data" and "items" in field:
            yield from expandable(field["items"], schemas, "data.")
        elif any("$ref" in form for form in field.get("anyOf", [])):
            yield within + name


class Likely:
    """Gives the parameters of a document the values that a server would do something with: without them nearly every case
    ends at the first check, "no such customer". What schemathesis makes to be refused is still any text."""

    def __init__(self, document):
        self.document = document
        self.ids, self.lists = held(document)

    def document_with_values(self):
        for path, methods in self.document["paths"].items():
            for operation in methods.values():
                self.operation(path, operation)
        return self.document

    def operation(self, path, operation):
        done = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
        self.expand = list(expandable(done, self.document["components"]["schemas"]))
        for parameter in operation.get("parameters", []):
            name = parameter["name"]
            parameter["schema"] = self.with_values(parameter["schema"], name, self.own_ids(path, name))
        for content in operation.get("requestBody", {}).get("content", {}).values():
            content["schema"] = self.with_values(content["schema"], "")

    def own_ids(self, path, name):
        """What `/v1/customers/{id}`, and `starting_after` of its list, may say."""
        if name == "inner":
            kind = path.split("/")[-2].removesuffix("s")
            return self.ids[kind]
        return self.lists.get(path.partition("/{")[0]) if name in ("id", "starting_after", "ending_before") else None

    def with_values(self, schema, name, own=None):
        if schema.get("type") == "string" and "enum" not in schema:
            ids = own or self.words(name)
            if ids:
                return {"enum": sorted(ids)}
            return {"anyOf": [{"enum": WORDS[name]}, schema]} if name in WORDS else schema
        changed = dict(schema)
        if "properties" in schema:
            changed["properties"] = {inner: self.with_values(each, inner) for inner, each in schema["properties"].items()}
        if "items" in schema:
            changed["items"] = self.with_values(schema["items"], name)
        if "anyOf" in schema:
            changed["anyOf"] = [self.with_values(each, name, own) for each in schema["anyOf"]]
        return changed

    def words(self, name):
        """`default_tax_rates` are ids of tax rates."""
        if name == "expand":
            return self.expand
        kinds = [kind for kind in self.ids if name.removesuffix("s").endswith(kind.rpartition(".")[2])]
        return {each for kind in kinds for each in self.ids[kind]}


def in_brackets(value, name=""):
    """`{"items": [{"price": "p"}]}` is `{"items[0][price]": "p"}`."""
    if isinstance(value, (dict, list)):
        flat = {}
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            flat.update(in_brackets(inner, f"{name}[{key}]" if name else str(key)))
        return flat
    return {name: str(value).lower() if isinstance(value, bool) else "" if value is None else value}


# schemathesis has its own ways of writing a list, which Stripe's dialect does not know.
@schemathesis.hook
def map_query(context, query):
    return in_brackets(query) if isinstance(query, dict) else query


@schemathesis.serializer("application/x-www-form-urlencoded")
def form(context, value):
    body = urllib.parse.urlencode(in_brackets(value)) if isinstance(value, (dict, list)) else str(value)
    return body.encode()


def main():
    document = Likely(get("/docs/openapi.json")).document_with_values()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "openapi.json")
        with open(path, "w") as file:
            json.dump(document, file)
        os.chdir(folder)
        options = {
            "url": URL,
            "header": "Authorization: " + AUTHORIZATION["Authorization"],
            "phases": PHASES,
            "checks": ",".join(CHECKS),
            "max-examples": CASES,
            "seed": sys.argv[1] if len(sys.argv) > 1 else 1,
            "workers": 1,
            "request-timeout": 30,
            "warnings": "off",
            "generation-database": "none",
        }
        flags = ["--no-color", "--no-shrink", "--continue-on-failure"]
        run(["run", path, *flags, *(f"--{name}={value}" for name, value in options.items())], prog_name="schemathesis")


if __name__ == "__main__":
    main()
