"""Between protos and domain: every enum has its twin, every fact travels, every refusal names its field."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from services.changelog.tests.factories import START, commit_input, draft, entry, generate, push, sha, stamp

from aiops.ai.v1.run_pb2 import Engine, Run
from aiops.changelog.v1 import changelog_pb2 as pb
from aiops.changelog.v1 import changelog_service_pb2 as rpc_pb
from aiops.errors.v1.error_reason_pb2 import ErrorReason
from changelog_service import convert, convert_highlights, convert_requests, domain, errors
from changelog_service.commits import Bump, ExclusionReason, Section
from changelog_service.errors import CommitInvalid, TooManyCommits
from changelog_service.highlights import CheckedHighlights, CheckedSentence
from chassis.errors import DomainError, InvalidArgument
from chassis.ids import uuid7

FACTS = (
    domain.RepositoryCommitsPushed(uuid7(), 1, "shop/api", 3),
    domain.ChangelogGenerated(uuid7(), 1, uuid7(), 3),
    domain.ChangelogHighlighted(uuid7(), 2, "builtin"),
    domain.ChangelogHighlightsSuggested(uuid7(), 3, uuid7(), "openai"),
    domain.ChangelogSuggestionAccepted(uuid7(), 4, uuid7()),
    domain.ChangelogSuggestionDismissed(uuid7(), 4, uuid7()),
    domain.ChangelogReleased(uuid7(), 3, uuid7(), "1.1.0"),
    domain.DeploymentRecorded(uuid7(), 1, "api", "production", "1.0.0"),
)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Section, pb.ChangelogSection.DESCRIPTOR),
        (Bump, pb.VersionBump.DESCRIPTOR),
        (ExclusionReason, pb.ExclusionReason.DESCRIPTOR),
        (domain.ChangelogState, pb.ChangelogState.DESCRIPTOR),
        (domain.HighlightState, pb.HighlightState.DESCRIPTOR),
    ],
)
def test_enums_are_the_same_on_both_sides(ours: Any, theirs: EnumDescriptor) -> None:
    prefix = theirs.values[0].name.removesuffix("UNSPECIFIED")

    assert {prefix + each.value for each in ours} == {value.name for value in theirs.values[1:]}


def test_every_refusal_is_a_reason_of_the_closed_list() -> None:
    reasons = {
        each.reason for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, DomainError) and each.__module__ == errors.__name__
    }  # fmt: skip

    assert len(reasons) == 11
    assert {f"ERROR_REASON_{reason}" for reason in reasons} <= set(ErrorReason.keys())


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_a_fact_travels_whole(fact: Any) -> None:
    event = convert.fact_to_event(fact)

    assert event.aggregate_version == fact.version
    assert str(event.aggregate_id) == str(next(getattr(fact, name) for name in fact.__slots__ if name.endswith("_id")))
    assert {field.name for field, _ in event.payload.ListFields()} == set(fact.__slots__) - {"version"}


def test_what_is_no_fact_is_a_defect() -> None:
    with pytest.raises(TypeError):
        convert.fact_to_event(draft())


def test_a_changelog_leaves_with_every_field() -> None:
    worded = domain.Highlights(
        (domain.Highlight("A basket is kept.", ("c1",), "openai"),), "openai", "m-1", "run", "timeout", 2
    )
    changelog = draft(
        from_ref="v1", to_ref="v2", entries=(entry("c1", scope="s", breaking=True, breaking_note="n"),),
        excluded=(), highlights=worded, highlight_state=domain.HighlightState.READY, version=3,
        state=domain.ChangelogState.PUBLISHED, published_by_kind="service_account", published_by_id="m",
        published_at=START, highlight_suggestions=(domain.HighlightsSuggestion(uuid7(), worded, 2, START),),
    )  # fmt: skip

    message = convert.changelog_to_proto(changelog)

    missing = {field.name for field in pb.Changelog.DESCRIPTOR.fields} - {f.name for f, _ in message.ListFields()}
    assert missing == {"excluded", "highlight_failure"}
    assert message.entries[0].section == pb.ChangelogSection.CHANGELOG_SECTION_ADDED
    assert message.highlights.highlights[0].entry_keys == ["c1"]
    assert message.highlights.replaced_count == 2


def test_push_takes_each_commit_as_it_was_written() -> None:
    cmd = convert_requests.push_command(
        push(
            [commit_input("a", parents=["b", "b"], tags=["v1", "v1"], paths=["x"])],
            repository=" shop/api ",
            services=["a", "a"],
        )
    )

    (commit,) = cmd.commits
    assert (cmd.repository_name, cmd.services) == ("shop/api", ("a",))
    assert (commit.sha, commit.parent_shas, commit.tags, commit.paths) == (sha("a"), (sha("b"),), ("v1",), ("x",))
    assert (commit.committed_at, commit.author_email) == (START, "ann@example.com")


@pytest.mark.parametrize(
    ("request_", "error", "field"),
    [
        (push([]), InvalidArgument, "commits"),
        (push([commit_input(n) for n in range(1001)]), TooManyCommits, "commits"),
        (push([commit_input(1)], repository=" "), InvalidArgument, "repository_name"),
        (push([commit_input(1)], repository="x" * 201), InvalidArgument, "repository_name"),
        (push([commit_input(1)], repository="a\x00b"), InvalidArgument, "repository_name"),
        (push([commit_input(1)], services=["api", ""]), InvalidArgument, "services.1"),
        (push([commit_input(1)], services=["a"] * 101), InvalidArgument, "services"),
        (push([commit_input(1), pb.CommitInput(sha="abc1234")]), CommitInvalid, "commits.1.sha"),
        (push([commit_input(1, "x" * 1_000_000)]), CommitInvalid, "commits.0.message"),
    ],
)
def test_a_push_that_cannot_be_taken_names_the_field(request_: Any, error: type[DomainError], field: str) -> None:
    with pytest.raises(error) as refused:
        convert_requests.push_command(request_)

    assert refused.value.metadata["field"] == field


def test_a_time_beyond_the_calendar_names_the_commit() -> None:
    wrong = commit_input(2)
    wrong.committed_at.CopyFrom(Timestamp(seconds=2**60))

    with pytest.raises(CommitInvalid) as refused:
        convert_requests.push_command(push([commit_input(1), wrong]))

    assert refused.value.metadata == {"field": "commits.1.committed_at"}


@pytest.mark.parametrize(
    ("request_", "error", "field"),
    [
        (rpc_pb.GenerateChangelogRequest(repository_name="a"), InvalidArgument, "source"),
        (generate([]), InvalidArgument, "commits"),
        (generate([commit_input(n) for n in range(1001)]), TooManyCommits, "commits"),
        (generate([commit_input(1), commit_input(1)]), CommitInvalid, "commits.1.sha"),
        (generate([pb.CommitInput(sha="abc123")]), CommitInvalid, "commits.0.sha"),
        (generate(start="a\x00", end="b"), InvalidArgument, "range.from_ref"),
        (generate(start="a", end=" "), InvalidArgument, "range.to_ref"),
        (generate([commit_input(1)], repository=""), InvalidArgument, "repository_name"),
    ],
)
def test_a_wish_for_a_draft_that_cannot_be_met_names_the_field(
    request_: Any, error: type[DomainError], field: str
) -> None:
    with pytest.raises(error) as refused:
        convert_requests.generate_command(request_)

    assert refused.value.metadata["field"] == field


def test_short_hashes_are_taken_for_a_draft() -> None:
    cmd = convert_requests.generate_command(generate([pb.CommitInput(sha="abc1234", message="fix: it")]))

    assert isinstance(cmd.source, tuple)
    assert cmd.source[0].sha == "abc1234"


def record(**fields: Any) -> rpc_pb.RecordDeploymentRequest:
    return rpc_pb.RecordDeploymentRequest(**({"service": "api", "version_name": "1.0.0"} | fields))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"service": ""}, "service"),
        ({"service": "x" * 201}, "service"),
        ({"version_name": " "}, "version_name"),
        ({"environment": "x" * 101}, "environment"),
        ({"sha": "abc1234"}, "sha"),
        ({"sha": sha(1) + "\n"}, "sha"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"external_reference": "x" * 201}, "external_reference"),
        ({"deployed_at": Timestamp(seconds=-(2**60))}, "deployed_at"),
    ],
)
def test_a_deployment_that_cannot_be_taken_names_the_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        convert_requests.record_command(record(**fields))

    assert refused.value.metadata == {"field": field}


def moment(**fields: Any) -> rpc_pb.ChangesBeforeQuery:
    values: dict[str, Any] = {"key": "k", "before": stamp(START), "window_seconds": 60}
    return rpc_pb.ChangesBeforeQuery(**(values | fields))


@pytest.mark.parametrize(
    ("queries", "field"),
    [
        ([moment(), moment()], "queries.1.key"),
        ([moment(window_seconds=0)], "queries.0.window_seconds"),
        ([moment(window_seconds=2_592_001)], "queries.0.window_seconds"),
        ([rpc_pb.ChangesBeforeQuery(key="k", window_seconds=1)], "queries.0.before"),
        ([moment(before=Timestamp(seconds=2**60))], "queries.0.before"),
        ([moment(service="a\x00")], "queries.0.service"),
        ([moment(key=str(n)) for n in range(1001)], "queries"),
    ],
)
def test_a_moment_that_is_none_names_the_field(queries: list[Message], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        convert_requests.changes_before_queries(rpc_pb.BatchListChangesBeforeRequest(queries=queries))  # type: ignore[arg-type]

    assert refused.value.metadata == {"field": field}


def test_a_moment_is_never_rounded_up() -> None:
    exact = Timestamp(seconds=10, nanos=1_999_999)

    (query,) = convert_requests.changes_before_queries(
        rpc_pb.BatchListChangesBeforeRequest(queries=[moment(before=exact)])
    )

    assert query.before == datetime(1970, 1, 1, 0, 0, 10, 1999, tzinfo=UTC)


@pytest.mark.parametrize("ids", [["x"], [str(uuid7()) for _ in range(1001)]])
def test_a_batch_that_is_none_names_the_field(ids: list[str]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        convert_requests.changelog_ids(ids)
    assert refused.value.metadata == {"field": "changelog_ids"}


@pytest.mark.parametrize("first", [0, -1, 101])
def test_how_many_is_one_to_a_hundred(first: int) -> None:
    with pytest.raises(InvalidArgument) as refused:
        convert_requests.first_of(first)

    assert refused.value.metadata == {"field": "first"}


def test_an_unknown_state_is_refused() -> None:
    unknown: Any = 77

    with pytest.raises(InvalidArgument) as refused:
        convert_requests.state_of(unknown)

    assert refused.value.metadata == {"field": "state"}
    assert convert_requests.state_of(pb.ChangelogState.CHANGELOG_STATE_UNSPECIFIED) is None


def test_entries_travel_to_ai_and_sentences_back() -> None:
    told = entry("c1", "Keep baskets", section=Section.SECURITY, references=("#1",), scope="shop", breaking=True)

    request = convert_highlights.request_of(draft(), [told], key="key-0000000000000001")
    checked = CheckedHighlights(
        (CheckedSentence("S.", ("c1",), builtin=False), CheckedSentence("T.", ("c2",), builtin=True)), 3
    )
    by_model = convert_highlights.highlights_from(checked, Run(id="r", engine=Engine.ENGINE_OPENAI, model="m-1"))
    by_us = convert_highlights.highlights_from(checked, Run(id="r", engine=Engine.ENGINE_BUILTIN))

    assert (request.subject, request.entries[0].section, request.entries[0].breaking) == ("shop/api", "Security", True)
    assert [each.engine for each in by_model.highlights] == ["openai", "builtin"]
    assert (by_model.engine, by_model.model, by_model.replaced_count) == ("openai", "m-1", 3)
    assert (by_us.engine, by_us.replaced_count) == ("builtin", 0)
