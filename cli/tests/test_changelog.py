"""`aiops changelog` in real git repositories."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aiops_cli.app import app
from aiops_cli.failure import ExitCode, Failure

Call = Callable[..., Result]
MESSAGES = [
    "feat: begin",
    "feat(cart): pay by invoice (#12)",
    "fix: count <b>once</b>\n\nCloses #13",
    "docs: how to pay",
    "feat!: move baskets\n\nBREAKING CHANGE: baskets live elsewhere",
    "",
]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with v1.4.0 on its first commit and one commit for each message."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-23T12:00:00Z")
    folder = tmp_path / "repository"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    git = ["git", "-C", str(folder), "-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    for number, message in enumerate(MESSAGES):
        options = ["--allow-empty", "--allow-empty-message", "-q", "-m", message]
        subprocess.run([*git, "commit", *options], check=True)
        if number == 0:
            subprocess.run([*git, "tag", "v1.4.0"], check=True)
            subprocess.run([*git, "tag", "stable"], check=True)
    return folder


@pytest.fixture
def call(repo: Path, runner: CliRunner) -> Call:
    def run(*arguments: str) -> Result:
        result = runner.invoke(app, ["changelog", *arguments, "--repo", str(repo)])
        if isinstance(result.exception, Failure):
            raise result.exception
        return result

    return run


def head(repo: Path, name: str = "HEAD") -> str:
    command = ["git", "-C", str(repo), "rev-parse", name]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("rng", [(), ("v1.4.0..HEAD",), ("v1.4.0..",), ("stable..main",)])
def test_notes_are_printed_as_markdown_with_the_total_beside_them(call: Call, repo: Path, rng: tuple[str, ...]) -> None:
    result = call(*rng)

    assert result.exit_code == 0
    assert result.stdout == (
        "## [Unreleased]\n"
        "\n"
        "### Changed\n"
        "\n"
        "- **Breaking:** Move baskets\n"
        "  baskets live elsewhere\n"
        "\n"
        "### Added\n"
        "\n"
        "- **cart:** Pay by invoice (#12)\n"
        "\n"
        "### Fixed\n"
        "\n"
        "- Count &lt;b>once&lt;/b> (#13)\n"
    )
    since = rng[0].split("..")[0] if rng else "v1.4.0"
    assert result.stderr == (
        f"5 commits since {since}: 3 in entries, 2 left out (--excluded shows them)\n"
        f"Next version: v2.0.0 (major, decided by {head(repo, 'HEAD~1')[:10]})\n"
    )


def test_what_was_left_out_is_printed_with_its_reason(call: Call, repo: Path) -> None:
    result = call("--excluded")

    assert result.stdout == (
        f"meaningless  {head(repo)[:10]}  says nothing about a change\n"
        "    (no subject)\n"
        f"documentation  {head(repo, 'HEAD~2')[:10]}  documentation alone\n"
        "    docs: how to pay\n"
    )
    assert result.stderr.startswith("5 commits since v1.4.0: 3 in entries, 2 left out\n")


def test_json_accounts_for_every_commit_and_is_the_same_twice(call: Call, repo: Path) -> None:
    first, second = call("--json"), call("--json")
    notes: dict[str, Any] = json.loads(first.stdout)

    shas = [sha for entry in notes["entries"] for sha in entry["commit_shas"]] + [e["sha"] for e in notes["excluded"]]
    assert sorted(shas) == sorted(head(repo, f"HEAD~{number}") for number in range(5))
    assert (notes["previous_version"], notes["next_version"], notes["bump"]) == ("v1.4.0", "v2.0.0", "MAJOR")
    assert first.stdout == second.stdout


def test_tag_at_the_end_is_the_heading_with_its_day(call: Call, repo: Path) -> None:
    subprocess.run(["git", "-C", str(repo), "tag", "v2.0.0"], check=True)

    assert call().stdout.startswith("## [v2.0.0] - 2026-11-23\n")
    assert call("v1.4.0..HEAD~1").stdout.startswith("## [Unreleased]\n")


def test_branch_that_begins_with_a_dash_goes_behind_two(call: Call, repo: Path, runner: CliRunner) -> None:
    subprocess.run(["git", "-C", str(repo), "update-ref", "refs/heads/-evil", "v1.4.0"], check=True)

    done = runner.invoke(app, ["changelog", "--repo", str(repo), "--", "-evil..HEAD"])

    assert done.exit_code == 0
    assert done.stderr.startswith("5 commits since -evil: ")


def test_version_before_may_be_given(call: Call) -> None:
    assert "Next version: 0.10.0 (major, " in call("--previous-version", "0.9.1").stderr
    with pytest.raises(Failure, match=r"--previous-version: 'one' is no semantic version\. Examples: ") as failure:
        call("--previous-version", "one")
    assert failure.value.code is ExitCode.USAGE


def test_range_without_version_says_how_to_get_one(call: Call, repo: Path) -> None:
    subprocess.run(["git", "-C", str(repo), "tag", "-d", "v1.4.0"], check=True, capture_output=True)

    result = call()

    assert result.stderr.startswith("6 commits: 4 in entries, 2 left out")
    assert "Version bump: major, decided by" in result.stderr
    assert "--previous-version" in result.stderr


def test_range_without_change_asks_for_no_version(call: Call, repo: Path) -> None:
    result = call("HEAD~3..HEAD~2")

    assert result.stdout == "## [Unreleased]\n\nNo changes that users notice.\n"
    assert result.stderr == (
        "1 commit since HEAD~3: 0 in entries, 1 left out (--excluded shows them)\n"
        "Next version: none, since no commit asks for one\n"
    )
    assert call("v1.4.0..HEAD~4", "--excluded").stdout == "Nothing was left out.\n"


def test_empty_range_is_refused(call: Call) -> None:
    with pytest.raises(Failure) as failure:
        call("HEAD..HEAD")

    assert failure.value.message.startswith("HEAD has no commit that HEAD lacks. ")
    assert (failure.value.reason, failure.value.code) == ("RANGE_EMPTY", ExitCode.REFUSED)


def test_unknown_ref_is_refused_and_names_it(call: Call) -> None:
    with pytest.raises(Failure, match="no commit, tag or branch v9") as failure:
        call("v9..HEAD")

    assert (failure.value.reason, failure.value.code) == ("REF_UNKNOWN", ExitCode.REFUSED)


def test_commit_gives_no_orders_to_the_terminal(call: Call, repo: Path) -> None:
    command = ["git", "-C", str(repo), "-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "--allow-empty"]
    subprocess.run([*command, "-q", "-m", "fix: \x1b]0;owned\x07 \u202e\n\nx"], check=True)

    for options in ((), ("--json",), ("--excluded",)):
        result = call("HEAD~1..", *options)
        assert not {"\x1b", "\x07", "\u202e"} & set(result.stdout + result.stderr)


def test_shallow_clone_is_told_that_commits_are_missing(repo: Path, runner: CliRunner) -> None:
    clone = repo.parent / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=2", "--no-tags", f"file://{repo}", str(clone)], check=True)

    result = runner.invoke(app, ["changelog", "--repo", str(clone)])

    assert result.stderr.startswith("2 commits: 1 in entries, 1 left out")
    assert "git fetch --unshallow --tags" in result.stderr
