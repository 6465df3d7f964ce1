"""`aiops changelog A..B`: notes from the commits of a git repository, with no server at all.

The same code as on a stack makes them. Nothing leaves the machine and nothing is stored.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from aiops_cli import git, render
from aiops_cli.failure import ExitCode, Failure
from changelog_service.commits import Bump, Commit, Notes, make_notes, parse_version, to_json, to_markdown

_SHOWN_EVERY = 500
_SHORT_SHA = 10


def changelog(
    commits: Annotated[
        str,
        typer.Argument(metavar="A..B", help="What B has and A lacks; B is HEAD, A the newest version before B."),
    ] = "",
    repo: Annotated[Path, typer.Option(help="Folder of the git repository.")] = Path(),
    previous_version: Annotated[
        str, typer.Option(help="Version before, for example 1.4.2; the tag at A when missing.")
    ] = "",
    *,
    excluded: Annotated[bool, typer.Option("--excluded", help="Print what was left out, and why.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: notes, what was left out, version.")] = False,
) -> None:
    """Print the notes of a range of commits, each in one entry or left out with a reason. Needs no server.

    The notes are headed by the version that the end is tagged with. A name that begins with a dash goes behind --.

    Example: aiops changelog v1.4.0..HEAD
    """
    if previous_version:
        _check_version(previous_version)
    rng = git.resolve_range(repo, commits)
    listed = list(_counted(git.read_commits(repo, rng)))
    if not listed:
        message = f"{rng.to_name} has no commit that {rng.from_name} lacks. Name another range: aiops changelog A..B"
        raise Failure(message, reason="RANGE_EMPTY")
    notes = make_notes(listed, previous_version=previous_version or git.version_at(repo, rng.from_sha))
    if as_json:
        typer.echo(to_json(notes))
    elif excluded:
        _print_excluded(notes)
    else:
        title = git.version_at(repo, rng.to_sha)
        days = (each.committed_at.date() for each in listed if title and each.committed_at)
        typer.echo(render.inert(to_markdown(notes, title=title, date=max(days, default=None))), nl=False)
    for line in _footer(notes, rng, shallow=git.is_shallow(repo), excluded=excluded):
        typer.echo(render.inert(line), err=True)


def _check_version(text: str) -> None:
    try:
        parse_version(text)
    except ValueError as error:
        raise Failure(f"--previous-version: {error}.", ExitCode.USAGE) from error


def _counted(commits: Iterable[Commit]) -> Iterator[Commit]:
    """The same commits, with the count so far on the terminal."""
    with render.console_for(stderr=True).status("Reading commits") as status:
        for count, commit in enumerate(commits, start=1):
            yield commit
            if count % _SHOWN_EVERY == 0:
                status.update(f"Reading commits: {count:,}")


def _print_excluded(notes: Notes) -> None:
    """What was left out: the reason, the commit, and in a few words why."""
    console = render.console_for()
    if not notes.excluded:
        console.print("Nothing was left out.")
    for each in notes.excluded:
        head = f"{each.reason.lower()}  {each.sha[:_SHORT_SHA]}  {render.inert(each.detail)}"
        console.print(Text(head, style="dim"), soft_wrap=True)
        console.print(Padding(Text(render.inert(each.subject) or "(no subject)"), (0, 0, 0, 4), expand=False))


def _footer(notes: Notes, rng: git.Range, *, shallow: bool, excluded: bool) -> Iterator[str]:
    """How the commits add up, and the version that they ask for."""
    left_out = len(notes.excluded)
    advice = "" if excluded or not left_out else " (--excluded shows them)"
    since = f" since {rng.from_name}" if rng.from_name else ""
    counted = f"{notes.commit_count:,} commit{'s' if notes.commit_count != 1 else ''}{since}"
    yield f"{counted}: {notes.commit_count - left_out:,} in entries, {left_out:,} left out{advice}"
    if notes.next_version:
        yield f"Next version: {notes.next_version} ({notes.bump.lower()}, decided by {notes.bump_sha[:_SHORT_SHA]})"
    elif notes.bump is Bump.NONE:
        yield "Next version: none, since no commit asks for one"
    else:
        decided = f"{notes.bump.lower()}, decided by {notes.bump_sha[:_SHORT_SHA]}"
        yield f"Version bump: {decided} (--previous-version gives the next version)"
    if shallow and not rng.from_sha:
        yield "This clone is shallow, so older commits are missing; fetch them: git fetch --unshallow --tags"
