"""The audit: what is noted in a transaction, by whom and in which call; and that nobody changes it afterwards."""

from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select

from chassis.audit import audit_trail, cleaned_path
from chassis.db import UnitOfWork
from chassis.identity import Call, acting_as
from chassis.ids import uuid7
from chassis.testing.clock import FrozenClock
from chassis.testing.plugin import ServiceDatabase

PARCEL = UUID("0198c0de-0000-7000-8000-000000000001")
PATH = "graphql mutation openParcel, by browser"


async def note(uow: UnitOfWork, **more: object) -> None:
    with acting_as(Call("gateway", method="OpenParcel", path=PATH)):
        async with uow.begin() as tx:
            await tx.audit("parcel.opened", subject_type="parcel", subject_id=PARCEL, **more)  # type: ignore[arg-type]


async def test_a_row_says_who_did_what_to_what_when_why_and_how(
    store: ServiceDatabase, uow: UnitOfWork, clock: FrozenClock
) -> None:
    await note(uow, reason="it ticked", detail={"weight_grams": 12}, client_address="192.0.2.7")

    async with store.database.read() as tx:
        (row,) = await tx.fetch_all(select(audit_trail))
    assert row._asdict() | {"id": ""} == {
        "id": "",
        "occurred_at": clock.now(),
        "kind": "parcel.opened",
        "actor_kind": "service",
        "actor_id": "gateway",
        "subject_type": "parcel",
        "subject_ids": [PARCEL],
        "operation": "OpenParcel",
        "path": PATH,
        "client_address": "192.0.2.7",
        "reason": "it ticked",
        "trace_id": "",
        "detail": {"weight_grams": 12},
    }


async def test_what_is_rolled_back_was_not_done(store: ServiceDatabase, uow: UnitOfWork) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - a transaction is a block
        async with uow.begin() as tx:
            await tx.audit("parcel.opened", subject_type="parcel", subject_id=PARCEL)
            raise ZeroDivisionError

    async with store.database.read() as tx:
        assert await tx.fetch_all(select(audit_trail)) == []


async def test_of_very_many_subjects_the_first_are_named_and_all_counted(
    store: ServiceDatabase, uow: UnitOfWork
) -> None:
    ids = [uuid7() for _ in range(1001)]

    async with uow.begin() as tx:
        await tx.audit("parcels.seen", subject_type="parcel", subject_ids=ids)

    async with store.database.read() as tx:
        (row,) = await tx.fetch_all(select(audit_trail))
    assert (row.subject_ids, row.detail) == (ids[:1000], {"count": 1001})


@pytest.mark.parametrize("who", ["app", "owner"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_trail SET kind = 'nothing'",
        "UPDATE audit_trail SET client_address = 'elsewhere'",
        "DELETE FROM audit_trail",
        "TRUNCATE audit_trail",
        "SET LOCAL aiops.audit_prune = 'on'; DELETE FROM audit_trail WHERE occurred_at > now() - interval '20 days'",
    ],
)
async def test_nobody_changes_what_was_noted(store: ServiceDatabase, uow: UnitOfWork, who: str, statement: str) -> None:
    await note(uow)
    url = store.app_url if who == "app" else store.owner_url
    with psycopg.connect(store.owner_url) as owner:
        owner.execute(
            "INSERT INTO audit_trail SELECT (r).* FROM (SELECT jsonb_populate_record(a, jsonb_build_object("
            "'id', gen_random_uuid(), 'occurred_at', now())) AS r FROM audit_trail a) s"
        )
        before = owner.execute("SELECT * FROM audit_trail ORDER BY id").fetchall()

    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)

    with psycopg.connect(store.owner_url) as owner:
        assert owner.execute("SELECT * FROM audit_trail ORDER BY id").fetchall() == before


async def test_the_owner_may_forget_from_where_somebody_came(store: ServiceDatabase, uow: UnitOfWork) -> None:
    await note(uow, client_address="192.0.2.7")

    with psycopg.connect(store.owner_url) as owner:
        owner.execute("UPDATE audit_trail SET client_address = ''")

    async with store.database.read() as tx:
        assert [row.client_address for row in await tx.fetch_all(select(audit_trail))] == [""]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (PATH, PATH),
        ("a\r\nb\x00<script>ß", "abscript"),
        ("x" * 500, "x" * 200),
    ],
)
def test_a_path_is_one_short_line_of_plain_words(given: str, kept: str) -> None:
    assert cleaned_path(given) == kept
