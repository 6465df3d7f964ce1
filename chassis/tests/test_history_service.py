"""HistoryService: who hears what of a history, page by page, version by version."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from histories import parcel_id, rows_of
from office import ParcelsSettings, build
from parcels import HISTORIES, Parcel, move

from aiops.common.v1.page_pb2 import PageRequest
from aiops.history.v1 import history_service_pb2 as pb
from aiops.history.v1.history_service_pb2_grpc import HistoryServiceStub
from chassis.errors import DomainError
from chassis.ids import uuid7
from chassis.protos import moment_to_proto
from chassis.service import Service
from chassis.testing.harness import Installation, RunningService, running_service
from chassis.testing.plugin import MigratedSchemas, ServiceDatabase

PARCEL = str(parcel_id(1))


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "gateway", "depot"))


@pytest.fixture
def service(store: ServiceDatabase, installation: Installation) -> Service:
    values = installation.settings("parcels", database_url=store.app_url)
    return build(ParcelsSettings(**values), access_tokens=installation.access_tokens(), histories=HISTORIES)


@pytest_asyncio.fixture
async def running(service: Service, installation: Installation) -> AsyncIterator[RunningService]:
    async with running_service(service, installation) as running:
        yield running


@pytest_asyncio.fixture
async def told(running: RunningService, service: Service) -> Parcel:
    """A parcel to Anna with a note, three versions old."""
    uow = service.runtime.unit_of_work
    parcel = Parcel(parcel_id(1), city="Oslo", receiver="anna@example.org", note="ring twice")
    async with uow.begin() as tx:
        await move(tx, None, parcel)
    for change in ({"city": "Bergen"}, {"note": "ring once", "stamps": ["b"]}):
        async with uow.begin() as tx:
            await move(tx, parcel, parcel := parcel.changed(**change))
    return parcel


@pytest.fixture
def ask(running: RunningService, installation: Installation) -> Callable[..., Any]:
    async def ask(name: str, request: Any, *, role: str | None = "admin", caller: str = "gateway") -> Any:
        client = running.client(caller)
        with installation.as_viewer(role, caller=caller):
            return await client.call(getattr(HistoryServiceStub(client.channel), name), request)

    return ask


def page(first: int, after: str = "") -> PageRequest:
    return PageRequest(first=first, after=after)


@pytest.mark.usefixtures("told")
async def test_changes_come_in_pages_the_oldest_first(ask: Callable[..., Any], store: ServiceDatabase) -> None:
    one = await ask("ListChanges", pb.ListChangesRequest(kind="parcel", id=PARCEL, page=page(2)))
    two = await ask("ListChanges", pb.ListChangesRequest(kind="parcel", id=PARCEL, page=page(2, "2")))

    rows = await rows_of(store)
    assert [change.version for change in (*one.changes, *two.changes)] == [1, 2, 3]
    assert (one.page_info.has_next_page, one.page_info.end_cursor) == (True, "2")
    assert (two.page_info.has_next_page, two.page_info.end_cursor) == (False, "3")
    second = one.changes[1]
    assert (second.event, second.actor.id, second.hash) == ("Sent", "parcels", rows[1].hash)
    (operation,) = second.operations
    assert (operation.op, operation.path) == ("replace", "/city")
    assert (operation.value_json, operation.previous_json) == ('"Bergen"', '"Oslo"')


@pytest.mark.usefixtures("told")
async def test_a_field_is_shown_to_whoever_may_see_it(ask: Callable[..., Any]) -> None:
    request = pb.ListChangesRequest(kind="parcel", id=PARCEL, page=page(9))

    hr, ops = await ask("ListChanges", request, role="hr"), await ask("ListChanges", request, role="ops")

    assert [operation.path for operation in hr.changes[2].operations] == ["/note", "/stamps"]
    assert [operation.path for operation in ops.changes[2].operations] == ["/stamps"]
    note = hr.changes[2].operations[0]
    assert (note.value_json, note.previous_json) == ('"ring once"', '"ring twice"')
    state = pb.GetStateRequest(kind="parcel", id=PARCEL, version=3)
    assert set(json.loads((await ask("GetState", state, role="hr")).state_json)) == {
        "city",
        "note",
        "receiver",
        "stamps",
    }
    assert set(json.loads((await ask("GetState", state, role="ops")).state_json)) == {"city", "receiver", "stamps"}
    compare = pb.CompareVersionsRequest(kind="parcel", id=PARCEL, from_version=1, to_version=3)
    paths = [operation.path for operation in (await ask("CompareVersions", compare, role="ops")).operations]
    assert paths == ["/city", "/stamps"]


@pytest.mark.usefixtures("told")
async def test_a_field_that_is_not_listed_is_shown_to_nobody(ask: Callable[..., Any], service: Service) -> None:
    recorder = service.runtime.recorder
    assert recorder is not None
    listed = {name: rule for name, rule in HISTORIES[0].visible.items() if name != "city"}
    recorder.histories["parcel"] = replace(HISTORIES[0], visible=listed)

    answer = await ask("GetState", pb.GetStateRequest(kind="parcel", id=PARCEL, version=1))

    assert set(json.loads(answer.state_json)) == {"receiver", "note", "stamps"}


@pytest.mark.usefixtures("told")
async def test_a_state_is_asked_for_by_version_or_by_time(ask: Callable[..., Any], store: ServiceDatabase) -> None:
    second = (await rows_of(store))[1].changed_at

    by_version = await ask("GetState", pb.GetStateRequest(kind="parcel", id=PARCEL, version=2))
    by_time = await ask("GetState", pb.GetStateRequest(kind="parcel", id=PARCEL, time=moment_to_proto(second)))

    expected = {"city": "Bergen", "receiver": "anna@example.org", "note": "ring twice", "stamps": []}
    assert json.loads(by_version.state_json) == expected
    assert by_time == by_version
    assert by_version.version == 2
    assert by_version.time.ToDatetime(tzinfo=UTC) == second


@pytest.mark.usefixtures("told")
async def test_two_versions_are_compared_in_either_direction(ask: Callable[..., Any]) -> None:
    back = await ask(
        "CompareVersions", pb.CompareVersionsRequest(kind="parcel", id=PARCEL, from_version=2, to_version=1)
    )
    same = await ask(
        "CompareVersions", pb.CompareVersionsRequest(kind="parcel", id=PARCEL, from_version=2, to_version=2)
    )

    assert [(o.op, o.path, o.value_json, o.previous_json) for o in back.operations] == [
        ("replace", "/city", '"Oslo"', '"Bergen"')
    ]
    assert list(same.operations) == []


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (pb.GetStateRequest(kind="parcel", id=PARCEL, version=4), "HISTORY_NOT_FOUND"),
        (pb.GetStateRequest(kind="parcel", id=PARCEL, version=0), "HISTORY_NOT_FOUND"),
        (pb.GetStateRequest(kind="parcel", id=PARCEL), "INVALID_ARGUMENT"),
        (pb.GetStateRequest(kind="letter", id=PARCEL, version=1), "HISTORY_NOT_FOUND"),
        (pb.GetStateRequest(kind="parcel", id=str(uuid7()), version=1), "HISTORY_NOT_FOUND"),
        (pb.GetStateRequest(kind="parcel", id="x", version=1), "INVALID_ARGUMENT"),
        (
            pb.GetStateRequest(kind="parcel", id=PARCEL, time=moment_to_proto(datetime(2000, 1, 1, tzinfo=UTC))),
            "HISTORY_NOT_FOUND",
        ),
    ],
)
async def test_what_is_not_there_is_said_so(ask: Callable[..., Any], request_: Any, reason: str) -> None:
    with pytest.raises(DomainError) as refused:
        await ask("GetState", request_)

    assert refused.value.reason == reason


@pytest.mark.parametrize("cursor", ["x", "-1", "1" * 40, "1.5"])
@pytest.mark.usefixtures("told")
async def test_a_cursor_that_is_no_version_is_refused(ask: Callable[..., Any], cursor: str) -> None:
    with pytest.raises(DomainError) as refused:
        await ask("ListChanges", pb.ListChangesRequest(kind="parcel", id=PARCEL, page=page(2, cursor)))

    assert refused.value.reason == "CURSOR_INVALID"


async def test_a_history_exists_for_whoever_the_thing_exists_for(
    ask: Callable[..., Any], service: Service, told: Parcel
) -> None:
    async with service.runtime.unit_of_work.begin() as tx:
        await move(tx, told, told.changed(city="Troll"))
    request = pb.GetStateRequest(kind="parcel", id=PARCEL, version=1)

    with pytest.raises(DomainError) as hidden:
        await ask("GetState", request, role="ops")

    assert hidden.value.reason == "HISTORY_NOT_FOUND"
    assert (await ask("GetState", request)).version == 1


@pytest.mark.usefixtures("told")
async def test_other_services_and_people_without_log_in_are_refused(ask: Callable[..., Any]) -> None:
    with pytest.raises(DomainError) as refused:
        await ask("GetState", pb.GetStateRequest(kind="parcel", id=PARCEL, version=1), caller="depot")

    assert refused.value.reason == "FORBIDDEN"


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE parcel_changes SET reason = 'x' WHERE version = 2",
        "DELETE FROM parcel_changes WHERE version = 2",
        "UPDATE parcel_changes SET version = 9 WHERE version = 2",
    ],
)
@pytest.mark.usefixtures("told")
async def test_a_chain_that_does_not_hold_is_not_replayed(
    ask: Callable[..., Any], tampered: Callable[[str], Any], tamper: str
) -> None:
    await tampered(tamper)

    for name, request in (
        ("GetState", pb.GetStateRequest(kind="parcel", id=PARCEL, version=3)),
        ("ListChanges", pb.ListChangesRequest(kind="parcel", id=PARCEL, page=page(9))),
        ("CompareVersions", pb.CompareVersionsRequest(kind="parcel", id=PARCEL, from_version=1, to_version=3)),
    ):
        with pytest.raises(DomainError) as refused:
            await ask(name, request)
        assert (name, refused.value.reason) == (name, "HISTORY_BROKEN")


@pytest.fixture
def tampered(migrated_schemas: MigratedSchemas) -> Callable[[str], Any]:
    async def tamper(statement: str) -> None:
        with psycopg.connect(migrated_schemas.admin_url, options="-c search_path=parcels") as connection:
            connection.execute("SET session_replication_role = replica")
            assert connection.execute(statement.encode()).rowcount == 1

    return tamper
