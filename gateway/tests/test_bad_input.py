"""What clients send by mistake or on purpose: named refusals with the path of the field, and nothing stored."""

from typing import Any

import pytest

from gateway.testing.stack import Stack

NOTHING = (
    "{ tickets { nodes { id } } commits { nodes { sha } } deployments { nodes { id } } changelogs { nodes { id } } }"
)
SHA = "a" * 40

BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("createTicket", {"title": "", "message": ""}, "INVALID_ARGUMENT", "title"),
    ("createTicket", {"title": "a\nb", "message": ""}, "INVALID_ARGUMENT", "title"),
    ("createTicket", {"title": "a", "message": "x" * 200_000}, "INVALID_ARGUMENT", "message"),
    ("createTicket", {"title": "a", "message": "b\0c"}, "INVALID_ARGUMENT", "message"),
    ("createTicket", {"title": "a", "message": "", "source": "A B"}, "INVALID_ARGUMENT", "source"),
    ("createTicket", {"title": "a", "message": "", "logIds": ["no-id"]}, "INVALID_ARGUMENT", "logIds.0"),
    (
        "createTicket",
        {"title": "a", "message": "", "reporter": {"externalEmail": "no address"}},
        "INVALID_ARGUMENT",
        "reporter.externalEmail",
    ),
    (
        "pushCommits",
        {"repository": "shop", "commits": [{"sha": SHA, "message": "fix: a"}, {"sha": "A", "message": "b"}]},
        "COMMIT_INVALID",
        "commits.1.sha",
    ),
    (
        "pushCommits",
        {"repository": "shop", "commits": [{"sha": SHA, "message": "x" * 1_000_000}]},
        "COMMIT_INVALID",
        "commits.0.message",
    ),
    (
        "pushCommits",
        {"repository": "shop", "commits": [{"sha": f"{number:040x}", "message": "a"} for number in range(1_001)]},
        "TOO_MANY_COMMITS",
        "commits",
    ),
    ("pushCommits", {"repository": "", "commits": [{"sha": SHA, "message": "a"}]}, "INVALID_ARGUMENT", "repository"),
    (
        "generateChangelog",
        {"repository": "shop", "range": {"toRef": "v1.0.0"}},
        "REPOSITORY_NOT_FOUND",
        "repository",
    ),
    (
        "generateChangelog",
        {"repository": "shop", "commits": [{"sha": SHA, "message": "fix: a"}], "previousVersion": "one"},
        "VERSION_NAME_INVALID",
        "previousVersion",
    ),
    ("recordDeployment", {"service": "a", "version": "b" * 201}, "INVALID_ARGUMENT", "version"),
    ("recordDeployment", {"service": "a", "version": "1", "repository": "no"}, "REPOSITORY_NOT_FOUND", "repository"),
    ("recordDeployment", {"service": "a", "version": "1", "url": "javascript:alert(1)"}, "INVALID_ARGUMENT", "url"),
]


async def test_bad_input_is_refused_with_the_path_of_its_field_and_nothing_is_stored(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)

        refused = []
        for field, given, _code, _path in BAD:
            result = await gateway.mutate(field, "__typename", token=admin.token, **given)
            refused.append((result.get("code"), [each["path"] for each in result.get("fields", ())]))

        assert refused == [(code, [path]) for _field, _given, code, path in BAD]
        stored = await gateway.data(NOTHING, token=admin.token)
        assert stored == {name: {"nodes": []} for name in ("tickets", "commits", "deployments", "changelogs")}


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udfff tail"'], ids=["high half", "low half"])
async def test_half_a_character_is_refused_before_anything_is_asked(stack: Stack, text: str) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        before = gateway.rpcs()
        document = "mutation M($i: CreateTicketInput!) { createTicket(input: $i) { __typename } }"

        response = await gateway.client.post(
            f"{gateway.url}/graphql",
            content=f'{{"query": "{document}", "variables": {{"i": {{"title": {text}, "message": ""}}}}}}',
            headers={"content-type": "application/json", "authorization": f"Bearer {admin.token}"},
        )

        assert response.json()["errors"][0]["extensions"]["code"] == "INVALID_ARGUMENT"
        assert gateway.rpcs() == before


async def test_markup_is_kept_as_the_text_that_it_is(stack: Stack) -> None:
    async with stack.gateway() as gateway:
        admin = await stack.admin(gateway)
        markup = "<script>alert(1)</script> [a](javascript:b) ${c} {{d}}"

        ticket = await gateway.mutate(
            "createTicket", "ticket { title message }", token=admin.token, title=markup, message=markup
        )
        changelog = await gateway.mutate(
            "generateChangelog",
            "changelog { markdown entries { text } }",
            token=admin.token,
            repository="shop",
            commits=[{"sha": SHA, "message": f"fix: {markup}"}],
        )

        assert ticket["ticket"] == {"title": markup, "message": markup}
        assert "<script>" not in changelog["changelog"]["markdown"]
