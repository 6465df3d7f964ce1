"""A person or machine that writes through the gateway, keeps a history of it, and repeats with the same key.

Shows what a careful client sees: a refusal is final, everything else is unknown until a repetition tells.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from tests.fault.history import History, Op

ANSWER_SECONDS = 12.0
PAUSE_SECONDS = 0.25
TOKEN_SECONDS = 300.0
LOG_IN = """
mutation LogIn($input: LogInInput!) {
  logIn(input: $input) { __typename ... on LogInSuccess { session { accessToken } } ... on UserError { code } }
}
"""
UNKNOWN_CODES = frozenset(
    {"UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "OVERLOADED", "IDEMPOTENCY_IN_PROGRESS", "TOO_MANY_ATTEMPTS"}
)
"""What says nothing about the effect: repeat it with the same key."""


class Unanswered(Exception):
    """Nobody can tell whether it took effect; its argument is the code."""


class Refused(Exception):
    """It certainly took no effect; its argument is the code."""


class Unauthenticated(Unanswered):
    """The token is over, or nobody could check it."""


@dataclass
class Caller:
    """One client; its writes go one after the other."""

    name: str
    http: httpx.AsyncClient
    history: History
    email: str = ""
    password: str = ""
    token: str = ""
    """A machine's, which does not end."""
    patience_seconds: float = 60.0
    """For how long it repeats what it did not hear the end of."""
    _since: float = field(default=float("-inf"))

    @property
    def is_person(self) -> bool:
        """Whether it has to log in."""
        return bool(self.email)

    async def log_in(self) -> None:
        """A new access token.

        Raises:
            Unanswered: nobody gave one.
        """
        variables = {"input": {"email": self.email, "password": self.password}}
        self.token = ""
        data = await self.ask(LOG_IN, variables)
        member = data["logIn"]
        if member["__typename"] != "LogInSuccess":
            raise Unanswered(member["code"])
        self.token, self._since = member["session"]["accessToken"], time.monotonic()

    async def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The data of an answer.

        Raises:
            Unanswered: there was none, or a field has no value for a reason that may pass.
            Refused: the document or a value in it was refused.
        """
        if self.is_person and document is not LOG_IN and time.monotonic() - self._since > TOKEN_SECONDS:
            await self.log_in()
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            answer = await self.http.post(
                "/graphql", json={"query": document, "variables": variables or {}}, headers=headers
            )
            if answer.status_code in {429, 502, 503, 504}:
                raise Unanswered(f"HTTP {answer.status_code}")
            body = answer.json()
        except httpx.HTTPError as error:
            raise Unanswered(type(error).__name__) from error
        except ValueError as error:
            raise Unanswered("NOT_JSON") from error
        for refusal in body.get("errors") or ():
            code = str((refusal.get("extensions") or {}).get("code"))
            if code == "UNAUTHENTICATED":
                self._since = float("-inf")
                raise Unauthenticated(code)
            raise (Unanswered if code in UNKNOWN_CODES else Refused)(code)
        data: dict[str, Any] = body["data"]
        return data

    async def read(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The data of an answer, asked for until it comes.

        Raises:
            Unanswered: it did not come in time.
        """
        deadline = time.monotonic() + self.patience_seconds
        while True:
            try:
                return await self.ask(document, variables)
            except Unanswered:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)

    async def write(
        self, op: Op, wanted: str, *, key: str = "", repeat: bool = True, **values: Any
    ) -> dict[str, Any] | None:
        """The success of a mutation, whose attempts all carry one key; None when it was refused or stays unknown.

        `op` tells which of the two. With `repeat` off, what was not heard of stays unknown.
        """
        title = op.action[0].upper() + op.action[1:]
        document = (
            f"mutation {title}($input: {title}Input!) {{ {op.action}(input: $input) {{ __typename "
            f"... on {title}Success {{ {wanted} }} ... on UserError {{ code message }} }} }}"
        )
        variables = {"input": {"idempotencyKey": key or str(uuid4()), **values}}
        deadline = time.monotonic() + self.patience_seconds
        while True:
            op.attempts += 1
            try:
                member: dict[str, Any] = (await self.ask(document, variables))[op.action]
                if not member["__typename"].endswith("Success"):
                    code = str(member["code"])
                    raise (Unanswered if code in UNKNOWN_CODES else Refused)(code)
            except Unanswered as error:
                op.code = str(error)
                self.history.heard(op.code)
                if not (repeat or isinstance(error, Unauthenticated)) or time.monotonic() > deadline:
                    break
                await asyncio.sleep(PAUSE_SECONDS)
            except Refused as error:
                op.code, op.outcome = str(error), "fail"
                self.history.heard(op.code)
                break
            else:
                op.code, op.outcome = "", "ok"
                op.replies.append(json.dumps(member, sort_keys=True))
                op.ended = time.monotonic()
                return member
        op.ended = time.monotonic()
        return None


def http_client(url: str) -> httpx.AsyncClient:
    """Connections to a gateway."""
    return httpx.AsyncClient(base_url=url, timeout=ANSWER_SECONDS)
