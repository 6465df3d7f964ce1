"""`aiops changelogs`: generate, read and publish the release notes that a stack keeps."""

import json
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from aiops_cli import change_documents, change_view, render, session
from aiops_cli.failure import ExitCode, Failure
from aiops_cli.graph import Graph

MAX_GIVEN_COMMITS = 1000
HIGHLIGHT_WAIT_SECONDS = 30.0
POLL_SECONDS = 0.3

app = typer.Typer(help="Changelogs on a stack: generate, read and publish release notes.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Id of the changelog.", metavar="ID")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Excluded = Annotated[bool, typer.Option("--excluded", help="Print each commit that is in no entry, with its reason.")]


class State(StrEnum):
    """How far a changelog is."""

    DRAFT = "draft"
    PUBLISHED = "published"


def _get(graph: Graph, changelog_id: str) -> tuple[dict[str, Any], list[str]]:
    data, missing = graph.query_partial(change_documents.CHANGELOG, {"id": changelog_id})
    if data["changelog"] is None:
        raise Failure(
            f"There is no changelog {changelog_id}, or you may not see it. See: aiops changelogs list",
            reason="CHANGELOG_NOT_FOUND",
        )
    return data["changelog"], missing


def _print(changelog: dict[str, Any], missing: list[str], *, excluded: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**changelog, "missing": missing} if missing else changelog, indent=2))
        return
    console = render.console_for()
    for line in change_view.changelog(changelog, missing, excluded=excluded):
        console.print(line)


@app.command("generate")
def generate(
    commits: Annotated[
        str,
        typer.Argument(
            metavar="A..B", help="What B has and A lacks, pushed; B is HEAD, A the newest version before B."
        ),
    ] = "",
    *,
    repository: Annotated[str, typer.Option(help="Name on the stack, such as shop/checkout.")],
    previous_version: Annotated[str, typer.Option(help="Version before; from the tag at A when missing.")] = "",
    local: Annotated[
        bool, typer.Option("--local", help="Send up to 1,000 commits of a local git repository, with no push before.")
    ] = False,
    repo: Annotated[Path, typer.Option(help="Folder of the git repository.")] = Path(),
    wait: Annotated[bool, typer.Option(help="Wait for the worded highlights.")] = True,
    excluded: Excluded = False,
    as_json: Json = False,
) -> None:
    """Make a draft of a range of commits; each is in exactly one entry, or left out with a reason.

    The notes are headed by the version that the end is tagged with, else by the next version.

    Example: aiops changelogs generate v1.4.0..v1.5.0 --repository shop/checkout
    """
    values: dict[str, Any] = {"repository": repository, "previousVersion": previous_version or None}
    if local:
        values |= _local_commits(repo, commits, previous_version)
    else:
        values["range"] = _range(commits, repo)
    graph = Graph(session.current())
    try:
        changelog = graph.mutate(change_documents.GENERATE, values)["changelog"]
    except Failure as failure:
        failure.message = failure.message.replace("--repository NAME", f"--repository {repository}")
        raise
    missing: list[str] = []
    if wait and changelog["highlightState"] == "PENDING":
        changelog, missing = _highlighted(graph, changelog["id"])
    _print(changelog, missing, excluded=excluded, as_json=as_json)
    if not as_json:
        typer.echo(f"\nA draft. Publish it: aiops changelogs publish {changelog['id']}")


def _range(text: str, repo: Path) -> dict[str, str | None]:
    """The two ends as the stack knows them; two names need no repository here."""
    from aiops_cli.git import ends_of, known_to_a_stack, resolve_range  # noqa: PLC0415 - only this needs git

    from_name, to_name = ends_of(text)
    if not from_name:
        return {"fromRef": resolve_range(repo, text).from_name or None, "toRef": known_to_a_stack(repo, to_name)}
    return {"fromRef": known_to_a_stack(repo, from_name), "toRef": known_to_a_stack(repo, to_name)}


def _local_commits(repo: Path, text: str, previous_version: str) -> dict[str, Any]:
    from aiops_cli.commits import commit_input  # noqa: PLC0415 - only --local reads git
    from aiops_cli.git import count_commits, read_commits, resolve_range, version_at  # noqa: PLC0415

    chosen = resolve_range(repo, text)
    count = count_commits(repo, chosen)
    if count > MAX_GIVEN_COMMITS:
        raise Failure(
            f"{text} holds {count:,} commits, {MAX_GIVEN_COMMITS:,} can be given at once. Push them, then leave "
            "--local out: aiops commits push --repository NAME",
            reason="TOO_MANY_COMMITS",
        )
    given = [commit_input(commit) for commit in read_commits(repo, chosen)]
    return {"commits": given, "previousVersion": previous_version or version_at(repo, chosen.from_sha) or None}


def _highlighted(graph: Graph, changelog_id: str) -> tuple[dict[str, Any], list[str]]:
    """The changelog with its highlights, or as it is when they take too long."""
    deadline = time.monotonic() + HIGHLIGHT_WAIT_SECONDS
    with render.console_for(stderr=True).status("Wording the highlights"):
        while True:
            changelog, missing = _get(graph, changelog_id)
            if changelog["highlightState"] != "PENDING" or time.monotonic() > deadline:
                return changelog, missing
            time.sleep(POLL_SECONDS)


@app.command("list")
def list_changelogs(
    *,
    repository: Annotated[str, typer.Option(help="Of this repository.")] = "",
    state: Annotated[State | None, typer.Option(help="In this state.", case_sensitive=False)] = None,
    first: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    after: Annotated[str, typer.Option(help="Go on behind this cursor.")] = "",
    as_json: Json = False,
) -> None:
    """List changelogs, newest first."""
    variables = {
        "repository": repository or None,
        "state": state.name if state else None,
        "first": first,
        "after": after or None,
    }
    graph = Graph(session.current())
    page = graph.query(change_documents.CHANGELOGS, variables)["changelogs"]
    nodes = [edge["node"] for edge in page["edges"]]
    if repository and not nodes:
        _check_known(graph, repository)
    if as_json:
        typer.echo(json.dumps(nodes, indent=2))
        return
    if not nodes:
        which = f"{state} changelog" if state else "changelog"
        whose = f" of {render.inert(repository)}" if repository else ""
        name = render.inert(repository) or "NAME"
        typer.echo(f"There is no {which}{whose}. Make one: aiops changelogs generate A..B --repository {name}")
        return
    console = render.console_for()
    for node in nodes:
        for line in change_view.changelog_row(node):
            console.print(line)
    if page["pageInfo"]["hasNextPage"]:
        console.print(Text(f"There are more: add --after {page['pageInfo']['endCursor']}", style="dim"))


def _check_known(graph: Graph, repository: str) -> None:
    """Make sure that a name without changelogs is that of a repository."""
    if not graph.query(change_documents.REPOSITORY, {"name": repository})["repositories"]["edges"]:
        raise Failure(
            f"There is no repository {repository}. Push it: aiops commits push --repository {repository}",
            reason="REPOSITORY_NOT_FOUND",
        )


@app.command("show")
def show(
    changelog_id: Id,
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Keep a Changelog Markdown.")] = False,
    excluded: Excluded = False,
    as_json: Json = False,
) -> None:
    """Print a changelog: highlights, entries by section, what decided the version, and what was left out and why."""
    if markdown and as_json:
        raise Failure("--markdown and --json are two forms. Name one of them.", ExitCode.USAGE)
    graph = Graph(session.current())
    if not markdown:
        _print(*_get(graph, changelog_id), excluded=excluded, as_json=as_json)
        return
    notes = graph.query(change_documents.NOTES, {"id": changelog_id})["changelog"]
    if notes is None:
        _get(graph, changelog_id)
    typer.echo(render.inert(notes["markdown"]))


@app.command("publish")
def publish(changelog_id: Id, *, as_json: Json = False) -> None:
    """Publish a draft: readers see it from now on, and it never changes again."""
    graph = Graph(session.current())
    found = graph.query(change_documents.VERSION, {"id": changelog_id})["changelog"]
    if found is None:
        _get(graph, changelog_id)
    values = {"changelogId": changelog_id, "expectedVersion": found["version"]}
    try:
        published = graph.mutate(change_documents.PUBLISH, values)["changelog"]
    except Failure as failure:
        failure.message = failure.message.replace(" ID", f" {changelog_id}")
        if failure.reason == "VERSION_CONFLICT":
            failure.message = f"{failure.message.rstrip('.')}. See: aiops changelogs show {changelog_id}"
        raise
    if as_json:
        typer.echo(json.dumps(published, indent=2))
    else:
        typer.echo(f"Published. Its Markdown: aiops changelogs show {changelog_id} --markdown")
