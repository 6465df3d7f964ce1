"""What the reads give: pages, words, ranges of changelogs, and the changes before moments, on real Postgres."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.changelog.tests.factories import START, sha

from changelog_service import changes, queries, usecases
from changelog_service.commands import (
    ChangesBeforeQuery,
    CommitRange,
    GenerateChangelog,
    PublishChangelog,
    PushCommits,
    RecordDeployment,
)
from changelog_service.commits import Commit
from changelog_service.domain import Changelog, ChangelogState, Deployment
from chassis.db import Database, UnitOfWork
from chassis.errors import CursorInvalid, InvalidArgument
from chassis.ids import uuid7
from chassis.paging import Page, Slice, encode_cursor
from chassis.redaction import Redactor
from chassis.testing.plugin import QueryCounter

FIRST = Page(first=100, after="")


class Given:
    """What is stored for a test."""

    def __init__(self, uow: UnitOfWork, redactor: Redactor) -> None:
        self.uow = uow
        self._redactor = redactor

    async def push(self, *commits: Commit, name: str = "shop/api", services: Sequence[str] = ()) -> UUID:
        async with self.uow.begin() as tx:
            cmd = PushCommits(name, tuple(services), commits)
            return (await usecases.push_commits(cmd, tx, self._redactor))[0].id

    async def generate(self, *commits: Commit, start: str = "", end: str = "", name: str = "shop/api") -> Changelog:
        async with self.uow.begin() as tx:
            cmd = GenerateChangelog(name, CommitRange(start, end) if end else commits, "")
            return await usecases.generate_changelog(cmd, tx, self._redactor)

    async def publish(self, changelog: Changelog) -> None:
        async with self.uow.begin() as tx:
            await usecases.publish_changelog(PublishChangelog(changelog.id, changelog.version), tx)

    async def record(self, at: datetime, service: str = "api", **fields: Any) -> Deployment:
        values: dict[str, Any] = {
            "environment": "", "version_name": "1", "repository_name": "", "sha": "", "url": "",
            "external_reference": "",
        }  # fmt: skip
        async with self.uow.begin() as tx:
            cmd = RecordDeployment(service=service, deployed_at=at, **(values | fields))
            return await usecases.record_deployment(cmd, tx, self._redactor)


@pytest.fixture
def stored(uow: UnitOfWork, redactor: Redactor) -> Given:
    return Given(uow, redactor)


def commit(name: object, message: str = "feat: it", *, at: datetime | None = START, **fields: Any) -> Commit:
    return Commit(sha(name), message, committed_at=at, **fields)


async def walked(list_: Any, database: Database, **wanted: Any) -> list[Any]:
    """Every item of a list, page by page, three at a time."""
    found: list[Any] = []
    after = ""
    async with database.read() as tx:
        while True:
            page: Slice[Any] = await list_(Page(3, after), tx, **wanted)
            assert len(page.items) == len(page.cursors)
            found += page.items
            if not page.has_next_page:
                return found
            after = page.cursors[-1]


async def test_pages_of_commits_hold_each_once_also_those_of_one_moment_or_none(
    stored: Given, database: Database
) -> None:
    times = [START, START, START, START + timedelta(hours=1), None, None, None, START - timedelta(hours=1)]
    await stored.push(*(commit(number, at=at) for number, at in enumerate(times)))

    found = await walked(queries.list_commits, database, repository_name="", text="")

    assert [each.commit.committed_at for each in found] == [
        START + timedelta(hours=1), START, START, START, START - timedelta(hours=1), None, None, None,
    ]  # fmt: skip
    assert len({each.id for each in found}) == len(times)


async def test_commits_are_found_by_repository_and_words(stored: Given, database: Database) -> None:
    await stored.push(commit(1, "fix: the Price of 100%_off"), commit(2, "fix: the cart"), name="shop/api")
    await stored.push(commit(3, "fix: the price"), name="shop/web")

    async def found(name: str, text: str) -> set[str]:
        async with database.read() as tx:
            page = await queries.list_commits(FIRST, tx, repository_name=name, text=text)
        return {each.commit.sha for each in page.items}

    assert await found("", "price THE") == {sha(1), sha(3)}
    assert await found("SHOP/api", "price") == {sha(1)}
    assert await found("", "100%_off") == {sha(1)}
    assert await found("", "1%f") == set()
    assert await found("nobody/knows", "") == set()


async def test_repositories_are_listed_by_name(stored: Given, database: Database) -> None:
    for name in ("Zoo", "api", "Web", "beta"):
        await stored.push(commit(name), name=name)

    found = await walked(queries.list_repositories, database, name="")
    one = await walked(queries.list_repositories, database, name="ZOO")

    assert [each.name for each in found] == ["api", "beta", "Web", "Zoo"]
    assert [each.name for each in one] == ["Zoo"]


async def test_deployments_are_listed_newest_first(stored: Given, database: Database) -> None:
    for minutes in (5, 1, 1, 3, 2):
        await stored.record(START + timedelta(minutes=minutes))
    await stored.record(START, "web", environment="staging")

    found = await walked(queries.list_deployments, database, service="", environment="")
    staged = await walked(queries.list_deployments, database, service="", environment="staging")

    assert [each.deployed_at - START for each in found] == [timedelta(minutes=m) for m in (5, 3, 2, 1, 1, 0)]
    assert len({each.id for each in found}) == 6
    assert [each.service for each in staged] == ["web"]


async def test_changelogs_are_listed_newest_first_and_drafts_only_where_they_exist(
    stored: Given, database: Database
) -> None:
    first, second = await stored.generate(commit(1)), await stored.generate(commit(2))
    third = await stored.generate(commit(3), name="shop/web")
    await stored.publish(first)

    async def found(**wanted: Any) -> list[UUID]:
        values = {"repository_name": "", "state": None, "drafts": True} | wanted
        return [each.id for each in await walked(queries.list_changelogs, database, **values)]

    assert await found() == [third.id, second.id, first.id]
    assert await found(repository_name="SHOP/API") == [second.id, first.id]
    assert await found(state=ChangelogState.DRAFT) == [third.id, second.id]
    assert await found(drafts=False) == [first.id]
    assert await found(drafts=False, state=ChangelogState.DRAFT) == []
    async with database.read() as tx:
        ids = [first.id, second.id, uuid7()]
        shown = await queries.batch_get_changelogs(ids, tx, drafts=False)
        assert [each.id for each in shown] == [first.id]
        assert {each.id for each in await queries.batch_get_changelogs(ids, tx, drafts=True)} == {first.id, second.id}


async def test_a_page_of_changelogs_is_as_long_as_an_answer_can_carry(
    stored: Given, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [await stored.generate(commit(number)) for number in range(4)]
    size = len(made[0].markdown) + len(made[0].json)
    monkeypatch.setattr(queries, "MAXIMUM_PAGE_BYTES", int(2.5 * size))

    async with database.read() as tx:
        page = await queries.list_changelogs(FIRST, tx, repository_name="", state=None, drafts=True)
    every = await walked(queries.list_changelogs, database, repository_name="", state=None, drafts=True)

    assert (len(page.items), page.has_next_page) == (2, True)
    assert [each.id for each in every] == [each.id for each in reversed(made)]


async def test_a_batch_of_changelogs_that_no_answer_can_carry_is_refused_and_a_smaller_one_is_not(
    stored: Given, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [await stored.generate(commit(number)) for number in range(3)]
    ids = [each.id for each in made]
    size = len(made[0].markdown) + len(made[0].json)

    async def got(wanted: list[UUID], *, maximum: float) -> set[UUID]:
        monkeypatch.setattr(queries, "MAXIMUM_PAGE_BYTES", int(maximum * size))
        async with database.read() as tx:
            return {each.id for each in await queries.batch_get_changelogs(wanted, tx, drafts=True)}

    with pytest.raises(InvalidArgument, match="ask for fewer at once") as refused:
        await got(ids, maximum=2.5)

    assert refused.value.metadata["field"] == "ids"
    assert await got(ids[:2], maximum=2.5) == set(ids[:2])
    assert await got(ids[:1], maximum=0.5) == set(ids[:1])
    assert await got([], maximum=0.5) == set()


@pytest.mark.parametrize(
    "cursor", [encode_cursor(2**62, str(uuid7())), encode_cursor("x")], ids=["a moment that is none", "no moment"]
)
async def test_a_cursor_of_no_moment_is_refused(database: Database, cursor: str) -> None:
    async with database.read() as tx:
        with pytest.raises(CursorInvalid):
            await queries.list_commits(Page(1, cursor), tx, repository_name="", text="")
        with pytest.raises(CursorInvalid):
            await queries.list_deployments(Page(1, cursor), tx, service="", environment="")


async def test_a_changelog_knows_its_commits_and_deployments(stored: Given, database: Database) -> None:
    await stored.push(commit(1), commit(2), name="shop/web")
    await stored.push(commit(1), commit(2), commit(3), name="shop/api")
    draft = await stored.generate(commit(3), commit("unknown"), commit(1))
    other = await stored.generate(commit(2))
    old = await stored.record(START, sha=sha(1))
    new = await stored.record(START + timedelta(hours=1), sha=sha(3), repository_name="shop/api")
    await stored.record(START, sha=sha(1), repository_name="shop/web")
    await stored.record(START)
    await stored.publish(other)
    ids = [draft.id, other.id]

    async with database.read() as tx:
        commits = await queries.batch_list_changelog_commits(ids, 10, tx, drafts=True)
        one = await queries.batch_list_changelog_commits(ids, 1, tx, drafts=True)
        seen = await queries.batch_list_changelog_commits(ids, 10, tx, drafts=False)
        deployed = await queries.batch_list_changelog_deployments(ids, 10, tx, drafts=True)
        newest = await queries.batch_list_changelog_deployments(ids, 1, tx, drafts=True)
        hidden = await queries.batch_list_changelog_deployments(ids, 10, tx, drafts=False)

    assert {key: [each.commit.sha for each in found] for key, found in commits.items()} == {
        draft.id: [sha(3), sha(1)], other.id: [sha(2)],
    }  # fmt: skip
    assert {each.repository_id for each in commits[draft.id]} == {draft.repository_id}
    assert [each.commit.sha for each in one[draft.id]] == [sha(3)]
    assert set(seen) == {other.id}
    assert {key: [each.id for each in found] for key, found in deployed.items()} == {draft.id: [new.id, old.id]}
    assert [each.id for each in newest[draft.id]] == [new.id]
    assert hidden == {}


async def test_changes_are_those_of_the_service_or_of_what_may_be_it(stored: Given, database: Database) -> None:
    await stored.push(commit("api"), name="api", services=["api"])
    await stored.push(commit("web"), name="web", services=["web"])
    await stored.push(commit("any"), name="any")
    await stored.push(commit("untimed", at=None), name="any")
    mine, theirs = await stored.record(START, "api"), await stored.record(START, "web")

    async def found(service: str) -> set[object]:
        async with database.read() as tx:
            answers = await changes.batch_list_changes_before([ChangesBeforeQuery("k", service, START, 60)], 100, tx)
        ((_, told, truncated),) = ((each.key, each.changes, each.truncated) for each in answers)
        assert not truncated
        return {each.what.id if isinstance(each.what, Deployment) else each.what.commit.sha for each in told}

    assert await found("api") == {mine.id, sha("api"), sha("any")}
    assert await found("") == {mine.id, theirs.id, sha("api"), sha("web"), sha("any")}
    assert await found("new") == {sha("any")}


async def test_a_moment_before_the_calendar_has_no_changes(database: Database) -> None:
    async with database.read() as tx:
        first = datetime(1, 1, 1, tzinfo=UTC)
        assert await changes.batch_list_changes_before([ChangesBeforeQuery("k", "", first, 2_592_000)], 5, tx) == []
        assert await changes.batch_list_changes_before([], 5, tx) == []


moments = st.integers(0, 40).map(lambda seconds: START + timedelta(seconds=seconds, microseconds=seconds % 3))
kinds = st.tuples(st.sampled_from(["deployment", "commit"]), st.sampled_from(["api", "web"]), moments)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    told=st.lists(kinds, max_size=12),
    asked=st.lists(st.tuples(st.sampled_from(["api", "web"]), moments, st.integers(1, 30)), min_size=1, max_size=5),
    first=st.integers(1, 6),
)
async def test_no_change_is_later_than_the_moment_and_none_of_the_newest_is_missing(
    stored: Given, database: Database, told: list[tuple[str, str, datetime]],
    asked: list[tuple[str, datetime, int]], first: int,
) -> None:  # fmt: skip
    example = str(uuid7())
    for number, (kind, service, at) in enumerate(told):
        if kind == "deployment":
            await stored.record(at, f"{example}-{service}")
        else:
            name = f"{example}-{service}"
            await stored.push(commit(f"{example}-{number}", at=at), name=name, services=[name])

    wanted = [
        ChangesBeforeQuery(str(number), f"{example}-{service}", before, window)
        for number, (service, before, window) in enumerate(asked)
    ]
    async with database.read() as tx:
        answers = {each.key: each for each in await changes.batch_list_changes_before(wanted, first, tx)}
        everything = await changes.batch_list_changes_before(
            [ChangesBeforeQuery("all", "", before, window) for _, before, window in asked], first, tx
        )

    for number, (service, before, window) in enumerate(asked):
        start = before - timedelta(seconds=window)
        expected = sorted((at for _, own, at in told if own == service and start <= at <= before), reverse=True)
        answer = answers.pop(str(number), None)
        found = [] if answer is None else [change.at for change in answer.changes]
        assert found == expected[:first]
        assert (answer is not None and answer.truncated) == (len(expected) > first)
    assert answers == {}
    latest = max(before for _, before, _ in asked)
    assert all(change.at <= latest for each in everything for change in each.changes)


async def test_every_read_takes_a_fixed_number_of_statements(
    stored: Given, database: Database, query_counter: QueryCounter
) -> None:
    await stored.push(*(commit(number) for number in range(20)), services=["api"])
    drafts = [await stored.generate(end=sha(number)) for number in range(5)]
    deployments = [await stored.record(START, sha=sha(number)) for number in range(5)]
    ids = [each.id for each in drafts]

    taken: Counter[str] = Counter()
    async with database.read() as tx:
        commits = (await queries.list_commits(FIRST, tx, repository_name="", text="")).items
        moments_ = [ChangesBeforeQuery(str(n), ("api", "")[n % 2], START, 60) for n in range(50)]
        for name, call in {
            "batch_get_changelogs": lambda: queries.batch_get_changelogs(ids, tx, drafts=True),
            "batch_get_repositories": lambda: queries.batch_get_repositories([drafts[0].repository_id], tx),
            "batch_get_commits": lambda: queries.batch_get_commits([each.id for each in commits], tx),
            "batch_get_deployments": lambda: queries.batch_get_deployments([each.id for each in deployments], tx),
            "list_changelogs": lambda: queries.list_changelogs(FIRST, tx, repository_name="", state=None, drafts=True),
            "list_repositories": lambda: queries.list_repositories(FIRST, tx, name=""),
            "list_commits": lambda: queries.list_commits(FIRST, tx, repository_name="shop/api", text="it"),
            "list_deployments": lambda: queries.list_deployments(FIRST, tx, service="", environment=""),
            "batch_list_changelog_commits": lambda: queries.batch_list_changelog_commits(ids, 10, tx, drafts=True),
            "batch_list_changelog_deployments": lambda: queries.batch_list_changelog_deployments(
                ids, 10, tx, drafts=True
            ),
            "batch_list_changes_before": lambda: changes.batch_list_changes_before(moments_, 20, tx),
        }.items():
            with query_counter(database) as statements:
                await call()  # type: ignore[no-untyped-call]
            taken[name] = len(statements)

    assert taken == dict.fromkeys(taken, 1)
    assert len(taken) == 11
