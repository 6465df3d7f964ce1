import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cli.tests.conftest import Gateway, answer, git, inputs
from typer.testing import CliRunner

from aiops_cli import commits, sending
from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure
from changelog_service.commits import Commit

ID = "0198c0de-0000-7000-8000-000000000001"
SHA = "a" * 40


@pytest.fixture(autouse=True)
def machine(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOPS_TOKEN", "aiops_token")
    monkeypatch.setenv("AIOPS_URL", gateway.url)
    monkeypatch.setattr(sending, "PATIENCE_SECONDS", (0.0,))


def pushed(new: int) -> tuple[int, dict[str, Any]]:
    return answer(pushCommits={"__typename": "PushCommitsSuccess", "newCommitCount": new, "repository": {"id": ID}})


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
