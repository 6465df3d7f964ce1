"""Reads of auth: people, API tokens and the keys that access tokens are checked with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from auth_service import store
from auth_service.credentials import vault, voids
from auth_service.credentials.api_token import ApiToken
from auth_service.credentials.signing import RETIRED_KEY_PUBLISHED, KeySealer, KeyState, Signer, jwks
from auth_service.domain import User, UserStatus, email_key
from auth_service.tables import api_tokens, users
from chassis.clock import Clock
from chassis.db import Database, ReadTx
from chassis.errors import Unavailable
from chassis.paging import Page, Slice, decode_cursor, encode_cursor
from chassis.revocations import Revocation

if TYPE_CHECKING:
    from sqlalchemy import Select

KEY_CACHE_SECONDS = 30.0


async def get_me(user_id: UUID, tx: ReadTx) -> User:
    """The caller's own account.

    Raises:
        UserNotFound: there is none.
    """
    return await store.get_user(tx, user_id)


async def list_users(page: Page, tx: ReadTx) -> Slice[User]:
    """A page of all accounts, by e-mail address.

    Raises:
        CursorInvalid: the cursor is of another list.
    """
    statement: Select[tuple[object, ...]] = select(users).order_by(users.c.email_key).limit(page.first + 1)
    if page.after:
        statement = statement.where(users.c.email_key > decode_cursor(page.after, str)[0])
    found = [store.user_from(row) for row in await tx.fetch_all(statement)]
    shown = tuple(found[: page.first])
    cursors = tuple(encode_cursor(email_key(user.email)) for user in shown)
    return Slice(shown, cursors, has_next_page=len(found) > page.first)


async def batch_get_users(user_ids: Sequence[UUID], tx: ReadTx) -> Sequence[User]:
    """The accounts that exist among these."""
    return [store.user_from(row) for row in await tx.fetch_all(select(users).where(users.c.id.in_(user_ids)))]


async def batch_get_users_by_email(emails: Sequence[str], tx: ReadTx) -> dict[str, User]:
    """The accounts with these addresses, by the address as it was written; one that only was invited is none yet."""
    statement = select(users).where(
        users.c.email_key.in_({email_key(email) for email in emails}),
        users.c.status.in_([UserStatus.ACTIVE.value, UserStatus.DEACTIVATED.value]),
    )
    found = {row.email_key: store.user_from(row) for row in await tx.fetch_all(statement)}
    return {email: found[key] for email in emails if (key := email_key(email)) in found}


async def list_api_tokens(page: Page, tx: ReadTx) -> Slice[ApiToken]:
    """A page of all API tokens, newest first.

    Raises:
        CursorInvalid: the cursor is of another list.
    """
    statement = vault.select_api_tokens().order_by(api_tokens.c.id.desc()).limit(page.first + 1)
    if page.after:
        statement = statement.where(api_tokens.c.id < decode_cursor(page.after, UUID)[0])
    found = [vault.api_token_from(row) for row in await tx.fetch_all(statement)]
    shown = tuple(found[: page.first])
    return Slice(shown, tuple(encode_cursor(str(token.id)) for token in shown), has_next_page=len(found) > page.first)


async def list_revocations(since: str, tx: ReadTx) -> tuple[Sequence[Revocation], str]:
    """Which access tokens are void, and what to ask with the next time."""
    return await voids.list_since(tx, since)


class KeyRing:
    """The keys as one process sees them: what it signs with, and what it tells verifiers."""

    def __init__(self, database: Database, sealer: KeySealer, clock: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock
        self._signer: Signer | None = None
        self._read_at = float("-inf")

    async def signer(self) -> Signer:
        """The current key, at most 30 s old. Ask before a transaction begins: it may need a connection of its own.

        Raises:
            Unavailable: no key was made yet.
        """
        if self._signer is None or self._clock.monotonic() - self._read_at >= KEY_CACHE_SECONDS:
            async with self._database.read() as tx:
                keys = await vault.published_signing_keys(tx, retired_after=self._clock.now())
            current = [key for key in keys if key.state is KeyState.CURRENT]
            if not current:
                raise Unavailable("no signing key was made yet; try again in a moment", dependency="signing key")
            self._signer = self._sealer.open(current[0])
            self._read_at = self._clock.monotonic()
        return self._signer

    async def jwks(self) -> str:
        """The public keys as a JSON Web Key Set."""
        async with self._database.read() as tx:
            retired_after = self._clock.now() - RETIRED_KEY_PUBLISHED
            return jwks(await vault.published_signing_keys(tx, retired_after=retired_after))
