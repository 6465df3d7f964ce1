import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cli.tests.conftest import Gateway
from typer.testing import CliRunner

from aiops_cli import commits, sending
from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure
from changelog_service.commits import Commit

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
    monkeypatch.setattr(sending, "PATIENCE_SECONDS", (0.0,))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for number in range(5):
        git(folder, "commit", "--quiet", "--allow-empty", "-m", f"feat: thing {number}")
    git(folder, "tag", "v1.0.0")
    return folder


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def answer(**data: object) -> tuple[int, dict[str, Any]]:
    return 200, {"data": data}


def pushed(new: int) -> tuple[int, dict[str, Any]]:
    return answer(pushCommits={"__typename": "PushCommitsSuccess", "newCommitCount": new, "repository": {"id": ID}})


def inputs(gateway: Gateway) -> list[dict[str, Any]]:
    return [json.loads(body)["variables"]["input"] for _, _, body in gateway.asked]


def made(count: int, message: str = "fix: x") -> list[Commit]:
    return [Commit(sha=f"{number:040x}", message=message, committed_at=datetime.now(UTC)) for number in range(count)]


def test_push_sends_the_history_in_batches_newest_first(runner: CliRunner, gateway: Gateway, repo: Path) -> None:
    gateway.answers = [pushed(1), pushed(2), pushed(0)]
    shas = git(repo, "log", "--format=%H").split()

    done = runner.invoke(
        app,
        ["commits", "push", "--repository", "shop", "--service", "web", "--repo", str(repo), "--batch", "2"],
    )

    assert done.exit_code == 0, done.output
    sent = inputs(gateway)
    assert [[commit["sha"] for commit in each["commits"]] for each in sent] == [shas[:1], shas[1:3], shas[3:]]
    assert {(each["repository"], *each["services"]) for each in sent} == {("shop", "web")}
    newest = sent[0]["commits"][0]
    assert (newest["message"].strip(), newest["authorEmail"], newest["tags"], newest["parentShas"]) == (
        "feat: thing 4",
        "ann@example.com",
        ["v1.0.0"],
        [shas[1]],
    )
    assert done.stdout == (
        "Pushed 5 commits of shop, 3 of them new. Next: aiops changelogs generate TAG..HEAD --repository shop\n"
    )


def test_a_push_repeats_its_keys_within_a_run_and_not_those_of_an_earlier_run(
    runner: CliRunner, gateway: Gateway, repo: Path
) -> None:
    arguments = ["commits", "push", "--repository", "shop", "--repo", str(repo)]
    busy = (200, {"data": None, "errors": [{"message": "no", "extensions": {"code": "UNAVAILABLE"}}]})
    gateway.answers = [busy, pushed(5), pushed(0)]
    runner.invoke(app, arguments)

    again = runner.invoke(app, arguments)

    assert again.stdout.startswith("Pushed 5 commits of shop, 0 of them new.")
    keys = [each["idempotencyKey"] for each in inputs(gateway)]
    assert (len(keys), len(set(keys)), keys[0] == keys[1]) == (3, 2, True)
    assert all(16 <= len(key) <= 255 for key in keys)


def test_an_interrupted_push_says_what_is_there(runner: CliRunner, gateway: Gateway, repo: Path) -> None:
    gateway.answers = [
        pushed(1),
        (200, {"data": None, "errors": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}]}),
    ]

    done = runner.invoke(app, ["commits", "push", "--repository", "shop", "--repo", str(repo), "--batch", "2"])

    assert isinstance(done.exception, Failure)
    assert done.exception.code == ExitCode.REFUSED
    assert done.exception.message == (
        "no. See who you are: aiops whoami. 1 of 5 commits are there. Run the same command again for the rest."
    )


def test_no_batch_is_larger_than_an_operation_may_be() -> None:
    found = list(commits.batches(iter(made(20, "x" * 90_000)), 20, 500))

    assert [len(batch) for batch in found] == [11, 9]
    assert sum(len(batch) for batch in found) == 20
    assert max(len(json.dumps(batch)) for batch in found) < 1_500_000


@pytest.mark.parametrize(("count", "size"), [(1, 500), (500, 500), (501, 500), (999, 1), (7, 3)])
def test_every_commit_is_in_one_batch_in_its_order(count: int, size: int) -> None:
    given = made(count)

    found = [commit["sha"] for batch in commits.batches(iter(given), count, size) for commit in batch]

    assert found == [commit.sha for commit in given]


def test_a_message_beyond_the_limit_is_cut_and_that_is_told() -> None:
    [whole, cut] = [commits.commit_input(each) for each in (*made(1, "x" * 100_000), *made(1, "y" * 1_000_000))]

    assert whole["message"] == "x" * 100_000
    assert cut["message"] == "y" * 99_999 + "\u2026"


def test_whatever_git_let_pass_is_made_to_fit() -> None:
    odd = Commit(sha=SHA, message="x", author_name=" A\u2028n\x1bn ", author_email="x" * 999, tags=tuple("t" * 300))

    made_to_fit = commits.commit_input(odd)

    assert (made_to_fit["authorName"], made_to_fit["authorEmail"]) == ("A n n", "x" * 320)
    assert (len(made_to_fit["tags"]), made_to_fit["committedAt"]) == (100, None)


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


def test_what_is_waited_for_is_told_with_the_tries(
    runner: CliRunner, gateway: Gateway, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = (200, {"data": None, "errors": [{"message": "no", "extensions": {"code": "UNAVAILABLE"}}]})
    monkeypatch.setattr(sending, "PATIENCE_SECONDS", (0.0, 0.0))
    gateway.answers = [away, away, pushed(5)]

    done = runner.invoke(app, ["commits", "push", "--repository", "shop", "--repo", str(repo)])

    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines()[:2] == [f"Waiting for the stack, try {number} of 3" for number in (2, 3)]


def test_no_try_begins_after_the_last_one(
    runner: CliRunner, gateway: Gateway, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = (200, {"data": None, "errors": [{"message": "no", "extensions": {"code": "UNAVAILABLE"}}]})
    monkeypatch.setattr(sending, "LAST_TRY_SECONDS", -1.0)
    gateway.answers = [away, pushed(5)]

    done = runner.invoke(app, ["commits", "push", "--repository", "shop", "--repo", str(repo)])

    assert isinstance(done.exception, Failure)
    assert (done.exception.code, len(gateway.asked)) == (ExitCode.UNREACHABLE, 1)


def test_a_changelog_that_somebody_changed_is_shown_once(runner: CliRunner, gateway: Gateway) -> None:
    conflict = {"__typename": "VersionConflictError", "code": "VERSION_CONFLICT", "message": "it is now version 4"}
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


def test_a_deployment_is_recorded_with_what_was_given(runner: CliRunner, gateway: Gateway) -> None:
    stored = {"id": ID, "service": "checkout"}
    gateway.answers = [answer(recordDeployment={"__typename": "RecordDeploymentSuccess", "deployment": stored})]

    done = runner.invoke(
        app,
        [
            "deployments",
            "record",
            "checkout",
            "1.5.0",
            "--sha",
            SHA,
            "--at",
            "2026-01-31T12:00:00Z",
            "--reference",
            "7",
        ],
    )

    [sent] = inputs(gateway)
    assert len(sent.pop("idempotencyKey")) == 36
    assert sent == {
        "service": "checkout",
        "version": "1.5.0",
        "environment": "production",
        "sha": SHA,
        "deployedAt": "2026-01-31T12:00:00+00:00",
        "externalReference": "7",
    }
    assert done.stdout == (f"Recorded {ID}: checkout 1.5.0 went live in production. Next: aiops deployments list\n")


@pytest.mark.parametrize("at", ["yesterday", "2026-01-31T12:00:00", "2026-13-01T00:00:00Z"])
def test_a_moment_without_a_zone_is_refused_before_anything_is_sent(
    runner: CliRunner, gateway: Gateway, at: str
) -> None:
    done = runner.invoke(app, ["deployments", "record", "checkout", "1.5.0", "--at", at])

    assert isinstance(done.exception, Failure)
    assert done.exception.code == ExitCode.USAGE
    assert gateway.asked == []


def test_changes_before_a_ticket_are_printed_newest_first(runner: CliRunner, gateway: Gateway) -> None:
    deployment = {"__typename": "Deployment", "id": ID, "service": "checkout", "environment": "production"}
    found = [
        {"at": "2026-11-20T09:58:00Z", "change": {**deployment, "deployed": "1.5.0", "url": None}},
        {
            "at": "2026-11-20T09:00:00Z",
            "change": {
                "__typename": "Commit",
                "id": ID,
                "sha": SHA,
                "subject": "feat: pay \x1b[2J",
                "authorName": "Ann",
                "commitTags": [],
            },
        },
    ]
    before = {"before": "2026-11-20T10:00:00Z", "windowStart": "2026-11-19T10:00:00Z", "truncated": True}
    ticket = {"id": ID, "title": "502", "service": "checkout", "changesBefore": {**before, "changes": found}}
    gateway.answers = [answer(log=None, ticket=ticket)]

    done = runner.invoke(app, ["changes", "before", ID])

    assert [line.rstrip() for line in done.stdout.splitlines()] == [
        "Changes of checkout before 502  24 h before 2026-11-20 10:00:00 UTC",
        "  2026-11-20 09:58:00  deployment  checkout 1.5.0 went live in production",
        "  2026-11-20 09:00:00  aaaaaaaaaa  feat: pay \ufffd[2J  Ann",
        "  and earlier ones",
    ]


def test_an_id_of_nothing_and_a_service_that_is_away_are_told_apart(runner: CliRunner, gateway: Gateway) -> None:
    gateway.answers = [answer(log=None, ticket=None)]
    nothing = runner.invoke(app, ["changes", "before", ID]).exception
    ticket = {"id": ID, "title": "502", "service": None, "changesBefore": None}
    error = {"message": "changelog is away", "path": ["ticket", "changesBefore"]}
    gateway.answers = [(200, {"data": {"log": None, "ticket": ticket}, "errors": [error]})]
    away = runner.invoke(app, ["changes", "before", ID]).exception

    assert isinstance(nothing, Failure)
    assert nothing.message.startswith(f"There is no log or ticket {ID}")
    assert isinstance(away, Failure)
    assert away.message == "Nothing is known just now: ticket.changesBefore is missing: changelog is away."
    assert away.code == ExitCode.UNREACHABLE


def test_notes_are_printed_in_one_form(runner: CliRunner, gateway: Gateway) -> None:
    done = runner.invoke(app, ["changelogs", "show", ID, "--markdown", "--json"])

    assert isinstance(done.exception, Failure)
    assert (done.exception.code, gateway.asked) == (ExitCode.USAGE, [])
