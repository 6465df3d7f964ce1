"""The GraphQL client of the command: one POST, typed failures, quiet renewal of the session."""

import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import httpx

from aiops_cli import change_words
from aiops_cli import session as sessions
from aiops_cli.failure import NEXT, ExitCode, Failure
from aiops_cli.session import Session

TIMEOUT_SECONDS = 30.0
UPLOAD_TIMEOUT_SECONDS = 300.0
UNREACHABLE_CODES = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "OVERLOADED"})
CLIENT_HEADERS = {"apollographql-client-name": "aiops-cli"}

LOG_IN = """
mutation LogIn($input: LogInInput!) {
  logIn(input: $input) {
    __typename
    ... on LogInSuccess {
      session { accessToken accessTokenExpiresAt refreshToken }
      user { email displayName role }
    }
    ... on UserError { code message }
  }
}
"""
REFRESH = """
mutation Refresh($input: RefreshInput!) {
  refresh(input: $input) {
    __typename
    ... on RefreshSuccess { session { accessToken accessTokenExpiresAt refreshToken } }
    ... on UserError { code message }
  }
}
"""
LOG_OUT = """
mutation LogOut($input: LogOutInput!) {
  logOut(input: $input) {
    __typename
    ... on UserError { code message }
  }
}
"""


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()


def _advised(code: str, message: str) -> str:
    ended = message if message.endswith((".", "!", "?")) else f"{message}."
    return f"{ended} {NEXT[code]}" if code in NEXT else message


def _missing(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error.get("path") or ())
    return f"{where or 'a part'} is missing: {error.get('message', 'it could not be read')}"


class Graph:
    """Talks to one stack as one person or machine."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._http = httpx.Client(base_url=session.url, timeout=TIMEOUT_SECONDS, headers=CLIENT_HEADERS)

    def query(self, document: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Data of a query.

        Raises:
            Failure: not logged in, unreachable, or refused. Partial data is refused too: a table with holes misleads.
        """
        self._renew()
        data, errors, body = self._post(document, variables)
        if errors:
            raise self._refusal(errors[0], body)
        return data

    def query_partial(
        self, document: str, variables: Mapping[str, object] | None = None
    ) -> tuple[dict[str, Any], list[str]]:
        """What could be had of a query, and a line about each part that could not.

        Raises:
            Failure: there is nothing at all.
        """
        self._renew()
        data, errors, body = self._post(document, variables)
        if errors and all(value is None for value in data.values()):
            raise self._refusal(errors[0], body)
        return data, [_missing(error) for error in errors]

    def mutate(self, document: str, values: Mapping[str, object], *, idempotency_key: str = "") -> dict[str, Any]:
        """The success member of a mutation's union. The key makes a resent request harmless; a fresh one when none.

        Raises:
            Failure: the mutation answered with a typed error, or could not be sent.
        """
        self._renew()
        return self._mutation(document, values, idempotency_key)

    def upload(
        self, chunks: Iterable[bytes], parameters: Mapping[str, str], *, gzipped: bool = False
    ) -> dict[str, Any]:
        """Send a file to the upload door as it is read; returns the stored log.

        Raises:
            Failure: refused by the door; nothing was stored.
        """
        self._renew()
        headers = {**self._authorization(), "Idempotency-Key": str(uuid.uuid4()), "Content-Type": "text/plain"}
        if gzipped:
            headers["Content-Encoding"] = "gzip"
        with self._reaching():
            answer = self._http.post(
                "/v1/logs/upload",
                params=dict(parameters),
                content=chunks,
                headers=headers,
                timeout=UPLOAD_TIMEOUT_SECONDS,
            )
        body = self._json(answer)
        if answer.is_success:
            log: dict[str, Any] = body["log"]
            return log
        raise Failure(
            str(body.get("detail") or body.get("title") or f"The upload was refused with status {answer.status_code}."),
            self._exit_code(str(body.get("code", ""))),
            reason=str(body.get("code", "")),
            trace_id=str(body.get("trace_id", "")),
        )

    def _renew(self) -> None:
        if not self.session.needs_renewal(time.time()):
            return
        # Without the access token: it is over, and the gateway turns away whatever comes with one that is.
        nobody = Graph(Session(url=self.session.url))
        pair = nobody.mutate(REFRESH, {"refreshToken": self.session.refresh_token})["session"]
        self.session = self.session.renewed(
            pair["accessToken"], _seconds(pair["accessTokenExpiresAt"]), pair["refreshToken"]
        )
        sessions.save(self.session)

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.session.access_token}"} if self.session.access_token else {}

    def _mutation(self, document: str, values: Mapping[str, object], idempotency_key: str = "") -> dict[str, Any]:
        key = idempotency_key or str(uuid.uuid4())
        data, errors, body = self._post(document, {"input": {"idempotencyKey": key, **values}})
        result: dict[str, Any] | None = next(iter(data.values()), None)
        if errors and not (result and "Success" in str(result.get("__typename"))):
            raise self._refusal(errors[0], body)
        if result is None:
            raise Failure(f"{self.session.url} answered with nothing. Try again.", ExitCode.UNREACHABLE)
        if "message" in result and "code" in result:
            code = str(result["code"])
            field = next((str(each["path"]) for each in result.get("fields") or ()), "")
            raise Failure(
                _advised(code, result["message"]),
                self._exit_code(code),
                reason=code,
                field=field,
                since=change_words.told(result.get("changesSince") or ()),
            )
        return result

    def _post(
        self, document: str, variables: Mapping[str, object] | None
    ) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
        with self._reaching():
            answer = self._http.post(
                "/graphql", json={"query": document, "variables": dict(variables or {})}, headers=self._authorization()
            )
        body = self._json(answer)
        return body.get("data") or {}, body.get("errors") or [], body

    def _refusal(self, error: Mapping[str, Any], body: Mapping[str, Any]) -> Failure:
        extensions = {**body.get("extensions", {}), **error.get("extensions", {})}
        code = str(extensions.get("code", ""))
        message = str(error.get("message", "The request was refused."))
        if code == "UNAUTHENTICATED":
            hint = "Run `aiops login`" if self.session.refresh_token else "Set AIOPS_TOKEN to a token that is good"
            message = f"{message}. {hint}."
        return Failure(
            _advised(code, message),
            self._exit_code(code),
            reason=code,
            trace_id=str(extensions.get("traceId", "")),
        )

    @staticmethod
    def _exit_code(code: str) -> ExitCode:
        if code in {"UNAUTHENTICATED", "SESSION_REVOKED"}:
            return ExitCode.NOT_LOGGED_IN
        return ExitCode.UNREACHABLE if code in UNREACHABLE_CODES else ExitCode.REFUSED

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            body: dict[str, Any] = answer.json()
        except ValueError as error:
            raise Failure(
                f"{self.session.url} answered {answer.status_code} without JSON. Is it the gateway's address?",
                ExitCode.UNREACHABLE,
            ) from error
        return body

    def _reaching(self) -> "_Reaching":
        return _Reaching(self.session.url)


class _Reaching:
    """Turns a transport error into a message that says what to do."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UnicodeEncodeError):
            raise Failure("The text holds bytes that are no UTF-8. Save it as UTF-8.", ExitCode.USAGE) from error
        if isinstance(error, httpx.TimeoutException):
            raise Failure(f"{self.url} did not answer in time. Try again.", ExitCode.UNREACHABLE) from error
        if isinstance(error, httpx.HTTPError):
            raise Failure(
                f"{self.url} cannot be reached. Start the stack with `make up`, or name another one with AIOPS_URL.",
                ExitCode.UNREACHABLE,
            ) from error


def log_in(url: str, email: str, password: str) -> tuple[Session, dict[str, Any]]:
    """Start a session and store it; returns it and the account.

    Raises:
        Failure: wrong credentials, throttled, or unreachable.
    """
    result = Graph(Session(url=url)).mutate(LOG_IN, {"email": email, "password": password})
    pair, user = result["session"], result["user"]
    session = Session(url=url, email=user["email"]).renewed(
        pair["accessToken"], _seconds(pair["accessTokenExpiresAt"]), pair["refreshToken"]
    )
    sessions.save(session)
    return session, user


def log_out(session: Session) -> None:
    """End the session on the server and forget it here, whatever the server says.

    Raises:
        Failure: the server could not be told; the file is gone all the same.
    """
    try:
        if session.refresh_token:
            Graph(Session(url=session.url)).mutate(LOG_OUT, {"refreshToken": session.refresh_token})
    finally:
        sessions.forget()
