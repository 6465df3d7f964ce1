"""Commits that are no good, or only look so: refused by name with the field's path, or accounted for."""

import time
from typing import Any
from uuid import uuid4

import pytest
from tests.e2e.client import Census, Client
from tests.e2e.conftest import ONE_PROCESS

pytestmark = pytest.mark.parametrize("stack", [ONE_PROCESS], indirect=True)

PARTS = """
changelog {
  id version state bump bumpSha nextVersion commitCount markdown
  entries { section text breaking commitShas references }
  excluded { sha subject reason detail }
}
"""


def sha(number: int) -> str:
    return f"{number:040x}"


def generated(client: Client, commits: list[dict[str, Any]], **values: Any) -> dict[str, Any]:
    member = client.mutate("generateChangelog", PARTS, repository=f"shop/{uuid4().hex[:8]}", commits=commits, **values)
    assert member["__typename"] == "GenerateChangelogSuccess", member
    changelog: dict[str, Any] = member["changelog"]
    return changelog


def highlighted(client: Client, changelog_id: str) -> None:
    """Return when nothing is on its way to the draft any more."""
    until = time.monotonic() + 60
    document = "query($id: ID!) { changelog(id: $id) { highlightState } }"
    while client.data(document, {"id": changelog_id})["changelog"]["highlightState"] == "PENDING":
        assert time.monotonic() < until
        time.sleep(0.1)


def accounted(changelog: dict[str, Any]) -> list[str]:
    in_entries = [each for entry in changelog["entries"] for each in entry["commitShas"]]
    return sorted(in_entries + [each["sha"] for each in changelog["excluded"]])


REFUSED: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "no commit at all": ([], "INVALID_ARGUMENT", "commits"),
    "1,001 commits": ([{"sha": sha(i), "message": "fix: it"} for i in range(1001)], "TOO_MANY_COMMITS", "commits"),
    "a message of a megabyte": (
        [{"sha": sha(1), "message": "fix: it"}, {"sha": sha(2), "message": "x" * 1_000_000}],
        "COMMIT_INVALID",
        "commits.1.message",
    ),
    "a hash that is none": ([{"sha": "not a hash", "message": "fix: it"}], "COMMIT_INVALID", "commits.0.sha"),
    "one hash twice": (
        [{"sha": sha(1), "message": "fix: it"}, {"sha": sha(1), "message": "fix: that"}],
        "COMMIT_INVALID",
        "commits.1.sha",
    ),
}


@pytest.mark.parametrize("mutation", ["pushCommits", "generateChangelog"])
@pytest.mark.parametrize("name", REFUSED)
def test_commits_that_cannot_be_taken_are_refused_and_leave_nothing(
    admin: Client, census: Census, name: str, mutation: str
) -> None:
    commits, code, path = REFUSED[name]
    before = census.take()

    member = admin.mutate(mutation, repository="shop/refused", commits=commits)

    assert (member["__typename"], member["code"]) == ("ValidationError", code), member
    assert [field["path"] for field in member["fields"]] == [path]
    assert census.take() == before


def test_every_commit_is_in_one_entry_or_left_out_with_a_reason(admin: Client) -> None:
    commits: list[dict[str, Any]] = [
        {"sha": sha(9), "message": ""},
        {"sha": sha(8), "message": "\n\n"},
        {"sha": sha(7), "message": "Merge branch 'feature'", "parentShas": [sha(6), sha(5)]},
        {"sha": sha(6), "message": "feat(cart)!: drop the old basket (#12)\n\nBREAKING CHANGE: move baskets first"},
        {"sha": sha(5), "message": "Fix <script>alert(1)</script> in the footer", "tags": ["v1.1.0", "latest"]},
        {"sha": sha(4), "message": "chore(deps): bump x from 1 to 2"},
        {"sha": sha(3), "message": "Add a way to pay by invoice"},
        {"sha": sha(2), "message": "docs: spelling"},
    ]

    changelog = generated(admin, commits, previousVersion="1.0.0")

    assert accounted(changelog) == sorted(commit["sha"] for commit in commits)
    assert changelog["commitCount"] == 8
    assert (changelog["bump"], changelog["bumpSha"], changelog["nextVersion"]) == ("MAJOR", sha(6), "2.0.0")
    assert {each["sha"]: each["reason"] for each in changelog["excluded"]} == {
        sha(9): "MEANINGLESS",
        sha(8): "MEANINGLESS",
        sha(7): "MERGE",
        sha(4): "DEPENDENCY",
        sha(2): "DOCUMENTATION",
    }
    assert "<script>" not in changelog["markdown"]
    assert [entry["references"] for entry in changelog["entries"] if entry["breaking"]] == [["#12"]]


def test_draft_is_published_once_and_by_its_version(admin: Client) -> None:
    draft = generated(admin, [{"sha": sha(1), "message": "feat: pay by invoice"}])
    # Highlights that come later than the publishing would be kept as a suggestion, which is a version more.
    highlighted(admin, draft["id"])

    stale = admin.mutate("publishChangelog", "changelog { state }", changelogId=draft["id"], expectedVersion=99)
    member = admin.mutate(
        "publishChangelog", "changelog { state version }", changelogId=draft["id"], expectedVersion=draft["version"]
    )
    if member["__typename"] == "VersionConflict":  # the highlights came in between
        member = admin.mutate(
            "publishChangelog", "changelog { state version }", changelogId=draft["id"], expectedVersion=member["actual"]
        )
    again = admin.mutate("publishChangelog", changelogId=draft["id"], expectedVersion=member["changelog"]["version"])

    assert (stale["__typename"], stale["expected"]) == ("VersionConflict", 99)
    assert member["changelog"]["state"] == "PUBLISHED"
    assert (again["__typename"], again["code"]) == ("ConflictError", "CHANGELOG_PUBLISHED")


@pytest.mark.parametrize(
    ("values", "code", "path"),
    [
        ({"service": ""}, "INVALID_ARGUMENT", "service"),
        ({"version": ""}, "INVALID_ARGUMENT", "version"),
        ({"url": "javascript:alert(1)"}, "INVALID_ARGUMENT", "url"),
        ({"sha": "not a hash"}, "INVALID_ARGUMENT", "sha"),
        ({"deployedAt": "2999-01-01T00:00:00Z"}, "INVALID_ARGUMENT", "deployedAt"),
    ],
)
def test_deployment_that_cannot_be_taken_is_refused_and_leaves_nothing(
    admin: Client, census: Census, values: dict[str, Any], code: str, path: str
) -> None:
    before = census.take()

    member = admin.mutate("recordDeployment", **{"service": "checkout", "version": "1.0.0", **values})

    assert (member["__typename"], member["code"]) == ("ValidationError", code)
    assert [field["path"] for field in member["fields"]] == [path]
    assert census.take() == before
