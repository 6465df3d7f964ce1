"""Reading real git repositories."""

import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aiops_cli import git
from aiops_cli.failure import ExitCode, Failure

Git = Callable[..., str]
MESSAGES = [
    "feat: plain",
    "",
    "\n\n  indented\n\nbody\n\n\n",
    "fix: ünïcode 🐛\n\nFooter: value",
    "feat: percent %H %x00 and \x01\x1e\x1f",
    "commit " + "a" * 40 + "\nAuthor: me",
    "x" * 200_000,
]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = tmp_path / "repository"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    return folder


@pytest.fixture
def run(repo: Path) -> Git:
    def call(*arguments: str, stdin: bytes = b"", folder: Path = repo) -> str:
        identity = ["-c", "user.name=Änn", "-c", "user.email=ann@example.com"]
        command = ["git", "-C", str(folder), *identity, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout.decode().strip()

    return call


@pytest.fixture
def commit(run: Git) -> Callable[..., str]:
    def make(message: str | bytes, *arguments: str) -> str:
        data = message if isinstance(message, bytes) else message.encode()
        options = ["--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "-q", "-F", "-"]
        run("commit", *options, *arguments, stdin=data)
        return run("rev-parse", "HEAD")

    return make


def test_commits_come_newest_first_with_their_whole_message(repo: Path, commit: Callable[..., str]) -> None:
    shas = [commit(message) for message in MESSAGES]

    rng = git.resolve_range(repo)
    read = list(git.read_commits(repo, rng))

    assert [each.sha for each in read] == shas[::-1]
    assert [each.message.rstrip("\n") for each in read] == [message.rstrip("\n") for message in MESSAGES[::-1]]
    assert git.count_commits(repo, rng) == len(MESSAGES)
    assert {(each.author_name, each.author_email) for each in read} == {("Änn", "ann@example.com")}
    assert [each.parent_shas for each in read] == [(sha,) for sha in shas[-2::-1]] + [()]


def test_time_tags_and_parents_of_a_merge_are_read(repo: Path, run: Git, commit: Callable[..., str]) -> None:
    first = commit("feat: one")
    run("tag", "v1.0.0")
    run("tag", "-m", "annotated", "release,1")
    run("checkout", "-q", "-b", "topic")
    second = commit("feat: two", "--date=2026-01-02T03:04:05Z")
    run("checkout", "-q", "main")
    third = commit("fix: three")
    run("merge", "-q", "--no-ff", "-m", "Merge branch 'topic'", "topic")
    merge = run("rev-parse", "HEAD")

    read = {each.sha: each for each in git.read_commits(repo, git.resolve_range(repo, since_version=False))}

    assert set(read) == {first, second, third, merge}
    assert sorted(read[first].tags) == ["release,1", "v1.0.0"]
    assert read[merge].parent_shas == (third, second)
    moment = read[second].committed_at
    assert moment is not None
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 3600


def test_paths_are_read_when_asked_whatever_their_names(repo: Path, run: Git, commit: Callable[..., str]) -> None:
    for name in ("plain", "new\nline", "ünï", "-dash", "\nfirst"):
        (repo / name).write_text(name, encoding="utf-8")
    run("add", "-A")
    commit("feat: files")
    commit("feat: none")

    rng = git.resolve_range(repo)
    read = list(git.read_commits(repo, rng, paths=True))

    assert read[0].paths == ()
    assert set(read[1].paths) == {"plain", "new\nline", "ünï", "-dash", "\nfirst"}
    assert [each.paths for each in git.read_commits(repo, rng)] == [(), ()]


def test_message_that_is_no_utf8_is_read_with_marks(repo: Path, run: Git, commit: Callable[..., str]) -> None:
    commit("fix: it")
    raw = run("cat-file", "commit", "HEAD").encode().replace(b"fix: it", b"fix: caf\xe9\n")
    run("update-ref", "HEAD", run("hash-object", "-t", "commit", "-w", "--stdin", stdin=raw))

    assert [each.message for each in git.read_commits(repo, git.resolve_range(repo))] == ["fix: caf\ufffd\n"]


def test_message_in_a_declared_encoding_is_read_as_it_is_meant(repo: Path, run: Git) -> None:
    run("-c", "i18n.commitEncoding=ISO-8859-1", "commit", "--allow-empty", "-q", "-F", "-", stdin=b"fix: caf\xe9")

    assert [each.message for each in git.read_commits(repo, git.resolve_range(repo))] == ["fix: café\n"]


def test_settings_of_the_user_change_nothing(repo: Path, run: Git, commit: Callable[..., str]) -> None:
    commit("feat: one")
    for setting in ("log.showSignature=true", "log.decorate=short", "color.ui=always", "format.pretty=oneline"):
        run("config", *setting.split("="))
    run("notes", "add", "-m", "a note")

    read = list(git.read_commits(repo, git.resolve_range(repo)))

    assert [(each.message, each.tags) for each in read] == [("feat: one", ())]


def test_range_without_begin_starts_at_the_newest_version_before_it(
    repo: Path, run: Git, commit: Callable[..., str]
) -> None:
    shas = []
    for number, tags in enumerate((["v1.9.0"], ["v1.10.0", "latest"], ["nightly"], ["v2.0.0-rc.1"], [])):
        shas.append(commit(f"feat: {number}"))
        for tag in tags:
            run("tag", tag)

    assert git.resolve_range(repo) == git.Range("v2.0.0-rc.1", "HEAD", shas[3], shas[4])
    assert git.resolve_range(repo, "..v2.0.0-rc.1") == git.Range("v1.10.0", "v2.0.0-rc.1", shas[1], shas[3])
    assert git.resolve_range(repo, "v1.9.0..") == git.Range("v1.9.0", "HEAD", shas[0], shas[4])
    assert git.resolve_range(repo, since_version=False) == git.Range("", "HEAD", "", shas[4])
    assert git.version_at(repo, shas[1]) == "v1.10.0"
    assert (git.version_at(repo, shas[2]), git.version_at(repo, "")) == ("", "")


@pytest.mark.parametrize("name", ["--all", "-n1", "--output=pwned", "--upload-pack=touch pwned", "^HEAD", "HEAD^@", ""])
def test_name_that_looks_like_an_option_is_none(repo: Path, commit: Callable[..., str], name: str) -> None:
    commit("feat: one")

    with pytest.raises(Failure) as failure:
        git.resolve_range(repo, f"{name or ' '}..HEAD")

    assert failure.value.reason == "REF_UNKNOWN"
    assert f"no commit, tag or branch {name or ' '}" in failure.value.message
    assert not list(repo.parent.rglob("pwned"))


def test_tag_that_begins_with_a_dash_is_found_as_a_tag(repo: Path, run: Git, commit: Callable[..., str]) -> None:
    first = commit("feat: one")
    run("update-ref", "refs/tags/-all", first)
    second = commit("feat: two")

    assert git.resolve_range(repo, "-all..HEAD") == git.Range("-all", "HEAD", first, second)


@pytest.mark.parametrize(("text", "advice"), [("v1.0.0", "v1.0.0..HEAD"), ("HEAD", "..HEAD"), ("a...b", "a..b")])
def test_what_is_no_range_is_refused_with_one(repo: Path, commit: Callable[..., str], text: str, advice: str) -> None:
    commit("feat: one")

    with pytest.raises(Failure) as failure:
        git.resolve_range(repo, text)

    assert (failure.value.code, failure.value.message.rsplit(" ", 1)[1]) == (ExitCode.USAGE, advice)


def test_folder_without_repository_and_repository_without_commit_are_named(repo: Path, tmp_path: Path) -> None:
    for folder, words in (
        (tmp_path / "nowhere", "is no folder"),
        (tmp_path, "is in no git repository"),
        (repo, "has no commit yet"),
    ):
        with pytest.raises(Failure) as failure:
            git.resolve_range(folder)
        assert words in failure.value.message
        assert failure.value.code is ExitCode.USAGE


def test_missing_git_is_named(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(Failure, match="git is not installed"):
        git.resolve_range(repo)


def test_shallow_clone_says_how_to_get_the_rest(repo: Path, run: Git, commit: Callable[..., str]) -> None:
    first = commit("feat: one")
    commit("feat: two")
    clone = repo.parent / "clone"
    run("clone", "-q", "--depth=1", f"file://{repo}", str(clone))

    assert (git.is_shallow(clone), git.is_shallow(repo)) == (True, False)
    with pytest.raises(Failure, match="git fetch --unshallow --tags"):
        git.resolve_range(clone, f"{first}..HEAD")


def test_the_end_of_a_shallow_clone_keeps_its_parents(repo: Path, run: Git, commit: Callable[..., str]) -> None:
    first = commit("feat: one")
    second = commit("feat: two\n\nparent 0\ncommit 1")
    third = commit("feat: three")
    clone = repo.parent / "clone"
    run("clone", "-q", "--depth=2", f"file://{repo}", str(clone))

    found = list(git.read_commits(clone, git.resolve_range(clone)))

    assert [(each.sha, each.parent_shas) for each in found] == [(third, (second,)), (second, (first,))]


def test_reading_stops_when_nobody_reads_on(repo: Path, commit: Callable[..., str]) -> None:
    for number in range(50):
        commit(f"feat: {number}\n\n{'x' * 20_000}")
    commits = git.read_commits(repo, git.resolve_range(repo))

    assert next(commits).message.startswith("feat: 49\n")
    commits.close()  # type: ignore[attr-defined]

    assert list(commits) == []


def test_damaged_repository_is_named(repo: Path, commit: Callable[..., str]) -> None:
    first = commit("feat: one")
    commit("feat: two")
    rng = git.resolve_range(repo)
    (repo / ".git/objects" / first[:2] / first[2:]).unlink()

    with pytest.raises(Failure, match="git could not read the history"):
        list(git.read_commits(repo, rng))
