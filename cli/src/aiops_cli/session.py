"""Who the command acts as: the stored session of `aiops login`, or an API token from the environment.

The file is readable by its owner alone. Access tokens live ten minutes; the refresh token renews them quietly.
"""

import json
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from aiops_cli.failure import ExitCode, Failure

DEFAULT_URL = "http://127.0.0.1:8080"
RENEW_BEFORE_SECONDS = 30


@dataclass(frozen=True)
class Session:
    """Where the stack is and the tokens for it."""

    url: str
    email: str = ""
    access_token: str = ""
    access_token_expires_at: float = 0.0
    refresh_token: str = ""

    def needs_renewal(self, now: float) -> bool:
        """True when the access token is over, or nearly."""
        return bool(self.refresh_token) and now > self.access_token_expires_at - RENEW_BEFORE_SECONDS

    def renewed(self, access_token: str, expires_at: float, refresh_token: str) -> "Session":
        """The session with its next pair of tokens."""
        return replace(self, access_token=access_token, access_token_expires_at=expires_at, refresh_token=refresh_token)


def session_file() -> Path:
    """Where the session is kept (XDG Base Directory)."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "aiops" / "session.json"


def save(session: Session) -> None:
    """Write the session file, mode 0600, whole or not at all."""
    path = session_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(session), file)
    temporary.replace(path)


def forget() -> None:
    """Delete the session file; nothing happens when there is none."""
    session_file().unlink(missing_ok=True)


def current(url: str | None = None) -> Session:
    """The session to use: AIOPS_TOKEN when set, else the stored one.

    Raises:
        Failure: nobody is logged in there.
    """
    token = os.environ.get("AIOPS_TOKEN", "")
    wanted = url or os.environ.get("AIOPS_URL", "")
    if token:
        if not (token.isascii() and token.isprintable()):
            raise Failure("AIOPS_TOKEN holds characters that no token has. Copy it again.", ExitCode.NOT_LOGGED_IN)
        return Session(url=wanted or DEFAULT_URL, access_token=token, access_token_expires_at=time.time() + 86400)
    path = session_file()
    if path.exists():
        try:
            stored = Session(**json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise Failure(f"{path} is damaged. Log in again: aiops login", ExitCode.NOT_LOGGED_IN) from error
        if not wanted or stored.url == wanted:
            return stored
    raise Failure(
        f"Nobody is logged in at {wanted or DEFAULT_URL}. Run `aiops login`, or set AIOPS_TOKEN to an API token.",
        ExitCode.NOT_LOGGED_IN,
        reason="UNAUTHENTICATED",
    )
