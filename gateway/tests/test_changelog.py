"""Changelogs, commits and deployments on the real services: from pushed commits to a published page."""

import asyncio
from typing import Any

from gateway.testing.harness import RunningGateway
from gateway.testing.stack import Person, Stack

COMMITS = [
    {
        "sha": "c" * 40,
        "message": "fix(pay)!: round amounts to cents\n\nBREAKING CHANGE: amounts are strings\n\nRefs: #12",
        "authorName": "Ada",
        "authorEmail": "ADA@example.com",
        "committedAt": "2026-01-03T00:00:00Z",
        "parentShas": ["b" * 40],
        "tags": ["v2.0.0"],
    },
    {
        "sha": "b" * 40,
        "message": "feat: pay by card",
        "authorName": "Nobody",
        "authorEmail": "nobody@example.com",
        "committedAt": "2026-01-02T00:00:00Z",
        "parentShas": ["a" * 40],
    },
    {
        "sha": "a" * 40,
        "message": "chore: begin",
        "committedAt": "2026-01-01T00:00:00Z",
        "tags": ["v1.0.0"],
    },
]
CHANGELOG = """
query C($id: ID!) { changelog(id: $id) {
  version state bump bumpSha previousVersion nextVersion commitCount fromRef toRef highlightState
  repository { name commitCount }
  entries { section text scope breaking commitShas references }
  excluded { sha reason }
  highlights { highlights { references } run { task } }
  commits { sha author { email } repository { name } }
  deployments { version createdBy { email } }
  createdBy { email } publishedBy { email }
} }
"""


async def push(gateway: RunningGateway, person: Person, commits: list[dict[str, Any]]) -> dict[str, Any]:
    return await gateway.mutate(
        "pushCommits",
        "newCommitCount repository { id version name commitCount services }",
        token=person.token,
        repository="shop/checkout",
        services=["checkout"],
        commits=commits,
    )


async def highlighted(gateway: RunningGateway, person: Person, changelog_id: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            found: dict[str, Any] = (await gateway.data(CHANGELOG, {"id": changelog_id}, token=person.token))[
                "changelog"
            ]
            if found["highlightState"] != "PENDING":
                return found
            await asyncio.sleep(0.2)


async def test_pushed_commits_become_a_published_changelog(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        hr = await stack.join(gateway, admin, "hr@example.com", "HR")

        pushed = await push(gateway, admin, COMMITS)
        deployed = await gateway.mutate(
            "recordDeployment",
            "deployment { id environment repository { name } }",
            token=admin.token,
            service="checkout",
            version="2.0.0",
            repository="shop/checkout",
            sha="c" * 40,
        )
        made = await gateway.mutate(
            "generateChangelog",
            "changelog { id version state }",
            token=admin.token,
            repository="shop/checkout",
            range={"fromRef": "v1.0.0", "toRef": "v2.0.0"},
        )
        draft = await highlighted(gateway, admin, made["changelog"]["id"])
        published = await gateway.mutate(
            "publishChangelog",
            "changelog { state publishedBy { email } }",
            token=admin.token,
            changelogId=made["changelog"]["id"],
            expectedVersion=draft["version"],
        )
        for_hr = await gateway.data(CHANGELOG, {"id": made["changelog"]["id"]}, token=hr.token)

        assert (pushed["newCommitCount"], pushed["repository"]["services"]) == (3, ["checkout"])
        assert deployed["deployment"]["repository"] == {"name": "shop/checkout"}
        assert (draft["bump"], draft["bumpSha"], draft["previousVersion"], draft["nextVersion"]) == (
            "MAJOR",
            "c" * 40,
            "v1.0.0",
            "v2.0.0",
        )
        assert sorted(sha for entry in draft["entries"] for sha in entry["commitShas"]) == ["b" * 40, "c" * 40]
        assert draft["excluded"] == []
        assert draft["highlightState"] == "READY"
        assert draft["highlights"]["run"] == {"task": "word_highlights"}
        assert {name for each in draft["highlights"]["highlights"] for name in each["references"]} == {"#12"}
        assert [(commit["sha"][0], commit["author"]) for commit in draft["commits"]] == [
            ("c", {"email": admin.email}),
            ("b", None),
        ]
        assert draft["deployments"] == [{"version": "2.0.0", "createdBy": {"email": admin.email}}]
        assert published["changelog"] == {"state": "PUBLISHED", "publishedBy": {"email": admin.email}}
        # An address that hr may not see names nobody to hr.
        assert [commit["author"] for commit in for_hr["changelog"]["commits"]] == [None, None]


async def test_bad_commit_is_refused_with_the_path_of_its_field_and_nothing_is_stored(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)

        result = await push(gateway, admin, [*COMMITS[:1], {**COMMITS[1], "message": "x" * 100_001}])

        assert (result["__typename"], result["code"]) == ("ValidationError", "COMMIT_INVALID")
        assert [field["path"] for field in result["fields"]] == ["commits.1.message"]
        data = await gateway.data("{ commits { nodes { sha } } repositories { nodes { name } } }", token=admin.token)
        assert data == {"commits": {"nodes": []}, "repositories": {"nodes": []}}


async def test_lists_are_narrowed_and_paged(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        await push(gateway, admin, COMMITS)
        query = """query L($after: String) {
          commits(repository: "SHOP/checkout", first: 2, after: $after) { nodes { sha } pageInfo { endCursor } }
          found: commits(text: "card") { nodes { sha } }
          repositories(name: "Shop/Checkout") { nodes { name } }
          changelogs(state: PUBLISHED) { nodes { id } }
          deployments(service: "checkout", environment: "production") { nodes { id } }
        }"""

        first = await gateway.data(query, token=admin.token)
        second = await gateway.data(query, {"after": first["commits"]["pageInfo"]["endCursor"]}, token=admin.token)

        assert [node["sha"][0] for node in first["commits"]["nodes"] + second["commits"]["nodes"]] == ["c", "b", "a"]
        assert [node["sha"][0] for node in first["found"]["nodes"]] == ["b"]
        assert first["repositories"]["nodes"] == [{"name": "shop/checkout"}]
        assert (first["changelogs"], first["deployments"]) == ({"nodes": []}, {"nodes": []})
