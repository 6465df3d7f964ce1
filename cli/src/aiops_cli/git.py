"""Reading a local git repository: ranges, versions and commits, as git itself tells them.

Each question is one `git` process, never a shell. What a person names is resolved to a hash first, so that no name that
begins with a dash becomes an option.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from aiops_cli.failure import ExitCode, Failure
from changelog_service.commits import Commit, parse_version

_FIELDS = ("%H", "%P", "%an", "%ae", "%ct", "%D", "%B")
_FORMAT = "tformat:%x00" + "%x00".join(_FIELDS)
_CHUNK_BYTES = 256 * 1024
_TAG = "tag: refs/tags/"
_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True)
class Range:
    """Commits that `to_sha` reaches and `from_sha` does not; an empty from_sha stands for the beginning.

    `from_name` and `to_name` are what a person calls the two: a tag, a branch, a hash.
    """

    from_name: str
    to_name: str
    from_sha: str
    to_sha: str

    @property
    def argument(self) -> str:
        """The range in git's notation, hashes alone."""
        return f"{self.from_sha}..{self.to_sha}" if self.from_sha else self.to_sha


def ends_of(text: str) -> tuple[str, str]:
    """The names of both ends of `A..B`; A may be empty, B is HEAD when missing.

    Raises:
        Failure: it is no range.
    """
    if text and (".." not in text or "..." in text):
        name = text.replace("...", "..") if "..." in text else f"{text}..HEAD" if text != "HEAD" else "..HEAD"
        raise Failure(f"{text} is no range. Write A..B, for what B has and A does not: {name}", ExitCode.USAGE)
    from_name, _, to_name = text.partition("..")
    return from_name, to_name or "HEAD"


def resolve_range(repo: Path, text: str = "", *, since_version: bool = True) -> Range:
    """The range that a person names: `A..B`; B is HEAD when missing.

    A missing A is the newest version tag before B, or with since_version off, and where there is none, the beginning.

    Raises:
        Failure: there is no git, no repository, no commit yet, no such ref, or it is no range.
    """
    check_repository(repo)
    from_name, to_name = ends_of(text)
    to_sha = _commit_of(repo, to_name)
    if not from_name and since_version:
        from_name = newest_version_tag(repo, to_sha)
    return Range(from_name, to_name, _commit_of(repo, from_name) if from_name else "", to_sha)


def known_to_a_stack(repo: Path, name: str) -> str:
    """A name as it was pushed: a tag as it is, a branch, HEAD or HEAD~2 of the repository here as its hash.

    A name that is not known here goes as it is.
    """
    if name != "HEAD" and (not repo.is_dir() or not _resolved(repo, name) or _resolved(repo, f"refs/tags/{name}")):
        return name
    check_repository(repo)
    return _commit_of(repo, name)


def check_repository(repo: Path) -> None:
    """Make sure that there is a repository with commits.

    Raises:
        Failure: there is none, or git is missing.
    """
    if not repo.is_dir():
        raise Failure(f"{repo} is no folder.", ExitCode.USAGE)
    answer = _run(repo, "rev-parse", "--git-dir")
    if answer.returncode:
        if b"dubious ownership" in answer.stderr:
            message = f"git does not trust {repo}, which belongs to another user. If you do: "
            raise Failure(f"{message}git config --global --add safe.directory {repo.resolve()}", ExitCode.USAGE)
        raise Failure(f"{repo} is in no git repository. Go into one, or name it with --repo.", ExitCode.USAGE)
    if _run(repo, "rev-parse", "--verify", "--quiet", "HEAD").returncode and not _lines(
        repo, "rev-list", "-n1", "--all"
    ):
        raise Failure("The repository has no commit yet.", ExitCode.USAGE)


def newest_version_tag(repo: Path, to_sha: str) -> str:
    """The highest version that is tagged before this commit, or nothing; a tag on the commit itself ends the range."""
    at_end = set(_lines(repo, "tag", "--points-at", to_sha))
    return _highest(tag for tag in _lines(repo, "tag", "--merged", to_sha) if tag not in at_end)


def version_at(repo: Path, sha: str) -> str:
    """The highest version among the tags of a commit, or nothing."""
    return _highest(_lines(repo, "tag", "--points-at", sha)) if sha else ""


def is_shallow(repo: Path) -> bool:
    """True for a clone that lacks the older part of its history."""
    return _lines(repo, "rev-parse", "--is-shallow-repository") == ["true"]


def _true_parents(repo: Path) -> dict[str, tuple[str, ...]]:
    """Parents of the commits at which a shallow clone ends: without them its history would seem whole."""
    if not is_shallow(repo):
        return {}
    ends = (repo / _lines(repo, "rev-parse", "--git-path", "shallow")[0]).read_text().split()
    found: dict[str, tuple[str, ...]] = {}
    sha = ""
    for line in _lines(repo, "log", "--no-walk", "--format=raw", *ends, "--"):
        name, _, value = line.partition(" ")
        if name == "commit":
            sha = value
            found[sha] = ()
        elif name == "parent":
            found[sha] += (value,)
    return found


def count_commits(repo: Path, rng: Range) -> int:
    """How many commits a range has."""
    return int(_lines(repo, "rev-list", "--count", rng.argument, "--")[0])


def read_commits(repo: Path, rng: Range, *, paths: bool = False) -> Iterator[Commit]:
    """The commits of a range, newest first, as a stream; the paths that they touch only when asked, since that is slow.

    Raises:
        Failure: git fails on the way, on a damaged repository for example.
    """
    arguments = ["log", "-z", "--no-color", "--no-show-signature", "--no-notes", "--encoding=UTF-8", "--topo-order"]
    arguments += ["--decorate=full", "--decorate-refs=refs/tags/*", f"--format={_FORMAT}"]
    arguments += ["--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules"] if paths else []
    command = _command(repo, *arguments, rng.argument, "--")
    hidden = _true_parents(repo)
    with tempfile.TemporaryFile() as complaints:
        process = _start(command, complaints.fileno())
        try:
            for commit in _commits(_fields(process)):
                parents = hidden.get(commit.sha)
                yield commit if parents is None else replace(commit, parent_shas=parents)
            code = process.wait()
        finally:
            process.kill()
            process.communicate()
        if code:
            complaints.seek(0)
            raise Failure(f"git could not read the history: {_said(complaints.read())}")


def _start(command: list[str], complaints: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - fixed arguments and hashes
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, env=_environment()
    )


def _fields(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """What stands between the NULs: git lets none into a message, a name or a path."""
    assert process.stdout is not None
    rest = b""
    while chunk := process.stdout.read(_CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        yield rest


def _commits(fields: Iterator[bytes]) -> Iterator[Commit]:
    """Commits from fields: an empty one begins a commit, so many belong to it, and paths may follow."""
    start = next(fields, None)
    while start is not None:
        record = [_text(next(fields, b"")) for _ in _FIELDS]
        paths: list[str] = []
        start = next(fields, None)
        while start:
            paths.append(_text(start.removeprefix(b"\n") if not paths else start))
            start = next(fields, None)
        yield _commit(record, paths)


def _commit(record: list[str], paths: list[str]) -> Commit:
    sha, parents, name, email, seconds, refs, message = record
    return Commit(
        sha=sha,
        message=message,
        author_name=name,
        author_email=email,
        committed_at=_moment(seconds),
        parent_shas=tuple(parents.split()),
        tags=tuple(ref.removeprefix(_TAG) for ref in refs.split(", ") if ref.startswith(_TAG)),
        paths=tuple(paths),
    )


def _moment(seconds: str) -> datetime | None:
    """A time of a commit; nothing for one that no calendar holds."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _commit_of(repo: Path, name: str) -> str:
    """The hash of the commit that a name stands for."""
    forms = [f"refs/tags/{name}", f"refs/heads/{name}"] if name.startswith("-") else [name]
    for form in forms:
        if sha := _resolved(repo, form):
            return sha
    advice = "See git tag and git branch --all."
    if is_shallow(repo):
        advice = "This clone is shallow; fetch the rest: git fetch --unshallow --tags"
    raise Failure(f"The repository knows no commit, tag or branch {name}. {advice}", reason="REF_UNKNOWN")


def _resolved(repo: Path, form: str) -> str:
    """The hash of the commit that git knows by this, or nothing."""
    answer = _run(repo, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{form}^{{commit}}")
    sha = answer.stdout.decode("ascii", "replace").strip()
    return sha if answer.returncode == 0 and _HASH.fullmatch(sha) else ""


def _highest(tags: Iterable[str]) -> str:
    found = []
    for tag in tags:
        try:
            found.append((parse_version(tag).precedence, tag))
        except ValueError:
            continue
    return max(found)[1] if found else ""


def _lines(repo: Path, *arguments: str) -> list[str]:
    answer = _run(repo, *arguments)
    if answer.returncode:
        raise Failure(f"git could not read the repository: {_said(answer.stderr)}")
    return _text(answer.stdout).split("\n")[:-1]


def _run(repo: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(  # noqa: S603 - fixed arguments, and names that cannot be options
            _command(repo, *arguments), stdin=subprocess.DEVNULL, capture_output=True, check=False, env=_environment()
        )
    except FileNotFoundError as error:
        raise Failure("git is not installed, or not on the PATH. Install it first.", ExitCode.USAGE) from error


def _command(repo: Path, *arguments: str) -> list[str]:
    return ["git", "-C", str(repo), *arguments]


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat"}


def _said(stderr: bytes) -> str:
    lines = [line for line in _text(stderr).splitlines() if line.strip()]
    return lines[-1].removeprefix("fatal: ") if lines else "it gave no reason."


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
