"""Anchors: signed lines outside of the database, none lost and none told twice, whatever goes wrong on the way."""

import json
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from histories import anchors_of, lives, parcel_id, recorder, report_of, rows_of, unit_of_work
from parcels import Parcel, move
from sqlalchemy import Executable, Row, text

from chassis.db import Database, ReadTx, UnitOfWork
from chassis.errors import Unavailable
from chassis.history import anchors
from chassis.history.anchors import Anchor, AnchorInvalid, Anchors, line_hash
from chassis.history.store import FolderStore, WebStore, store_at
from chassis.history.verify import verify_in
from chassis.identity import Trust
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation
from chassis.testing.plugin import ServiceDatabase

FILE = "parcels-parcel.jsonl"


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"), ("parcels", "depot"))


@pytest.fixture
def trust(installation: Installation) -> Trust:
    return Trust.from_file(installation.folder / "trust.json")


@pytest.fixture
def uow(store: ServiceDatabase, clock: FrozenClock) -> UnitOfWork:
    return unit_of_work(store.database, clock)


@pytest.fixture
def anchoring(uow: UnitOfWork, installation: Installation, tmp_path: Path) -> Anchors:
    return anchors_of(uow, installation, tmp_path)


async def test_an_anchor_tells_the_ends_that_are_new(
    store: ServiceDatabase, uow: UnitOfWork, clock: FrozenClock, anchoring: Anchors, trust: Trust, tmp_path: Path
) -> None:
    (parcel, _) = await lives(uow, parcels=2, versions=3)
    await anchoring.run()
    clock.advance(timedelta(hours=1))
    async with uow.begin() as tx:
        await move(tx, parcel, parcel.changed(city="Hamar"))
    await anchoring.run()

    first, second = FolderStore(tmp_path).lines(FILE)
    one, two = Anchor.read(first, trust), Anchor.read(second, trust)
    ends = {number: (await rows_of(store, number))[-1] for number in (1, 2)}
    third = (await rows_of(store, 1))[2]
    assert (one.service, one.kind, one.sequence, one.previous) == ("parcels", "parcel", 1, "")
    assert list(one.heads) == [(parcel_id(1), 3, third.hash), (parcel_id(2), 3, ends[2].hash)]
    assert (two.sequence, two.previous, two.at) == (2, line_hash(first).hex(), clock.now())
    assert list(two.heads) == [(parcel_id(1), 4, ends[1].hash)]


async def test_an_anchor_that_lands_while_histories_are_verified_is_no_finding(
    store: ServiceDatabase,
    uow: UnitOfWork,
    clock: FrozenClock,
    anchoring: Anchors,
    trust: Trust,
    installation: Installation,
    tmp_path: Path,
) -> None:
    await lives(uow, parcels=1, versions=3)
    await anchoring.run()
    clock.advance(timedelta(hours=1))
    owner = Database(store.owner_url, name="parcels", pool_size=1)

    async with owner.connection() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with connection.begin():
            tx = ReadTx(connection)
            await tx.fetch_all(text("SELECT 1 FROM parcel_changes"))
            await lives(uow, parcels=2, versions=1, first=2)
            await anchoring.run()
            folder = FolderStore(tmp_path)
            (knowing,) = await verify_in(tx, "parcels", recorder(), trust, folder, before={FILE: 1})
            (ignorant,) = await verify_in(tx, "parcels", recorder(), trust, folder)
    await owner.close()

    assert (knowing.faults, knowing.anchors) == ([], 1)
    assert "anchor 2" in {fault.where for fault in ignorant.faults}
    assert (await report_of(store, installation, tmp_path)).faults == []


async def test_what_committed_late_is_told_by_the_next_anchor(
    uow: UnitOfWork, clock: FrozenClock, anchoring: Anchors, trust: Trust, tmp_path: Path
) -> None:
    await lives(uow, parcels=1, versions=1)
    clock.advance(timedelta(hours=1))
    async with uow.begin() as slow:
        await move(slow, None, Parcel(parcel_id(9), city="Oslo"))
        clock.advance(timedelta(minutes=9))
        await anchoring.run()
    clock.advance(timedelta(minutes=51))
    await anchoring.run()

    told = [Anchor.read(line, trust) for line in FolderStore(tmp_path).lines(FILE)]
    assert [[id_ for id_, _, _ in anchor.heads] for anchor in told] == [[parcel_id(1)], [parcel_id(9)]]


async def test_without_the_overlap_it_would_never_be_told(
    uow: UnitOfWork, clock: FrozenClock, anchoring: Anchors, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(anchors, "OVERLAP", timedelta(0))
    await lives(uow, parcels=1, versions=1)
    async with uow.begin() as slow:
        await move(slow, None, Parcel(parcel_id(9), city="Oslo"))
        clock.advance(timedelta(minutes=9))
        await anchoring.run()
    clock.advance(timedelta(minutes=51))
    await anchoring.run()

    assert len(FolderStore(tmp_path).lines(FILE)) == 1


async def test_nothing_new_is_no_line(uow: UnitOfWork, clock: FrozenClock, anchoring: Anchors, tmp_path: Path) -> None:
    await lives(uow, parcels=1, versions=1)
    for _ in range(3):
        await anchoring.run()
        clock.advance(timedelta(hours=1))

    assert len(FolderStore(tmp_path).lines(FILE)) == 1


async def test_a_store_that_is_away_gets_every_anchor_later(
    store: ServiceDatabase,
    uow: UnitOfWork,
    clock: FrozenClock,
    anchoring: Anchors,
    installation: Installation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def away(*_: str) -> None:
        raise Unavailable(dependency="anchor store")

    with monkeypatch.context() as cut:
        cut.setattr(FolderStore, "append", away)
        for number in (1, 2):
            await lives(uow, parcels=number, versions=2, first=number)
            clock.advance(timedelta(hours=1))
            with pytest.raises(Unavailable):
                await anchoring.run()
        waiting = await report_of(store, installation, tmp_path)

    await anchoring.run()

    assert FolderStore(tmp_path).lines(FILE) != []
    assert (waiting.anchors, waiting.faults) == (2, [])
    delivered = await report_of(store, installation, tmp_path)
    assert (delivered.anchors, delivered.faults) == (2, [])


async def test_a_crash_between_store_and_database_repeats_no_line(
    store: ServiceDatabase,
    uow: UnitOfWork,
    anchoring: Anchors,
    installation: Installation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await lives(uow, parcels=1, versions=1)
    append = FolderStore.append

    async def crash(store: FolderStore, name: str, line: str) -> None:
        await append(store, name, line)
        raise ConnectionError

    with monkeypatch.context() as crashing:
        crashing.setattr(FolderStore, "append", crash)
        with pytest.raises(ConnectionError):
            await anchoring.run()
    crashed = await report_of(store, installation, tmp_path)
    await anchoring.run()

    assert (crashed.anchors, crashed.faults) == (1, [])
    assert [json.loads(line)["sequence"] for line in FolderStore(tmp_path).lines(FILE)] == [1]


@pytest.mark.parametrize("kept", [0, 1, 40])
async def test_a_line_that_a_power_cut_left_half_is_completed(tmp_path: Path, kept: int) -> None:
    store, first, second = FolderStore(tmp_path), "a" * 50, "b" * 50
    await store.append("x", first)
    with (tmp_path / "x").open("a") as file:
        file.write(second[:kept])

    await store.append("x", second)
    await store.append("x", second)

    assert store.lines("x") == [first, second]


async def test_many_ends_make_several_lines(
    store: ServiceDatabase,
    uow: UnitOfWork,
    anchoring: Anchors,
    installation: Installation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(anchors, "HEADS_PER_LINE", 2)
    await lives(uow, parcels=5, versions=1)

    await anchoring.run()

    assert [len(json.loads(line)["heads"]) for line in FolderStore(tmp_path).lines(FILE)] == [2, 2, 1]
    assert (await report_of(store, installation, tmp_path)).faults == []


async def test_no_more_ends_are_read_at_once_than_a_line_holds(
    uow: UnitOfWork, anchoring: Anchors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a backfill every chain has a new end: all at once do not fit into the memory of a worker."""
    monkeypatch.setattr(anchors, "HEADS_PER_LINE", 2)
    await lives(uow, parcels=5, versions=1)
    read: list[int] = []
    fetch_all = ReadTx.fetch_all

    async def counted(tx: ReadTx, statement: Executable) -> list[Row[Any]]:
        rows = await fetch_all(tx, statement)
        read.append(len([row for row in rows if "hash" in row._fields]))
        return rows

    monkeypatch.setattr(ReadTx, "fetch_all", counted)
    await anchoring.run()

    assert max(read) == 2
    assert len(FolderStore(tmp_path).lines(FILE)) == 3


async def test_another_services_signature_is_none(
    uow: UnitOfWork, installation: Installation, trust: Trust, tmp_path: Path
) -> None:
    await lives(uow, parcels=1, versions=1)
    anchor = Anchor("parcels", "parcel", 1, uow.clock.now(), "", [])

    with pytest.raises(AnchorInvalid):
        Anchor.read(anchor.line(installation.identity("depot")), trust)
    assert Anchor.read(anchor.line(installation.identity("parcels")), trust) == anchor


async def test_an_address_gets_each_line_by_post() -> None:
    taken: list[tuple[str | None, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            taken.append((self.headers["Aiops-Anchor-File"], body))
            self.send_response(503 if body == "refused" else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        store = store_at(f"http://127.0.0.1:{server.server_port}/anchors")
        assert isinstance(store, WebStore)
        await store.append("x", "a line")
        with pytest.raises(Unavailable):
            await store.append("x", "refused")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert taken == [("x", "a line"), ("x", "refused")]


@pytest.mark.parametrize("url", ["", "file:", "ftp://x", "/anchors"])
def test_an_address_of_no_store_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="AIOPS_ANCHOR_URL must be file:<folder>"):
        store_at(url)


@pytest.mark.parametrize("url", ["file:some/where", "file:///some/where"])
def test_a_folder_is_named_relative_or_absolute(url: str) -> None:
    store = store_at(url)

    assert isinstance(store, FolderStore)
    assert store.folder == Path(url.removeprefix("file:").removeprefix("//"))


async def test_a_folder_that_cannot_be_written_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Unavailable, match="set AIOPS_ANCHOR_URL to a folder that can be"):
        await FolderStore(tmp_path / "file" / "anchors").append("x", "a line")
