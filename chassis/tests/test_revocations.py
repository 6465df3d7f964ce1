"""What a process knows to be void: how long, and when it must not be sure of it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import grpc
import pytest

from aiops.events.v1.envelope_pb2 import Envelope
from chassis.errors import DomainError, Unauthenticated, Unavailable
from chassis.identity import Viewer
from chassis.metrics import Metrics
from chassis.revocations import KEPT_SECONDS, STALE_SECONDS, Revocation, Revocations, client_for, from_auth
from chassis.testing.clock import FrozenClock
from chassis.testing.harness import Installation

USER = UUID("0198c0de-0000-7000-8000-000000000001")
SESSION = UUID("0198c0de-0000-7000-8000-000000000002")
FAR = datetime(2030, 1, 1, tzinfo=UTC)


def viewer(version: int = 1, session: UUID = SESSION) -> Viewer:
    return Viewer(USER, "user", None, frozenset(), session, "token", FAR, version)


class Auth:
    """Says what is new, or nothing at all."""

    def __init__(self) -> None:
        self.new: list[Revocation] = []
        self.away = False
        self.asked: list[str] = []

    async def __call__(self, since: str) -> tuple[list[Revocation], str]:
        self.asked.append(since)
        if self.away:
            raise Unavailable("auth is away", dependency="auth")
        new, self.new = self.new, []
        return new, f"after {len(self.asked)}"


class Nats:
    """A connection that is there, or not."""

    def __init__(self) -> None:
        self.is_connected = True
        self.heard: list[str] = []

    async def subscribe_core(self, subject: str, _callback: object) -> None:
        self.heard.append(subject)


@pytest.fixture
def auth() -> Auth:
    return Auth()


@pytest.fixture
def revocations(auth: Auth, clock: FrozenClock) -> Revocations:
    return Revocations(auth, clock, hears=True)


def event(id_: UUID, version: int) -> Envelope:
    return Envelope(aggregate_id=str(id_), aggregate_version=version)


async def test_each_question_goes_on_from_the_answer_before(auth: Auth, revocations: Revocations) -> None:
    await revocations.ask()
    await revocations.ask()

    assert auth.asked == ["", "after 1"]


async def test_what_is_void_stays_so_until_its_last_token_has_expired(
    auth: Auth, revocations: Revocations, clock: FrozenClock
) -> None:
    auth.new = [Revocation(SESSION, 1)]
    await revocations.ask()

    clock.advance(timedelta(seconds=KEPT_SECONDS - 1))
    await revocations.ask()
    with pytest.raises(Unauthenticated):
        revocations.check(viewer())
    clock.advance(timedelta(seconds=1))
    await revocations.ask()

    revocations.check(viewer())


async def test_a_user_who_changes_again_is_kept_from_the_later_change_on(
    auth: Auth, revocations: Revocations, clock: FrozenClock
) -> None:
    auth.new = [Revocation(USER, 2)]
    await revocations.ask()
    clock.advance(timedelta(seconds=600))
    auth.new = [Revocation(USER, 3)]
    await revocations.ask()
    clock.advance(timedelta(seconds=600))
    await revocations.ask()

    assert revocations.is_void(viewer(version=2))
    assert not revocations.is_void(viewer(version=3))


async def test_an_older_word_takes_nothing_back(auth: Auth, revocations: Revocations) -> None:
    await revocations.hear(event(USER, 5))
    auth.new = [Revocation(USER, 3)]
    await revocations.ask()

    assert revocations.is_void(viewer(version=4))


async def test_a_fact_that_is_heard_counts_at_once_and_is_told_once(revocations: Revocations, auth: Auth) -> None:
    told: list[bool] = []
    revocations.on_revoked(lambda: told.append(revocations.is_void(viewer())))
    await revocations.ask()

    await revocations.hear(event(SESSION, 2))
    auth.new = [Revocation(SESSION, 1)]
    await revocations.ask()

    assert told == [True]


async def test_changes_wait_while_auth_and_nats_are_away_and_reading_goes_on(
    auth: Auth, revocations: Revocations, clock: FrozenClock
) -> None:
    await revocations.ask()
    auth.away = True
    clock.advance(timedelta(seconds=STALE_SECONDS))
    revocations.check_fresh()
    clock.advance(timedelta(milliseconds=1))
    with pytest.raises(Unavailable):
        await revocations.ask()

    with pytest.raises(Unavailable, match="nothing is changed"):
        revocations.check_fresh()
    revocations.check(viewer())

    auth.away = False
    await revocations.ask()
    revocations.check_fresh()


async def test_changes_go_on_while_the_facts_are_heard(
    auth: Auth, revocations: Revocations, clock: FrozenClock
) -> None:
    nats = Nats()
    await revocations.ask()
    await revocations.join(nats)  # type: ignore[arg-type]  # as much of one as is asked for
    auth.away = True
    clock.advance(timedelta(hours=1))
    revocations.check_fresh()

    nats.is_connected = False

    with pytest.raises(Unavailable):
        revocations.check_fresh()
    assert nats.heard == [
        "aiops.auth.session.revoked.v1",
        "aiops.auth.api_token.revoked.v1",
        "aiops.auth.user.deactivated.v1",
        "aiops.auth.user.erased.v1",
        "aiops.auth.user.role_set.v1",
    ]


async def test_an_auth_that_cannot_say_yet_what_is_void_counts_as_one_that_says_nothing_is(
    installation: Installation, clock: FrozenClock
) -> None:
    server = grpc.aio.server()  # without this RPC, as an auth of the version before
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    client = client_for(f"127.0.0.1:{port}", installation.identity("logs"), Metrics())
    revocations = Revocations(from_auth(client, "logs"), clock)
    await revocations.ask()
    await server.stop(0)
    with pytest.raises(DomainError):
        await revocations.ask()
    await client.close()

    revocations.check(viewer())
