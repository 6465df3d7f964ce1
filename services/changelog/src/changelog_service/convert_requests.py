"""From requests to wishes in domain words: pure, and every refusal names the field."""

from collections.abc import Sequence
from uuid import UUID

from aiops.changelog.v1 import changelog_pb2 as pb
from aiops.changelog.v1 import changelog_service_pb2 as rpc_pb
from changelog_service import domain, limits
from changelog_service.commands import (
    ChangesBeforeQuery,
    CommitRange,
    DecideSuggestion,
    GenerateChangelog,
    PublishChangelog,
    PushCommits,
    RecordDeployment,
)
from changelog_service.commits import Commit
from changelog_service.errors import CommitInvalid, TooManyCommits
from chassis.cleaning import clean_line
from chassis.errors import InvalidArgument
from chassis.ids import MAXIMUM_BATCH, parse_id, parse_ids
from chassis.protos import moment_from

MAXIMUM_CHANGELOG_BATCH = 100
MAXIMUM_FIRST = 100


def push_command(request: rpc_pb.PushCommitsRequest) -> PushCommits:
    """The wish to store a batch of commits.

    Raises:
        InvalidArgument: the name of the repository or of a service cannot be taken, or there is no commit.
        TooManyCommits: there are more than 1,000.
        CommitInvalid: a commit cannot be taken.
    """
    if len(request.services) > limits.MAXIMUM_SERVICES:
        raise InvalidArgument(
            f"a repository has at most {limits.MAXIMUM_SERVICES} services, these are {len(request.services)}",
            field="services",
        )
    services = (
        clean_line(service, field=f"services.{number}", minimum=1, maximum=limits.MAXIMUM_NAME_CHARACTERS)
        for number, service in enumerate(request.services)
    )
    return PushCommits(
        repository_name=_repository_name(request.repository_name, minimum=1),
        services=tuple(dict.fromkeys(services)),
        commits=_commits(request.commits, full_shas=True),
    )


def generate_command(request: rpc_pb.GenerateChangelogRequest) -> GenerateChangelog:
    """The wish for a draft.

    Raises:
        InvalidArgument: neither commits nor a range are given, or a name cannot be taken.
        TooManyCommits: there are more than 1,000 commits.
        CommitInvalid: a commit cannot be taken.
    """
    name = _repository_name(request.repository_name, minimum=1)
    maximum = limits.MAXIMUM_REF_CHARACTERS
    source: tuple[Commit, ...] | CommitRange
    match request.WhichOneof("source"):
        case "commits":
            source = _commits(request.commits.commits, full_shas=False)
        case "range":
            source = CommitRange(
                clean_line(request.range.from_ref, field="range.from_ref", minimum=0, maximum=maximum),
                clean_line(request.range.to_ref, field="range.to_ref", minimum=1, maximum=maximum),
            )
        case _:
            raise InvalidArgument("give commits, or a range of pushed ones", field="source")
    version = clean_line(request.previous_version, field="previous_version", minimum=0, maximum=maximum)
    return GenerateChangelog(name, source, version)


def publish_command(request: rpc_pb.PublishChangelogRequest) -> PublishChangelog:
    """The wish to publish a draft."""
    return PublishChangelog(parse_id(request.changelog_id, field="changelog_id"), request.expected_version)


def suggestion_command(
    request: rpc_pb.AcceptChangelogSuggestionRequest | rpc_pb.DismissChangelogSuggestionRequest,
) -> DecideSuggestion:
    """The wish to take a suggestion, or to dismiss it."""
    return DecideSuggestion(
        changelog_id=parse_id(request.changelog_id, field="changelog_id"),
        expected_version=request.expected_version,
        suggestion_id=parse_id(request.suggestion_id, field="suggestion_id"),
    )


def record_command(request: rpc_pb.RecordDeploymentRequest) -> RecordDeployment:
    """The wish to store that a version went live.

    Raises:
        InvalidArgument: something is missing, too long or malformed.
    """
    long, short = limits.MAXIMUM_NAME_CHARACTERS, limits.MAXIMUM_ENVIRONMENT_CHARACTERS
    if request.sha and not limits.FULL_SHA.fullmatch(request.sha):
        raise InvalidArgument("this must be 40 or 64 lower-case hex digits, or empty", field="sha")
    return RecordDeployment(
        service=clean_line(request.service, field="service", minimum=1, maximum=long),
        environment=clean_line(request.environment, field="environment", minimum=0, maximum=short),
        version_name=clean_line(request.version_name, field="version_name", minimum=1, maximum=long),
        repository_name=_repository_name(request.repository_name, minimum=0),
        sha=request.sha,
        url=limits.clean_url(request.url),
        deployed_at=moment_from(request.deployed_at, field="deployed_at") if request.HasField("deployed_at") else None,
        external_reference=clean_line(request.external_reference, field="external_reference", minimum=0, maximum=long),
    )


def changes_before_queries(request: rpc_pb.BatchListChangesBeforeRequest) -> list[ChangesBeforeQuery]:
    """The moments that changes are asked for.

    Raises:
        InvalidArgument: there are too many, two have one key, or one has no moment or window.
    """
    if len(request.queries) > MAXIMUM_BATCH:
        raise InvalidArgument(
            f"ask for at most {MAXIMUM_BATCH} moments at once, these are {len(request.queries)}", field="queries"
        )
    queries: dict[str, ChangesBeforeQuery] = {}
    for number, query in enumerate(request.queries):
        path = f"queries.{number}"
        if query.key in queries:
            raise InvalidArgument("this key is used twice; give each moment its own", field=f"{path}.key")
        if not 1 <= query.window_seconds <= limits.MAXIMUM_WINDOW_SECONDS:
            raise InvalidArgument(
                f"this must be 1 to {limits.MAXIMUM_WINDOW_SECONDS:,} (30 days)",
                field=f"{path}.window_seconds",
            )
        if not query.HasField("before"):
            raise InvalidArgument("this moment is missing", field=f"{path}.before")
        service = searchable(query.service, field=f"{path}.service")
        before = moment_from(query.before, field=f"{path}.before")
        queries[query.key] = ChangesBeforeQuery(query.key, service, before, query.window_seconds)
    return list(queries.values())


def changelog_ids(ids: Sequence[str]) -> list[UUID]:
    """The changelogs of which something is asked, each once.

    Raises:
        InvalidArgument: there are too many, or one is malformed.
    """
    return parse_ids(ids, field="changelog_ids", maximum=MAXIMUM_CHANGELOG_BATCH)


def first_of(first: int) -> int:
    """How many are wanted for each.

    Raises:
        InvalidArgument: it is not 1 to 100.
    """
    if not 1 <= first <= MAXIMUM_FIRST:
        raise InvalidArgument(f"this must be 1 to {MAXIMUM_FIRST}, it is {first}", field="first")
    return first


def state_of(number: "pb.ChangelogState.ValueType") -> domain.ChangelogState | None:
    """The state that a list is narrowed to; None for all.

    Raises:
        InvalidArgument: there is no such state.
    """
    if number == pb.ChangelogState.CHANGELOG_STATE_UNSPECIFIED:
        return None
    names = {value: name for name, value in pb.ChangelogState.items() if value}
    if number not in names:
        raise InvalidArgument(f"this must be one of {', '.join(names.values())}", field="state")
    return domain.ChangelogState(names[number].removeprefix("CHANGELOG_STATE_"))


def searchable(text: str, *, field: str) -> str:
    """Text that can be looked for.

    Raises:
        InvalidArgument: it holds NUL, which no stored text does.
    """
    if "\x00" in text:
        raise InvalidArgument("this must not hold NUL characters", field=field)
    return text


def _repository_name(name: str, *, minimum: int) -> str:
    return clean_line(name, field="repository_name", minimum=minimum, maximum=limits.MAXIMUM_NAME_CHARACTERS)


def _commits(inputs: Sequence[pb.CommitInput], *, full_shas: bool) -> tuple[Commit, ...]:
    if not inputs:
        raise InvalidArgument("give at least one commit", field="commits")
    if len(inputs) > limits.MAXIMUM_COMMITS:
        raise TooManyCommits(
            f"one request takes at most {limits.MAXIMUM_COMMITS:,} commits, these are {len(inputs):,}; "
            "push them in batches and name a range",
            maximum=str(limits.MAXIMUM_COMMITS),
            field="commits",
        )
    commits = tuple(_commit(each, f"commits.{number}") for number, each in enumerate(inputs))
    limits.check_commits(commits, full_shas=full_shas)
    return commits


def _commit(given: pb.CommitInput, path: str) -> Commit:
    at = f"{path}.committed_at"
    try:
        committed_at = moment_from(given.committed_at, field=at) if given.HasField("committed_at") else None
    except InvalidArgument as error:
        raise CommitInvalid(f"{error.message}; nothing was stored", field=at) from error
    return Commit(
        sha=given.sha,
        message=given.message,
        author_name=given.author_name.strip(),
        author_email=given.author_email.strip(),
        committed_at=committed_at,
        parent_shas=tuple(dict.fromkeys(given.parent_shas)),
        tags=tuple(dict.fromkeys(given.tags)),
        paths=tuple(given.paths),
    )
