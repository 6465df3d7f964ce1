"""The main job through the graph, on the real services: paste, patterns, cited sentences, status."""

import asyncio
from typing import Any

from gateway.testing.harness import RunningGateway
from gateway.testing.stack import Stack

LINES = "\n".join(
    [
        *(f"2026-03-01T10:00:{i:02d}Z INFO web request {i} served in {i * 3} ms" for i in range(40)),
        *(f"2026-03-01T10:01:{i:02d}Z ERROR db connection to replica {i} refused" for i in range(12)),
    ]
)

LOG = """
id version name state status severity recordCount lineCount patternCount tags notes
createdBy { id email displayName } createdByActor { kind id }
summary {
  engine model fallbackReason replacedSentenceCount evidenceDigest
  run { id task engine inputDigest }
  sentences { text engine entryKeys recordIds records { id lineNumber body severity pattern { template } } }
}
"""


async def summarized(gateway: RunningGateway, token: str, log_id: str) -> dict[str, Any]:
    query = f"query L($id: ID!) {{ log(id: $id) {{ {LOG} }} }}"
    async with asyncio.timeout(30):
        while True:
            log: dict[str, Any] = (await gateway.data(query, {"id": log_id}, token=token))["log"]
            if log["state"] != "RECEIVED":
                return log
            await asyncio.sleep(0.1)


async def test_pasted_log_becomes_a_summary_whose_sentences_cite_its_lines(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        ops = await stack.join(gateway, admin, "ops@example.com")

        received = await gateway.mutate("summarizeLog", f"log {{ {LOG} }}", token=ops.token, name="web.log", text=LINES)
        log = await summarized(gateway, ops.token, received["log"]["id"])

        assert received["log"]["state"] == "RECEIVED"
        assert received["log"]["summary"] is None
        assert (log["state"], log["name"], log["recordCount"], log["lineCount"]) == ("SUMMARIZED", "web.log", 52, 52)
        assert log["severity"] == "ERROR"
        assert log["createdBy"] == {"id": ops.id, "email": "ops@example.com", "displayName": "ops"}
        assert log["createdByActor"] == {"kind": "USER", "id": ops.id}
        assert (log["summary"]["engine"], log["summary"]["model"]) == ("builtin", None)
        assert log["summary"]["run"]["task"] == "summarize_evidence"
        assert log["summary"]["run"]["inputDigest"] == log["summary"]["evidenceDigest"]
        assert log["summary"]["sentences"]
        for sentence in log["summary"]["sentences"]:
            assert [record["id"] for record in sentence["records"]] == sentence["recordIds"]
            assert sentence["recordIds"]
