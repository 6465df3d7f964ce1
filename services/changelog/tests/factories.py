"""What tests of changelog share: commits to push, and the ai service as changelog meets it, over real gRPC."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import func, select

from aiops.ai.v1 import ai_service_pb2 as ai_pb
from aiops.ai.v1.ai_service_pb2_grpc import AiServiceServicer
from aiops.ai.v1.highlight_pb2 import HighlightSentence
from aiops.ai.v1.run_pb2 import Engine, Run
from aiops.changelog.v1 import changelog_service_pb2 as pb
from aiops.changelog.v1.changelog_pb2 import CommitInput
from aiops.events.v1.envelope_pb2 import Envelope
from changelog_service import usecases
from changelog_service.commands import (
    CommitRange,
    GenerateChangelog,
    PublishChangelog,
    PushCommits,
    RecordDeployment,
)
from changelog_service.commits import Bump, Commit, Entry, Section
from changelog_service.domain import Changelog, ChangelogState, HighlightState, Repository
from changelog_service.tables import CHANGELOG_COMMITS, CHANGELOGS, COMMITS, DEPLOYMENTS, REPOSITORIES, TAGS
from chassis.db import Database, UnitOfWork
from chassis.ids import uuid7
from chassis.redaction import Redactor
from chassis.rpc.server import Context

if TYPE_CHECKING:
    from chassis.errors import DomainError

Call = Callable[[str, Any], Awaitable[Any]]
Published = Callable[[Database], Awaitable[list[tuple[str, Envelope]]]]
Answer = Callable[[ai_pb.WordHighlightsRequest], ai_pb.WordHighlightsResponse]
KEY = "key-0000000000000001"
START = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)


def sha(name: object) -> str:
    """The hash that stands for a name in tests."""
    return hashlib.sha1(str(name).encode(), usedforsecurity=False).hexdigest()


def stamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def commit_input(
    name: object, message: str = "feat: add a thing", *, parents: Iterable[object] = (), tags: Iterable[str] = (),
    at: datetime | None = START, email: str = "ann@example.com", paths: Sequence[str] = (),
) -> CommitInput:  # fmt: skip
    return CommitInput(
        sha=sha(name), message=message, author_name="Ann", author_email=email,
        committed_at=None if at is None else stamp(at), parent_shas=[sha(parent) for parent in parents],
        tags=tags, paths=paths,
    )  # fmt: skip


def line(names: Sequence[object], *, tags: dict[object, list[str]] | None = None) -> list[CommitInput]:
    """A history without branches, the oldest first, a minute apart."""
    tags = tags or {}
    return [
        commit_input(
            name, f"feat: add {name}", parents=names[number - 1 : number] if number else (),
            tags=tags.get(name, ()), at=START + timedelta(minutes=number),
        )
        for number, name in enumerate(names)
    ]  # fmt: skip


def push(
    commits: Iterable[CommitInput], *, repository: str = "shop/api", services: Iterable[str] = (), key: str = KEY
) -> pb.PushCommitsRequest:
    return pb.PushCommitsRequest(idempotency_key=key, repository_name=repository, services=services, commits=commits)


def generate(
    commits: Iterable[CommitInput] = (), *, start: str = "", end: str = "", repository: str = "shop/api",
    key: str = KEY, previous_version: str = "",
) -> pb.GenerateChangelogRequest:  # fmt: skip
    source: dict[str, Any] = {"commits": pb.CommitList(commits=commits)}
    if end:
        source = {"range": pb.CommitRange(from_ref=start, to_ref=end)}
    return pb.GenerateChangelogRequest(
        idempotency_key=key, repository_name=repository, previous_version=previous_version, **source
    )


def draft(**fields: Any) -> Changelog:
    """A changelog of one commit that waits for its highlights."""
    values: dict[str, Any] = {
        "id": uuid7(), "version": 1, "repository_id": uuid7(), "repository_name": "shop/api", "from_ref": "",
        "to_ref": "", "state": ChangelogState.DRAFT, "bump": Bump.MINOR, "bump_sha": sha("a"),
        "previous_version": "1.0.0", "next_version": "1.1.0", "entries": (entry("c1", shas=("a",)),), "excluded": (),
        "commit_count": 1, "markdown": "m", "json": "{}", "highlight_state": HighlightState.PENDING,
        "highlights": None, "highlight_failure": "", "created_by_kind": "user", "created_by_id": "u1",
        "created_at": START, "updated_at": START,
    }  # fmt: skip
    return Changelog(**(values | fields))


def entry(key: str, text: str = "Add a basket", *, shas: Iterable[object] = ("a",), **fields: Any) -> Entry:
    values: dict[str, Any] = {
        "section": Section.ADDED, "scope": "", "breaking": False, "breaking_note": "", "references": (),
    }  # fmt: skip
    return Entry(key=key, text=text, commit_shas=tuple(sha(name) for name in shas), **(values | fields))


class ScriptedAi(AiServiceServicer):
    """Words each entry as the built-in engine would, unless told otherwise."""

    def __init__(self) -> None:
        self.target = ""
        self.requests: list[ai_pb.WordHighlightsRequest] = []
        self.answer: Answer = builtin_answer
        self.errors: list[DomainError] = []
        """Raised first, one for each call."""
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()

    async def WordHighlights(  # noqa: N802 - the proto's name
        self, request: ai_pb.WordHighlightsRequest, _context: Context
    ) -> ai_pb.WordHighlightsResponse:
        self.requests.append(request)
        self.asked.set()
        await self.may_answer.wait()
        if self.errors:
            raise self.errors.pop(0)
        return self.answer(request)

    async def SummarizeEvidence(self, request: ai_pb.SummarizeEvidenceRequest, _context: Context) -> Any:  # noqa: N802
        raise NotImplementedError

    async def TriageTicket(self, request: ai_pb.TriageTicketRequest, _context: Context) -> Any:  # noqa: N802
        raise NotImplementedError

    async def BatchGetRuns(self, request: ai_pb.BatchGetRunsRequest, _context: Context) -> Any:  # noqa: N802
        raise NotImplementedError


def builtin_sentences(request: ai_pb.WordHighlightsRequest) -> list[HighlightSentence]:
    return [HighlightSentence(text=f"{entry.text}.", entry_keys=[entry.key]) for entry in request.entries]


def builtin_answer(request: ai_pb.WordHighlightsRequest) -> ai_pb.WordHighlightsResponse:
    sentences = builtin_sentences(request)
    run = Run(id="0198c0de-0000-7000-8000-00000000a1a1", task="word_highlights", engine=Engine.ENGINE_BUILTIN)
    return ai_pb.WordHighlightsResponse(run=run, highlights=sentences, builtin_highlights=sentences)


def openai_answer(*sentences: HighlightSentence) -> Answer:
    """A model's sentences, with the built-in ones beside them."""

    def answer(request: ai_pb.WordHighlightsRequest) -> ai_pb.WordHighlightsResponse:
        run = Run(id="0198c0de-0000-7000-8000-00000000a1a2", engine=Engine.ENGINE_OPENAI, model="m-1")
        return ai_pb.WordHighlightsResponse(
            run=run, highlights=sentences, builtin_highlights=builtin_sentences(request)
        )

    return answer


def commit_of(name: object, *parents: object, message: str | None = None, minutes: int = 0, **fields: Any) -> Commit:
    return Commit(
        sha(name), f"feat: add {name}" if message is None else message, committed_at=START + timedelta(minutes=minutes),
        parent_shas=tuple(sha(parent) for parent in parents), **fields,
    )  # fmt: skip


class Changes:
    """The writes, each in a transaction of its own."""

    def __init__(self, uow: UnitOfWork, redactor: Redactor) -> None:
        self._uow = uow
        self._redactor = redactor

    async def push(
        self, *commits: Commit, name: str = "shop/api", services: Iterable[str] = ()
    ) -> tuple[Repository, int]:
        async with self._uow.begin() as tx:
            return await usecases.push_commits(PushCommits(name, tuple(services), commits), tx, self._redactor)

    async def generate(self, source: tuple[Commit, ...] | CommitRange, *, previous: str = "") -> Changelog:
        async with self._uow.begin() as tx:
            return await usecases.generate_changelog(
                GenerateChangelog("shop/api", source, previous), tx, self._redactor
            )

    async def of_range(self, start: str, end: str) -> list[str]:
        """The hashes of a range, newest first, as the notes account for them."""
        changelog = await self.generate(CommitRange(start, end))
        async with self._uow.database.read() as tx:
            rows = await tx.fetch_all(
                select(CHANGELOG_COMMITS.c.sha)
                .where(CHANGELOG_COMMITS.c.changelog_id == changelog.id)
                .order_by(CHANGELOG_COMMITS.c.position)
            )
        return [row.sha for row in rows]

    async def publish(self, changelog: Changelog, *, version: int = 0) -> Changelog:
        async with self._uow.begin() as tx:
            return await usecases.publish_changelog(PublishChangelog(changelog.id, version or changelog.version), tx)

    async def record(self, **fields: Any) -> Any:
        values: dict[str, Any] = {
            "service": "api", "environment": "", "version_name": "1.0.0", "repository_name": "", "sha": "", "url": "",
            "deployed_at": None, "external_reference": "",
        }  # fmt: skip
        async with self._uow.begin() as tx:
            return await usecases.record_deployment(RecordDeployment(**(values | fields)), tx, self._redactor)


async def counts(database: Database) -> dict[str, int]:
    async with database.read() as tx:
        return {
            table.name: (await tx.fetch_all(select(func.count()).select_from(table)))[0][0]
            for table in (REPOSITORIES, COMMITS, TAGS, CHANGELOGS, CHANGELOG_COMMITS, DEPLOYMENTS)
        }
