"""`aiops commits push`: the history of a local git repository to a stack, in batches that can be sent again."""

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiops_cli import change_documents, render, session
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.git import count_commits, is_shallow, read_commits, resolve_range
from aiops_cli.graph import Graph
from aiops_cli.sending import patiently, progress_bar

if TYPE_CHECKING:
    from changelog_service.commits import Commit

MAX_BATCH_BYTES = 1_000_000
"""An operation has room for half as much again."""
MAX_MESSAGE_CHARACTERS = 100_000
CUT = "\u2026"
MAX_AUTHOR_CHARACTERS = 320
MAX_TAGS = 100
MAX_PATHS = 500
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

app = typer.Typer(help="Commits on a stack: push the history of a git repository.", no_args_is_help=True)


def commit_input(commit: "Commit") -> dict[str, Any]:
    """A commit as the graph takes it: whatever git let pass fits, so that one odd commit does not stop a history."""
    return {
        "sha": commit.sha,
        "message": _cut(commit.message),
        "authorName": _line(commit.author_name),
        "authorEmail": _line(commit.author_email),
        "committedAt": commit.committed_at.isoformat() if commit.committed_at else None,
        "parentShas": list(commit.parent_shas),
        "tags": list(commit.tags[:MAX_TAGS]),
        "paths": list(commit.paths[:MAX_PATHS]),
    }


def _line(text: str) -> str | None:
    return CONTROL.sub(" ", text).strip()[:MAX_AUTHOR_CHARACTERS] or None


def _cut(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE_CHARACTERS else message[: MAX_MESSAGE_CHARACTERS - 1] + CUT


def _was_cut(message: str) -> bool:
    return len(message) == MAX_MESSAGE_CHARACTERS and message.endswith(CUT)


def batches(
    commits: Iterator["Commit"], count: int, size: int, max_bytes: int = MAX_BATCH_BYTES
) -> Iterator[list[dict[str, Any]]]:
    """Batches of at most `size` commits and `max_bytes`, their borders counted from the oldest commit."""
    left = count
    while window := [commit_input(commit) for commit in islice(commits, left % size or size)]:
        left -= len(window)
        batch: list[dict[str, Any]] = []
        room = max_bytes
        for commit in window:
            needed = len(json.dumps(commit, ensure_ascii=False).encode(errors="replace"))
            if batch and needed > room:
                yield batch
                batch, room = [], max_bytes
            batch.append(commit)
            room -= needed
        yield batch


def batch_key(run: str, repository: str, services: Sequence[str], batch: Sequence[dict[str, Any]]) -> str:
    """Names a batch of one run: sending it again has no second effect.

    A later run has keys of its own. It would get the answer of the earlier one else: old counts of what is new, and
    tags that moved away and back would stay where they were in between.
    """
    said = json.dumps([run, repository, list(services), list(batch)], sort_keys=True)
    return "push-" + sha256(said.encode(errors="surrogatepass")).hexdigest()


@app.command("push")
def push(
    commits: Annotated[str, typer.Argument(help="A..B; the whole history when missing.", metavar="A..B")] = "",
    *,
    repository: Annotated[str, typer.Option(help="Name on the stack, such as shop/checkout.")],
    service: Annotated[
        list[str] | None, typer.Option(help="Service that is built from it; give it again for more.")
    ] = None,
    repo: Annotated[Path, typer.Option(help="Folder of the git repository.")] = Path(),
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Commits in one request.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Push commits of a local git repository. Run it as often as you like: what is there stays as it is.

    Example: aiops commits push --repository shop/checkout --service checkout
    """
    chosen = resolve_range(repo, commits, since_version=False)
    total = count_commits(repo, chosen)
    if total == 0:
        raise Failure(f"{commits} holds no commit. Swap the two ends?", ExitCode.USAGE, reason="RANGE_EMPTY")
    if is_shallow(repo):
        typer.echo("This clone is shallow: older commits are not in it. All of them: git fetch --unshallow", err=True)
    graph = Graph(session.current())
    run, sent, new, cut = str(uuid.uuid4()), 0, 0, []
    with progress_bar() as progress:
        task = progress.add_task(f"Pushing commits of {render.inert(repository)}", total=total)
        try:
            for each in batches(read_commits(repo, chosen), total, batch):
                values = {"repository": repository, "services": service or [], "commits": each}
                key = batch_key(run, repository, service or [], each)
                answer = patiently(partial(graph.mutate, change_documents.PUSH, values, idempotency_key=key), progress)
                new += answer["newCommitCount"]
                sent += len(each)
                cut += [one["sha"] for one in each if _was_cut(one["message"])]
                progress.advance(task, len(each))
        except KeyboardInterrupt:
            raise Failure(_stopped(sent, total), ExitCode.INTERRUPTED, reason="INTERRUPTED") from None
        except Failure as failure:
            failure.message = f"{failure.message.rstrip('.')}. {_stopped(sent, total)}" if sent else failure.message
            raise
    if as_json:
        told = {"repository": repository, "commits": sent, "new_commits": new, "cut_messages": cut}
        typer.echo(json.dumps(told, indent=2))
        return
    for sha in cut:
        typer.echo(f"{sha[:10]}: the message was cut at {MAX_MESSAGE_CHARACTERS:,} characters.", err=True)
    typer.echo(
        f"Pushed {render.many(sent, 'commit')} of {render.inert(repository)}, {new:,} of them new. "
        f"Next: aiops changelogs generate TAG..HEAD --repository {render.inert(repository)}"
    )


def _stopped(sent: int, total: int) -> str:
    return f"{sent:,} of {total:,} commits are there. Run the same command again for the rest."
