"""Hostile operations and requests: what must be refused before any service hears of it, and with which code."""

import gzip
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
SHA = "a" * 40
TOO_LARGE, TOO_COSTLY = "DOCUMENT_TOO_LARGE", "QUERY_TOO_COSTLY"
UNREADABLE, INVALID, BAD = "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "INVALID_ARGUMENT"


@dataclass(frozen=True)
class Operation:
    """A document and what comes with it."""

    text: str
    code: str
    """Of the refusal."""
    variables: dict[str, Any] = field(default_factory=dict)
    name: str | None = None


@dataclass(frozen=True)
class Request:
    """What is sent to POST /graphql, or to another method of it."""

    content: bytes
    status: int
    code: str
    """Empty where nobody who speaks GraphQL answers."""
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    query: str = ""


def _many(piece: str, count: int) -> str:
    return " ".join(piece.replace("#", str(number)) for number in range(count))


def _nested(opening: str, closing: str, count: int, inner: str = "") -> str:
    return opening * count + inner + closing * count


def _deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(levels):
        found = {"a": found}
    return found


LOG_IN = 'a#: logIn(input: {email: "a@example.com", password: "guess number #"}) { __typename }'
ROWS = "{ nodes { id } }"
PUSH = "mutation M($input: PushCommitsInput!) { pushCommits(input: $input) { __typename } }"
CREATE = "mutation M($input: CreateTicketInput!) { createTicket(input: $input) { __typename } }"
LINK = "mutation M($i: LinkTicketLogsInput!) { linkTicketLogs(input: $i) { __typename } }"
ENTITIES = "query E($r: [_Any!]!) { _entities(representations: $r) { __typename } }"
PAGE = "query Q($first: Int!) { logs(first: $first) { nodes { id } } }"

OPERATIONS = {
    # Depth
    "levels of fields": Operation(
        "{ logs { edges { node { patterns { edges { node { exemplars { pattern { id } } } } } } } } }", TOO_LARGE
    ),
    "levels in a fragment": Operation(
        "{ logs { edges { node { patterns { edges { node { ...P } } } } } } } "
        "fragment P on LogPatternCount { exemplars { pattern { id } } }",
        TOO_LARGE,
    ),
    "levels in inline fragments": Operation(
        "{ logs { edges { ... { node { ... { patterns { edges { node { exemplars { pattern { id } } } } } } } } } } }",
        TOO_LARGE,
    ),
    "fields in fields 300 times": Operation("{ " + _nested("a {", "}", 300, " a ") + " }", UNREADABLE),
    "fragments in fragments 320 times": Operation("{ " + _nested("... {", "}", 320, "__typename") + " }", UNREADABLE),
    "lists in lists as a value": Operation(f"{{ logs(first: {_nested('[', ']', 450)}) {ROWS} }}", UNREADABLE),
    "objects in objects as a value": Operation(
        f"{{ logs(filter: {_nested('{a:', '}', 240, '1')}) {ROWS} }}", UNREADABLE
    ),
    "lists in lists as a type": Operation(f"query($a: {_nested('[', ']', 450, 'Int')}) {{ __typename }}", UNREADABLE),
    # Width
    "tokens": Operation("{ " + "id " * 1_000 + "}", UNREADABLE),
    "type names": Operation("{ " + "__typename " * 1_000 + "}", UNREADABLE),
    "one field a thousand times": Operation("{ me { " + "id " * 1_000 + "} }", UNREADABLE),
    "aliases": Operation("{ " + _many("a#: me { id }", 16) + " }", TOO_LARGE),
    "aliases in fragments": Operation(
        f"{{ ...F ...F }} fragment F on Query {{ {_many('a#: __typename', 8)} }}", TOO_LARGE
    ),
    "log-ins by alias": Operation(f"mutation {{ {_many(LOG_IN, 16)} }}", TOO_LARGE),
    "arguments that nobody knows": Operation(f"{{ me({_many('a#: 1', 150)}) {{ id }} }}", INVALID),
    "variables that nobody uses": Operation(f"query({_many('$a#: Int', 150)}) {{ __typename }}", INVALID),
    "operations": Operation(_many("query Q# { me { id } }", 120), INVALID),
    "operations of one name": Operation(_many("query Q { me { id } }", 50), INVALID),
    "an operation that is not there": Operation("query A { me { id } } query B { me { id } }", INVALID, name="C"),
    "a long name": Operation("{ " + "a" * 90_000 + " }", INVALID),
    "a longer name": Operation("{ " + "a" * 1_000_000 + " }", TOO_LARGE),
    "a long comment": Operation("#" + "x" * 1_000_000 + "\n{ me { id } }", TOO_LARGE),
    "commas": Operation("," * 1_000_000 + "{ me { id } }", TOO_LARGE),
    "a block of lines": Operation('{ ticket(id: """' + " \n" * 300_000 + '""") { id } }', TOO_LARGE),
    "comments as tokens": Operation("#\n" * 1_200 + "{ me { id } }", UNREADABLE),
    # Fragments
    "a fragment in itself": Operation("{ ...F } fragment F on Query { me { id } ...F }", INVALID),
    "three fragments in a circle": Operation(
        "{ ...A } fragment A on Query { me { id } ...B } fragment B on Query { ...C } fragment C on Query { ...A }",
        INVALID,
    ),
    "doubling fragments": Operation(
        "{ ...F0 } "
        + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
        + " fragment F60 on Query { a: me { id } }",
        TOO_LARGE,
    ),
    "doubling pages": Operation(
        "{ ...F0 } "
        + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
        + f" fragment F60 on Query {{ logs {ROWS} }}",
        TOO_COSTLY,
    ),
    "fragments that nobody uses": Operation(
        "{ me { id } } " + _many("fragment F# on Query { me { id } }", 90), INVALID
    ),
    "fields that cannot be one": Operation("{ " + _many("logs(first: #) { nodes { id } }", 80) + " }", INVALID),
    # Directives
    "directives": Operation("{ me " + "@include(if: true) " * 10 + "{ id } }", TOO_LARGE),
    "skip and include": Operation(
        "{ me { " + _many("a#: id @skip(if: false) @include(if: true)", 6) + " } }", TOO_LARGE
    ),
    "directives that nobody knows": Operation("{ me " + _many("@a#", 200) + " { id } }", TOO_LARGE),
    "defer": Operation("{ ... @defer { me { id } } }", INVALID),
    "stream": Operation("{ logs { nodes @stream { id } } }", INVALID),
    # Cost
    "a large page": Operation(f"{{ logs(first: 1000000) {ROWS} }}", TOO_COSTLY),
    "a large page by variable": Operation(PAGE, TOO_COSTLY, {"first": 2_147_483_647}),
    "a large page by default": Operation(f"query($n: Int! = 100000) {{ logs(first: $n) {ROWS} }}", TOO_COSTLY),
    "a large page beside one below nothing": Operation(
        f"{{ a: logs(first: -1000000) {ROWS} b: changelogs(first: 5000) {ROWS} }}", TOO_COSTLY
    ),
    "more than an Int": Operation("{ logs(first: 9999999999) { nodes { id } } }", INVALID),
    "more than an Int by variable": Operation(PAGE, TOO_COSTLY, {"first": 1e300}),
    "digits": Operation("{ logs(first: " + "9" * 90_000 + ") { nodes { id } } }", INVALID),
    "pages in pages": Operation(
        "{ logs(first: 100) { nodes { tickets(first: 100) { comments(first: 100) { nodes { id } } } } } }", TOO_COSTLY
    ),
    "many pages": Operation(
        "{ " + _many("a#: tickets(first: 100) { nodes { assignee { id } logs { id } } }", 12) + " }",
        TOO_COSTLY,
    ),
    "entities": Operation(ENTITIES, TOO_COSTLY, {"r": [{"__typename": "Log", "id": str(n)} for n in range(10_000)]}),
    "commits": Operation(
        PUSH, TOO_COSTLY, {"input": {"repository": "a", "commits": [{"sha": SHA, "message": "a"}] * 10_000}}
    ),
    "ids in the input of a write": Operation(
        LINK,
        TOO_COSTLY,
        {"i": {"ticketId": "a", "expectedVersion": 1, "logIds": ["a"] * 10_000}},
    ),
    # Variables
    "a variable of another type": Operation(PAGE, INVALID, {"first": {"a": 1}}),
    "a variable that is missing": Operation(PAGE, INVALID),
    "deep variables": Operation(CREATE, INVALID, {"input": _deep(150)}),
    "prototypes": Operation(
        CREATE, INVALID, {"input": {"title": "a", "message": "b", "__proto__": {"isAdmin": True}, "constructor": {}}}
    ),
    "fields that nobody knows": Operation(CREATE, INVALID, {"input": {f"a{n}": n for n in range(4_000)}}),
    # What is not there, or not for everybody
    "types that nobody knows": Operation("query($a: Secret) { logs(filter: $a) { nodes { id } } }", INVALID),
    "fields that are not there": Operation("{ users { nodes { passwordHash } } }", INVALID),
    "a subscription of many fields": Operation(
        'subscription { logUpdates(logId: "a") { id } ticketUpdates(ticketId: "a") { id } }', INVALID
    ),
    "letters that look alike": Operation("{ \u043c\u0435 { id } }", UNREADABLE),
    "wide letters": Operation("{ \uff4d\uff45 { id } }", UNREADABLE),
    "letters without width": Operation("{ m\u200be { id } }", UNREADABLE),
    "a zero character": Operation("{ me\0 { id } }", UNREADABLE),
    "half a character": Operation('{ ticket(id: "\\ud800") { id } }', UNREADABLE),
    "definitions of types": Operation("type Query { a: Int } extend type User { password: String }", INVALID),
}

CIRCLE = (
    "{ __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }"
)
IN_DEVELOPMENT = OPERATIONS | {"introspection in a circle": Operation(CIRCLE, INVALID)}
IN_PRODUCTION = OPERATIONS | {
    "introspection in a circle": Operation(CIRCLE, "INTROSPECTION_OFF"),
    "introspection": Operation("{ __schema { types { name } } }", "INTROSPECTION_OFF"),
    "introspection of a type": Operation('{ __type(name: "User") { fields { name } } }', "INTROSPECTION_OFF"),
    "introspection in a fragment": Operation(
        "{ ...F } fragment F on Query { a: __schema { types { name } } }", "INTROSPECTION_OFF"
    ),
}
ME = {"query": "{ me { id } }"}
PLAIN = json.dumps(ME).encode()
FORM = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
UPLOAD = (
    FORM % (b"operations", json.dumps({**ME, "variables": {"f": None}}).encode())
    + FORM % (b"map", b'{"0": ["variables.f"]}')
    + FORM % (b"0", b"file")
    + b"--x--\r\n"
)
MAXIMUM = 1_500_000


def _typed(content_type: str, content: bytes = PLAIN) -> Request:
    return Request(content, 415, "BAD_REQUEST", {"content-type": content_type})


def _by_hash(digest: object) -> bytes:
    return json.dumps({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}).encode()


REQUESTS = {
    "a batch": Request(json.dumps([ME, ME]).encode(), 400, BAD),
    "variables as deep as JSON may be": Request(
        json.dumps({"query": CREATE, "variables": {"input": 0}})
        .replace("0", _nested('{"a":', "}", 1_000, "1"))
        .encode(),
        400,
        INVALID,
    ),
    "lists in variables as deep as JSON may be": Request(
        json.dumps({"query": LINK, "variables": {"i": {"ticketId": "a", "expectedVersion": 1, "logIds": 0}}})
        .replace("0", _nested("[", "]", 1_000))
        .encode(),
        400,
        INVALID,
    ),
    "a batch of a thousand log-ins": Request(json.dumps([ME] * 1_000).encode(), 400, BAD),
    "lists in lists": Request(_nested("[", "]", 100_000).encode(), 400, BAD),
    "objects in objects": Request(_nested('{"a":', "}", 100_000, "1").encode(), 400, BAD),
    "no JSON": Request(b"query { me { id } }", 400, BAD),
    "no text": Request(b"\xff\xfe" + PLAIN, 400, BAD),
    "half a character in JSON": Request(b'{"query": "{ me { id } } \\ud800"}', 400, BAD),
    "not a number": Request(b'{"query": "{ me { id } }", "variables": {"a": NaN}}', 400, BAD),
    "a document that is a list": Request(b'{"query": ["{ me { id } }"]}', 400, BAD),
    "variables that are a text": Request(b'{"query": "{ me { id } }", "variables": "{}"}', 400, BAD),
    "an operation name that is an object": Request(b'{"query": "{ me { id } }", "operationName": {"a": 1}}', 400, BAD),
    "extensions that are a list": Request(b'{"query": "{ me { id } }", "extensions": [1]}', 400, BAD),
    "a large body": Request(b'{"query": "' + b" " * MAXIMUM + b'"}', 413, "BODY_TOO_LARGE"),
    "a gzip bomb": Request(gzip.compress(bytes(50_000_000)), 400, BAD, {"content-encoding": "gzip"}),
    "a deflate bomb": Request(zlib.compress(bytes(50_000_000)), 400, BAD, {"content-encoding": "deflate"}),
    "a packed operation": Request(gzip.compress(PLAIN), 400, BAD, {"content-encoding": "gzip"}),
    "a form": _typed("application/x-www-form-urlencoded", b"query=%7B+me+%7B+id+%7D+%7D"),
    "JSON that is said to be text": _typed("text/plain"),
    "JSON that is said to be text for scripts": _typed("text/json"),
    "JSON that is said to be a form": _typed("application/x-www-form-urlencoded; application/json"),
    "JSON after text": _typed("text/plain, application/json"),
    "a document alone": _typed("application/graphql", b"{ me { id } }"),
    "an upload": _typed("multipart/form-data; boundary=x", UPLOAD),
    "an upload for batches": _typed("multipart/mixed; boundary=x", UPLOAD),
    "no type": Request(PLAIN, 415, "BAD_REQUEST", {"content-type": ""}),
    "a hash that nobody knows": Request(_by_hash("f" * 64), 400, "PERSISTED_QUERY_NOT_FOUND"),
    "a hash that is a path": Request(_by_hash("../../command.json"), 400, "PERSISTED_QUERY_NOT_FOUND"),
    "a long hash": Request(_by_hash("f" * 1_000_000), 400, "PERSISTED_QUERY_NOT_FOUND"),
    "a hash that is a list": Request(_by_hash(["f" * 64]), 400, BAD),
    "the hash of another document": Request(
        json.dumps({**ME, "documentId": "f" * 64}).encode(), 400, "PERSISTED_QUERY_HASH_MISMATCH"
    ),
    "a subscription over HTTP": Request(b'{"query": "subscription { logUpdates(logId: 1) { id } }"}', 400, INVALID),
    "a query in the address": Request(b"", 405, "", method="GET", query="query={me{id}}"),
    "a write in the address": Request(b"", 405, "", method="GET", query="query=mutation{logOut(input:{}){__typename}}"),
    "another method by header": Request(b"", 405, "", {"x-http-method-override": "POST"}, "GET", "query={me{id}}"),
    "PUT": Request(PLAIN, 405, "", method="PUT"),
    "OPTIONS": Request(b"", 405, "", {"access-control-request-method": "POST"}, "OPTIONS"),
}
