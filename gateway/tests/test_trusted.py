"""Known documents may be named by their hashes, and where only those are run nobody's token asks anything else."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import parse
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from chassis.settings import SettingsInvalid
from gateway.documents import Documents
from gateway.limits import measure
from gateway.process import Gateway
from gateway.schema import Graph
from gateway.testing.harness import Watcher
from gateway.testing.stack import Script
from gateway.trusted import TrustedDocuments, canonical, digest_of

UNKNOWN = "query Unknown { me { email } }"
NOTHING = "f" * 64
ACCEPT = {"accept": "application/graphql-response+json"}


def shipped(*names: str) -> dict[str, str]:
    folder = Path(sys.modules[Gateway.__module__].__file__ or "").parent / "manifests"
    files = [file for file in folder.iterdir() if not names or file.stem in names]
    return {digest: text for file in files for digest, text in orjson.loads(file.read_bytes()).items()}


def of_name(name: str) -> tuple[str, str]:
    return next((digest, text) for digest, text in shipped().items() if f"query {name} " in text)


async def asked(script: Script, body: dict[str, Any], token: str = "") -> tuple[int, dict[str, Any]]:
    headers = ACCEPT | ({"authorization": f"Bearer {token}"} if token else {})
    response = await script.gateway.client.post(f"{script.gateway.url}/graphql", json=body, headers=headers)
    return response.status_code, response.json()


def code(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    return answer[0], answer[1]["errors"][0]["extensions"]["code"]


def test_the_committed_manifests_are_current(request: pytest.FixtureRequest) -> None:
    done = subprocess.run(
        [sys.executable, "dev/generate_documents.py", "--check"],
        cwd=request.config.rootpath,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("manifest", ["dashboard", "command", "documentation"])
def test_each_document_of_ours_is_valid_canonical_and_within_every_limit(manifest: str) -> None:
    documents, texts = Documents(Graph().core, development=False), shipped(manifest)

    assert len(texts) > 8
    for digest, text in texts.items():
        prepared = documents.prepare(text)
        (operation,) = prepared.operations.values()
        pages = {size.variable: 100 for product in operation.cost.products for size in product if not size.counts_items}
        assert digest == hashlib.sha256(text.encode()).hexdigest()
        assert [error.message for error in prepared.errors] == []
        assert canonical(prepared.document) == text
        assert operation.cost.of(pages) <= 5_000, text
        assert len(measure(prepared.document)) == 1


def test_canonical_form_is_blind_to_layout_and_type_names() -> None:
    one = parse("query Q { __typename me { ...A ...B } } fragment A on User { id } fragment B on User { email }")
    other = parse(
        "query Q {\n __typename\n me { __typename ...A ...B } }\n"
        "fragment B on User { __typename email } fragment A on User { id __typename }"
    )

    assert canonical(one) == canonical(other)
    assert canonical(one) != canonical(parse("query Q { me { ...A ...B } } fragment A on User { id } "))
    assert "name: __typename" in canonical(parse("{ me { name: __typename } }"))


@pytest.mark.parametrize("mode", ["any", "trusted"])
async def test_a_known_document_may_be_named_by_its_hash(start_script: Any, mode: str) -> None:
    digest, text = of_name("MyId")
    async with start_script(documents=mode) as script:
        token = script.token()
        answers = [
            await asked(script, body, token)
            for body in (
                {"documentId": digest},
                {"documentId": f"sha256:{digest}"},
                {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}},
                {"query": text, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}},
            )
        ]

    assert [status for status, _ in answers] == [200] * 4
    assert sum(script.auth.calls.values()) == 4


@pytest.mark.parametrize("mode", ["any", "trusted"])
async def test_an_unknown_hash_is_not_found_and_never_learnt(start_script: Any, mode: str) -> None:
    digest = digest_of(UNKNOWN)
    async with start_script(documents=mode) as script:
        token, before = script.token(), script.gateway.rpcs()
        by_hash = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}

        first = await asked(script, by_hash, token)
        wrong = await asked(script, {"query": UNKNOWN, "documentId": NOTHING}, token)
        after = script.gateway.rpcs()
        await asked(script, {"query": UNKNOWN, **by_hash}, token)
        again = await asked(script, by_hash, token)

    assert code(first) == code(again) == (400, "PERSISTED_QUERY_NOT_FOUND")
    assert first[1]["errors"][0]["message"] == "PersistedQueryNotFound"
    assert code(wrong) == (400, "PERSISTED_QUERY_HASH_MISMATCH")
    assert after == before


async def test_only_trusted_documents_are_run_for_people_and_strangers(start_script: Any) -> None:
    async with start_script(documents="trusted") as script:
        before = script.gateway.rpcs()
        refused = await asked(script, {"query": UNKNOWN}, script.token())
        stranger = await asked(script, {"query": 'mutation M { logOut(input: {refreshToken: "x"}) { __typename } }'})
        unchanged = script.gateway.rpcs() == before
        machine = await asked(script, {"query": UNKNOWN}, script.token(kind="service_account"))
        ours = await asked(script, {"query": of_name("MyId")[1].replace("\n", " ")}, script.token())

    assert code(refused) == code(stranger) == (400, "DOCUMENT_NOT_TRUSTED")
    assert unchanged
    assert [status for status, _ in (machine, ours)] == [200, 200]


async def test_production_runs_trusted_documents_alone_unless_the_operator_says_otherwise(start_script: Any) -> None:
    codes = {}
    for environment, documents in (("production", None), ("production", "any"), ("development", None)):
        async with start_script(environment=environment, documents=documents) as script:
            _, body = await asked(script, {"query": UNKNOWN}, script.token())
        codes[environment, documents] = body["errors"][0]["extensions"]["code"]

    assert codes == {
        ("production", None): "DOCUMENT_NOT_TRUSTED",
        ("production", "any"): "INTERNAL",  # the service has no script, so it was asked
        ("development", None): "INTERNAL",
    }


async def test_an_operator_adds_documents_of_other_clients(start_script: Any, tmp_path: Path) -> None:
    (tmp_path / "ours.json").write_text(json.dumps({digest_of(UNKNOWN): UNKNOWN}))
    async with start_script(documents="trusted", documents_folder=tmp_path) as script:
        answers = [
            await asked(script, body, script.token())
            for body in ({"query": UNKNOWN}, {"documentId": digest_of(UNKNOWN)}, {"query": UNKNOWN + " "})
        ]

    assert [status for status, _ in answers] == [200, 200, 200]


@pytest.mark.parametrize("content", ['{"abc": "query Q { me { id } }"}', "[1]", "{", f'{{"{digest_of("{")}": "{{"}}'])
def test_a_manifest_that_does_not_hold_is_refused_at_the_start(tmp_path: Path, content: str) -> None:
    (tmp_path / "ours.json").write_text(content)

    with pytest.raises(SettingsInvalid, match="GATEWAY_DOCUMENTS_FOLDER holds what is no manifest"):
        TrustedDocuments.of(tmp_path, alone=True)


async def test_the_same_holds_over_websocket(start_script: Any) -> None:
    digest, _ = of_name("MyId")
    async with (
        start_script(documents="trusted") as script,
        Watcher.connected(script.gateway, script.token()) as watcher,
    ):
        await watcher.receive()
        got = {}
        for name, payload in {
            "known": {"documentId": digest},
            "unknown": {"documentId": NOTHING},
            "text": {"query": UNKNOWN},
        }.items():
            await watcher.send({"id": name, "type": "subscribe", "payload": payload})
            message = await watcher.receive()
            if message["type"] == "next":
                await watcher.receive()  # complete
                got[name] = "answered"
            else:
                got[name] = message["payload"][0]["extensions"]["code"]

    assert got == {"known": "answered", "unknown": "PERSISTED_QUERY_NOT_FOUND", "text": "DOCUMENT_NOT_TRUSTED"}


async def test_connections_of_one_principal_are_bounded(start_script: Any) -> None:
    async with start_script(max_connections=2) as script:
        token, other = script.token(), script.token()
        async with Watcher.connected(script.gateway, token) as one, Watcher.connected(script.gateway, token) as two:
            acknowledged = [(await each.receive())["type"] for each in (one, two)]
            async with Watcher.connected(script.gateway, token) as third:
                closed = await third.close_code()
            async with Watcher.connected(script.gateway, other) as neighbour:
                neighbours = (await neighbour.receive())["type"]
        async with Watcher.connected(script.gateway, token) as again:
            afterwards = (await again.receive())["type"]

    assert acknowledged == ["connection_ack"] * 2
    assert closed == (1013, "Try again later")
    assert neighbours == afterwards == "connection_ack"


@pytest.mark.parametrize(
    ("origin", "status"),
    [(None, 101), ("http://{host}", 101), ("https://evil.example", 403), ("null", 403), ("http://{host}.evil", 403)],
)
async def test_a_page_of_another_origin_opens_no_websocket(script: Script, origin: str | None, status: int) -> None:
    host = script.gateway.url.removeprefix("http://")
    given = Origin(origin.format(host=host)) if origin else None

    try:
        async with connect(
            script.gateway.websocket_url, subprotocols=[Subprotocol("graphql-transport-ws")], origin=given
        ) as connection:
            assert connection.response is not None
            got = connection.response.status_code
    except InvalidStatus as refused:
        got = refused.response.status_code

    assert got == status
