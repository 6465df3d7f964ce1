"""`aiops changelogs` against an answering gateway, with ranges of real git repositories."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli.tests.conftest import Gateway, answer, git, inputs
from typer.testing import CliRunner

from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure

ID = "0198c0de-0000-7000-8000-000000000001"
SHA = "a" * 40
CHANGELOG: dict[str, Any] = {
    "id": ID,
    "version": 2,
    "state": "DRAFT",
    "fromRef": "v1.4.0",
    "toRef": "v1.5.0",
    "bump": "MINOR",
    "bumpSha": SHA,
    "previousVersion": "1.4.0",
    "nextVersion": "1.5.0",
    "commitCount": 4,
    "createdAt": "2026-11-20T10:00:00Z",
    "publishedAt": None,
    "repository": {"name": "shop/checkout"},
    "entries": [
        {
            "key": "c1",
            "section": "ADDED",
            "text": "Pay with \x1b[2J vouchers",
            "scope": "pay",
            "breaking": True,
            "breakingNote": "Set VOUCHERS=on.",
            "commitShas": [SHA, "b" * 40],
            "references": ["#12"],
        }
    ],
    "excluded": [
        {"sha": "c" * 40, "subject": "", "reason": "MEANINGLESS", "detail": "no subject"},
        {"sha": "d" * 40, "subject": "Merge x", "reason": "MERGE", "detail": "its commits stand for themselves"},
    ],
    "highlightState": "READY",
    "highlightFailure": None,
    "highlights": {
        "engine": "builtin",
        "model": None,
        "fallbackReason": None,
        "replacedCount": 0,
        "highlights": [{"text": "Pay with vouchers.", "entryKeys": ["c1"], "engine": "builtin", "references": ["#12"]}],
    },
}


@pytest.fixture(autouse=True)
def machine(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_TOKEN", "aiops_token")
    monkeypatch.setenv("AIOPS_URL", gateway.url)


def test_generate_prints_accounts_highlights_and_entries(runner: CliRunner, gateway: Gateway) -> None:
    gateway.answers = [answer(generateChangelog={"__typename": "GenerateChangelogSuccess", "changelog": CHANGELOG})]

    done = runner.invoke(
        app, ["changelogs", "generate", "v1.4.0..v1.5.0", "--repository", "shop/checkout", "--excluded"]
    )

    assert done.exit_code == 0, done.output
    [sent] = inputs(gateway)
    assert (sent["repository"], sent["range"]) == ("shop/checkout", {"fromRef": "v1.4.0", "toRef": "v1.5.0"})
    assert done.stdout.splitlines() == [
        f"shop/checkout v1.5.0  {ID}",
        "v1.4.0..v1.5.0, draft, version 2",
        "4 commits = 2 in 1 entry + 2 left out",
        "minor: 1.4.0 -> 1.5.0, decided by aaaaaaaaaa",
        "",
        "Highlights  by the builtin engine",
        "  \u2022 Pay with vouchers. (#12)",
        "",
        "Added",
        "  \u2022 BREAKING pay: Pay with \ufffd[2J vouchers  aaaaaaaaaa, bbbbbbbbbb, #12",
        "    Set VOUCHERS=on.",
        "",
        "Left out",
        "  cccccccccc  (no subject)  without meaning: no subject",
        "  dddddddddd  Merge x  merges: its commits stand for themselves",
        "",
        f"A draft. Publish it: aiops changelogs publish {ID}",
    ]


def test_generate_of_a_local_history_sends_its_commits(runner: CliRunner, gateway: Gateway, repo: Path) -> None:
    gateway.answers = [answer(generateChangelog={"__typename": "GenerateChangelogSuccess", "changelog": CHANGELOG})]
    git(repo, "commit", "--quiet", "--allow-empty", "-m", "fix: more")

    done = runner.invoke(
        app,
        ["changelogs", "generate", "v1.0.0..HEAD", "--repository", "shop", "--local", "--repo", str(repo), "--json"],
    )

    assert done.exit_code == 0, done.output
    [sent] = inputs(gateway)
    assert [commit["message"].strip() for commit in sent["commits"]] == ["fix: more"]
    assert (sent["previousVersion"], "range" in sent) == ("v1.0.0", False)
    assert json.loads(done.stdout)["id"] == ID


def test_head_goes_as_the_hash_that_it_is_here(runner: CliRunner, gateway: Gateway, repo: Path) -> None:
    refusal = {"__typename": "ConflictError", "code": "HISTORY_INCOMPLETE", "message": "it is not whole"}
    gateway.answers = [answer(generateChangelog=refusal)]

    done = runner.invoke(app, ["changelogs", "generate", "v1..HEAD", "--repository", "shop", "--repo", str(repo)])

    assert inputs(gateway)[0]["range"] == {"fromRef": "v1", "toRef": git(repo, "rev-parse", "HEAD")}
    assert isinstance(done.exception, Failure)
    assert done.exception.message == "it is not whole. Push: aiops commits push --repository shop"


@pytest.mark.parametrize("command", [["changelog"], ["changelogs", "generate", "--repository", "shop"]])
@pytest.mark.parametrize(("text", "meant"), [("v1", "v1..HEAD"), ("v1...v2", "v1..v2"), ("HEAD", "..HEAD")])
def test_what_is_no_range_says_how_one_is_written(
    runner: CliRunner, gateway: Gateway, repo: Path, command: list[str], text: str, meant: str
) -> None:
    done = runner.invoke(app, [*command, text, "--repo", str(repo)])

    assert isinstance(done.exception, Failure)
    assert (done.exception.code, gateway.asked) == (ExitCode.USAGE, [])
    assert done.exception.message == f"{text} is no range. Write A..B, for what B has and A does not: {meant}"


@pytest.mark.parametrize(
    ("text", "from_ref", "to_ref"),
    [
        ("", "v1.0.0", "HEAD"),
        ("..", "v1.0.0", "HEAD"),
        ("v1.0.0..", "v1.0.0", "HEAD"),
        ("..v1.0.0", None, "v1.0.0"),
        ("HEAD~1..main", "HEAD~1", "HEAD"),
        ("v9.0.0..v9.1.0", "v9.0.0", "v9.1.0"),
    ],
)
def test_ends_of_a_range_are_those_of_the_repository_here(
    runner: CliRunner, gateway: Gateway, repo: Path, text: str, from_ref: str | None, to_ref: str
) -> None:
    git(repo, "branch", "--move", "main")
    git(repo, "commit", "--quiet", "--allow-empty", "-m", "fix: more")
    gateway.answers = [answer(generateChangelog={"__typename": "GenerateChangelogSuccess", "changelog": CHANGELOG})]

    done = runner.invoke(app, ["changelogs", "generate", text, "--repository", "shop", "--repo", str(repo)])

    assert done.exit_code == 0, done.output
    [sent] = inputs(gateway)
    hashes = {name: git(repo, "rev-parse", name) for name in ("HEAD", "HEAD~1")}
    assert sent["range"] == {"fromRef": hashes.get(from_ref or "", from_ref), "toRef": hashes.get(to_ref, to_ref)}


def test_two_names_need_no_repository_and_others_say_so(runner: CliRunner, gateway: Gateway, tmp_path: Path) -> None:
    gateway.answers = [answer(generateChangelog={"__typename": "GenerateChangelogSuccess", "changelog": CHANGELOG})]
    command = ["changelogs", "generate", "--repository", "shop", "--repo", str(tmp_path)]

    named = runner.invoke(app, [*command, "v1.4.0..v1.5.0"])
    unnamed = runner.invoke(app, [*command, "v1.4.0.."])

    assert named.exit_code == 0, named.output
    assert isinstance(unnamed.exception, Failure)
    assert unnamed.exception.message.endswith("is in no git repository. Go into one, or name it with --repo.")
    assert len(gateway.asked) == 1


def nodes(*found: object) -> dict[str, Any]:
    return {"edges": [{"node": each} for each in found], "pageInfo": {"hasNextPage": False, "endCursor": None}}


def test_an_empty_list_tells_an_unknown_repository_from_one_without_changelogs(
    runner: CliRunner, gateway: Gateway
) -> None:
    command = ["changelogs", "list", "--repository", "shop", "--state", "published"]
    gateway.answers = [answer(changelogs=nodes()), answer(repositories=nodes({"id": ID}))]
    empty = runner.invoke(app, command)
    gateway.answers = [answer(changelogs=nodes()), answer(repositories=nodes())]
    unknown = runner.invoke(app, command).exception

    assert empty.stdout == (
        "There is no published changelog of shop. Make one: aiops changelogs generate A..B --repository shop\n"
    )
    assert isinstance(unknown, Failure)
    assert (unknown.reason, unknown.code) == ("REPOSITORY_NOT_FOUND", ExitCode.REFUSED)
    assert unknown.message == "There is no repository shop. Push it: aiops commits push --repository shop"


@pytest.mark.parametrize(
    ("to_ref", "title"),
    [("v2.0.0-rc.1", "shop v2.0.0-rc.1"), (SHA, "shop"), ("stable", "shop"), (None, "shop")],
)
def test_a_changelog_is_called_by_the_version_at_its_end(
    runner: CliRunner, gateway: Gateway, to_ref: str | None, title: str
) -> None:
    made = {**CHANGELOG, "toRef": to_ref, "nextVersion": "v2.0.0", "repository": {"name": "shop"}, "commitCount": 1}
    gateway.answers = [answer(changelogs=nodes(made))]

    done = runner.invoke(app, ["changelogs", "list"])

    shown = {SHA: "v1.4.0.." + SHA[:10], None: "given commits"}.get(to_ref, f"v1.4.0..{to_ref}")
    assert done.stdout.splitlines()[1] == f"    {title}  {shown}, 1 commit, minor -> v2.0.0"


def test_a_changelog_that_somebody_changed_is_shown_once(runner: CliRunner, gateway: Gateway) -> None:
    conflict = {"__typename": "VersionConflict", "code": "VERSION_CONFLICT", "message": "it is now version 4"}
    gateway.answers = [answer(changelog={"version": 2}), answer(publishChangelog=conflict)]

    done = runner.invoke(app, ["changelogs", "publish", ID])

    assert isinstance(done.exception, Failure)
    assert done.exception.message == f"it is now version 4. See: aiops changelogs show {ID}"


def test_publish_carries_the_version_that_was_read(runner: CliRunner, gateway: Gateway) -> None:
    gateway.answers = [
        answer(changelog={"version": 2}),
        answer(publishChangelog={"__typename": "PublishChangelogSuccess", "changelog": CHANGELOG}),
    ]

    done = runner.invoke(app, ["changelogs", "publish", ID])

    sent = json.loads(gateway.asked[1][2])["variables"]["input"]
    assert (sent["changelogId"], sent["expectedVersion"]) == (ID, 2)
    assert done.stdout == f"Published. Its Markdown: aiops changelogs show {ID} --markdown\n"


def test_a_published_changelog_and_an_unknown_one_say_what_to_do(runner: CliRunner, gateway: Gateway) -> None:
    error = {"__typename": "ConflictError", "code": "CHANGELOG_PUBLISHED", "message": "it is published already"}
    gateway.answers = [answer(changelog={"version": 2}), answer(publishChangelog=error)]
    twice = runner.invoke(app, ["changelogs", "publish", ID]).exception
    gateway.answers = [answer(changelog=None), answer(changelog=None)]
    unknown = runner.invoke(app, ["changelogs", "publish", ID]).exception

    assert isinstance(twice, Failure)
    assert twice.message == f"it is published already. Read it: aiops changelogs show {ID}"
    assert isinstance(unknown, Failure)
    assert unknown.message.endswith("See: aiops changelogs list")


def test_markdown_is_printed_as_it_is_but_for_orders_to_the_terminal(runner: CliRunner, gateway: Gateway) -> None:
    gateway.answers = [answer(changelog={"markdown": "## [1.5.0]\n\n- Pay \x1b[2J\n", "json": "{}"})]

    done = runner.invoke(app, ["changelogs", "show", ID, "--markdown"])

    assert done.stdout == "## [1.5.0]\n\n- Pay \ufffd[2J\n\n"


def test_notes_are_printed_in_one_form(runner: CliRunner, gateway: Gateway) -> None:
    done = runner.invoke(app, ["changelogs", "show", ID, "--markdown", "--json"])

    assert isinstance(done.exception, Failure)
    assert (done.exception.code, gateway.asked) == (ExitCode.USAGE, [])
