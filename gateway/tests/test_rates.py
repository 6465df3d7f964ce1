"""Each caller has his own share: haste costs himself time, and nobody else."""

from typing import Any
from uuid import UUID

import pytest

from aiops.auth.v1 import auth_service_pb2
from chassis.clock import SystemClock
from chassis.errors import InvalidArgument
from chassis.identity import Role, Viewer
from chassis.ids import uuid7
from gateway.context import Caller
from gateway.rates import MAX_BUCKETS, RateLimited, Rates, Shares
from gateway.settings import GatewaySettings
from gateway.testing.answers import an_id

QUERY = "query Q($first: Int!) { logs(first: $first) { nodes { id } } }"


class Seconds:
    """A clock of its own pace."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def rates(installation: Any, seconds: Seconds) -> Rates:
    values = {"person_rate": 10, "machine_rate": 20, "anonymous_rate": 0, "max_cost": 100}
    return Rates(GatewaySettings(**installation.settings("gateway", **values)), seconds)


def person(number: int = 1, *, machine: bool = False) -> Caller:
    viewer = Viewer(
        id=UUID(an_id(number)),
        kind="service_account" if machine else "user",
        role=None if machine else Role.OPS,
        scopes=frozenset(),
        session_id=uuid7(),
        token_id="t",
        expires_at=SystemClock().now(),
    )
    return Caller(viewer)


def test_a_bucket_is_emptied_and_fills_again(rates: Rates, seconds: Seconds) -> None:
    rates.take(person(), 300)

    with pytest.raises(RateLimited) as refused:
        rates.take(person(), 25)
    seconds.now = 2.5
    rates.take(person(), 25)

    assert refused.value.metadata == {"retry_after_seconds": "3"}
    assert rates.headers(person()) == {"ratelimit-policy": '"cost";q=300;w=30', "ratelimit": '"cost";r=0;t=30'}


def test_a_refusal_takes_nothing(rates: Rates) -> None:
    rates.take(person(), 290)

    with pytest.raises(RateLimited):
        rates.take(person(), 11)

    rates.take(person(), 10)


def test_callers_do_not_share(rates: Rates) -> None:
    rates.take(person(1), 300)

    rates.take(person(2), 300)
    rates.take(person(3, machine=True), 600)
    with pytest.raises(RateLimited):
        rates.take(person(3, machine=True), 1)


def test_nought_is_no_limit(rates: Rates) -> None:
    stranger = Caller(address="192.0.2.1")

    rates.take(stranger, 1_000_000_000)

    assert rates.headers(stranger) == {}


def test_strangers_of_one_network_share_and_others_do_not(installation: Any, seconds: Seconds) -> None:
    rates = Rates(GatewaySettings(**installation.settings("gateway", anonymous_rate=1, max_cost=30)), seconds)
    rates.take(Caller(address="2001:db8::1"), 30)
    rates.take(Caller(address="192.0.2.1"), 30)

    rates.take(Caller(address="2001:db8:0:1::1"), 30)
    rates.take(Caller(address="192.0.2.2"), 30)
    for known in ("2001:db8::ffff", "192.0.2.1"):
        with pytest.raises(RateLimited):
            rates.take(Caller(address=known), 1)


def test_buckets_of_long_ago_are_forgotten(installation: Any, seconds: Seconds) -> None:
    rates = Rates(GatewaySettings(**installation.settings("gateway", anonymous_rate=1, max_cost=30)), seconds)

    for number in range(MAX_BUCKETS + 5):
        rates.take(Caller(address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"), 1)

    assert len(rates._buckets) == MAX_BUCKETS


def test_shares_end_with_their_block() -> None:
    shares = Shares("subscriptions", 2)

    with shares.held(person()):
        with shares.held(person()), pytest.raises(RateLimited), shares.held(person()):
            pass
        with shares.held(person()), shares.held(person(2)):
            pass

    assert shares._held == {}


async def test_whoever_wants_more_is_answered_with_429_and_reaches_no_service(start_script: Any) -> None:
    async with start_script(person_rate=1, max_cost=200) as script:
        token, other = script.token(), script.token()
        await script.gateway.post(QUERY, {"first": 90}, token=token)
        await script.gateway.post(QUERY, {"first": 90}, token=token)
        before = script.logs.calls["ListLogs"]

        refused = await script.gateway.post(QUERY, {"first": 90}, token=token)
        neighbour = await script.gateway.post(QUERY, {"first": 90}, token=other)

    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["extensions"]["code"]) == (429, "RATE_LIMITED")
    assert error["extensions"]["metadata"] == {"retry_after_seconds": refused.headers["retry-after"]}
    assert 60 <= int(refused.headers["retry-after"]) <= 90
    assert refused.headers["ratelimit-policy"] == '"cost";q=200;w=200'
    assert neighbour.status_code == 200
    assert script.logs.calls["ListLogs"] == before + 1


async def test_reading_a_document_that_is_refused_costs_too(start_script: Any) -> None:
    async with start_script(person_rate=1, max_cost=30) as script:
        token = script.token()

        statuses = [(await script.gateway.post("{ nonsense }", token=token)).status_code for _ in range(4)]

    assert statuses == [200, 200, 200, 429]


async def test_doors_are_limited_too(start_script: Any) -> None:
    async with start_script(anonymous_rate=1, machine_rate=1, max_cost=20) as script:
        script.auth.answers["LogIn"] = auth_service_pb2.LogInResponse()
        url, machine = script.gateway.url, script.token(kind="service_account")
        sessions = [
            await script.gateway.client.post(
                f"{url}/v1/session", headers={"x-aiops-csrf": "1"}, json={"email": "a@b.example", "password": "x"}
            )
            for _ in range(4)
        ]
        uploads = [
            await script.gateway.client.post(
                f"{url}/v1/logs/upload", headers={"authorization": f"Bearer {machine}"}, content=b"a line"
            )
            for _ in range(4)
        ]

    assert script.auth.calls["LogIn"] == 3
    assert (sessions[3].status_code, sessions[3].json()["code"]) == (429, "RATE_LIMITED")
    assert int(sessions[3].headers["retry-after"]) in range(1, 11)
    assert (uploads[3].status_code, uploads[3].json()["code"]) == (429, "RATE_LIMITED")
    assert script.logs.calls["UploadLog"] == 3


@pytest.mark.parametrize("aliases", [1, 15])
async def test_each_alias_of_a_log_in_is_an_attempt_of_its_own(start_script: Any, aliases: int) -> None:
    async with start_script() as script:
        script.auth.answers["LogIn"] = InvalidArgument("no", field="password")
        fields = " ".join(f"a{number}: logIn(input: $input) {{ __typename }}" for number in range(aliases))

        await script.gateway.post(
            f"mutation M($input: LogInInput!) {{ {fields} }}", {"input": {"email": "a@b.example", "password": "x"}}
        )

    assert script.auth.calls["LogIn"] == aliases
