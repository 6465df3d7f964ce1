"""GraphQL over HTTP, by the audits of npm's graphql-http."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conformance.conftest import Front, RunNode

pytestmark = pytest.mark.timeout(300)  # the first test installs the packages

NOT_OFFERED = {
    "5A70": "notice",  # MAY accept GET requests
    "D6D5": "notice",  # MAY allow variables in GET requests, for application/graphql-response+json
    "6A70": "notice",  # MAY allow variables in GET requests, for application/json
}
"""Queries over GET are closed: another site's page could send them."""


async def test_no_audit_fails_or_warns_and_only_optional_get_is_noticed(front: "Front", run_node: "RunNode") -> None:
    results = await run_node("audit.mjs", front.url)

    assert {result["id"]: result["status"] for result in results if result["status"] != "ok"} == NOT_OFFERED, results
    assert len(results) == 61
