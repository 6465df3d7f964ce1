from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.credentials.passwords import check_password
from auth_service.credentials.throttle import ACCOUNT_THROTTLE, Throttle, ThrottleRule
from auth_service.domain import RefreshToken, RevocationCause, Role, Session, User, UserStatus, email_key
from auth_service.errors import (
    PasswordUnacceptable,
    RefreshTokenReused,
    SessionRevoked,
    TooManyAttempts,
    UserDeactivated,
    UserStateUnchanged,
)
from chassis.errors import Unauthenticated, VersionConflict

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ID = UUID("0198c0de-0000-7000-8000-000000000001")
USER = User(ID, 3, "ada@example.com", "Ada", Role.OPS, UserStatus.ACTIVE, NOW, NOW)
SESSION = Session(ID, 1, ID, NOW, NOW + timedelta(days=1))


def test_change_is_one_version_and_one_fact() -> None:
    later = NOW + timedelta(hours=1)

    changed, fact = USER.given(Role.HR, later)

    assert (changed.version, changed.role, changed.updated_at, changed.created_at) == (4, Role.HR, later, NOW)
    assert (fact.version, fact.previous_role, fact.role) == (4, Role.OPS, Role.HR)


def test_deactivated_user_gets_no_role_and_is_not_deactivated_again() -> None:
    closed, _ = USER.deactivated(NOW)

    with pytest.raises(UserDeactivated):
        closed.given(Role.HR, NOW)
    with pytest.raises(UserStateUnchanged):
        closed.deactivated(NOW)


@pytest.mark.parametrize(
    ("role", "status", "expected"),
    [
        (Role.ADMIN, UserStatus.ACTIVE, True),
        (Role.ADMIN, UserStatus.INVITED, False),
        (Role.ADMIN, UserStatus.DEACTIVATED, False),
        (Role.OPS, UserStatus.ACTIVE, False),
        (None, UserStatus.ACTIVE, False),
    ],
)
def test_only_an_active_admin_counts_as_one(role: Role | None, status: UserStatus, *, expected: bool) -> None:
    assert User(ID, 1, "a@b", "a", role, status, NOW, NOW).is_active_admin is expected


@pytest.mark.parametrize(("one", "other"), [("Ada@Example.com", " ada@example.COM"), ("STRASSE@x.de", "straße@x.de")])
def test_spellings_of_one_address_have_one_key(one: str, other: str) -> None:
    assert email_key(one) == email_key(other)


def test_key_of_an_address_can_be_looked_for_whatever_was_typed() -> None:
    assert email_key("Ada\x00@example.com") == "ada\ufffd@example.com"


def test_newest_token_of_a_living_session_is_tradable() -> None:
    RefreshToken(ID, 2).check_tradable(SESSION, 2, NOW)


@pytest.mark.parametrize(
    ("token", "newest", "error"),
    [
        (RefreshToken(ID, 1, used_at=NOW), 2, VersionConflict),
        (RefreshToken(ID, 1, used_at=NOW - timedelta(seconds=10)), 2, VersionConflict),
        (RefreshToken(ID, 1, used_at=NOW - timedelta(seconds=10.001)), 2, RefreshTokenReused),
        (RefreshToken(ID, 1, used_at=NOW), 3, RefreshTokenReused),
    ],
)
def test_used_token_is_a_theft_unless_it_was_the_one_before_a_moment_ago(
    token: RefreshToken, newest: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        token.check_tradable(SESSION, newest, NOW)


def test_over_is_over_before_anything_else_is_looked_at() -> None:
    revoked, fact = SESSION.revoked(RevocationCause.LOGGED_OUT, NOW)

    assert (revoked.version, fact.version, fact.cause) == (2, 2, RevocationCause.LOGGED_OUT)
    with pytest.raises(SessionRevoked):
        RefreshToken(ID, 1, used_at=NOW).check_tradable(revoked, 5, NOW + timedelta(days=9))
    with pytest.raises(Unauthenticated):
        RefreshToken(ID, 1).check_tradable(SESSION, 1, SESSION.expires_at)


@pytest.mark.parametrize("password", ["", "elevenchars", "p" * 73, "é" * 37])
def test_password_that_is_too_short_or_too_long_is_refused_with_the_limits(password: str) -> None:
    with pytest.raises(PasswordUnacceptable) as caught:
        check_password(password)

    assert caught.value.metadata == {"minimum_characters": "12", "maximum_bytes": "72"}


def test_refused_attempt_is_not_counted() -> None:
    throttle = Throttle(10.0, NOW, NOW + timedelta(seconds=5))

    with pytest.raises(TooManyAttempts) as caught:
        throttle.counted(ACCOUNT_THROTTLE, NOW + timedelta(seconds=1.5))

    assert caught.value.metadata == {"retry_after_seconds": "4"}
    assert throttle.counted(ACCOUNT_THROTTLE, NOW + timedelta(seconds=5)).attempts == pytest.approx(11 - 5 / 300)


@given(st.lists(st.floats(0, 5000), max_size=60))
def test_no_wait_is_longer_than_the_rule_says_and_time_forgives_all(pauses: list[float]) -> None:
    rule = ThrottleRule(free_attempts=3, maximum_delay_seconds=60, forget_one_seconds=30)
    throttle, now = Throttle(0.0, NOW, NOW), NOW

    for pause in pauses:
        now = max(now + timedelta(seconds=pause), throttle.blocked_until)
        throttle = throttle.counted(rule, now)

        assert throttle.blocked_until - now <= timedelta(seconds=60)
    much_later = now + timedelta(seconds=30 * 61)
    assert throttle.counted(rule, much_later).attempts == 1
    assert throttle.counted(rule, much_later).blocked_until == much_later
