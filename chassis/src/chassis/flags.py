"""Feature flags, declared once each: who owns it, what it is without any server, and when it should be gone.

With an Unleash server its rules decide; without one a JSON or YAML file does. A process sees a change within 2 s.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from UnleashClient.clients.unleash_client import UnleashClient

logger = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Flag:
    """One switch."""

    name: str
    kind: Literal["release", "experiment", "operational", "kill-switch", "permission"]
    owner: str
    default: bool
    expires: date | None = None
    """When it should be gone from the code; None for switches that stay."""


class Flags:
    """The declared flags of one process."""

    def __init__(
        self,
        declared: Sequence[Flag] = (),
        *,
        file: Path | None = None,
        unleash_url: str = "",
        unleash_token: str = "",
        service: str = "aiops",
    ) -> None:
        self._declared = {flag.name: flag for flag in declared}
        self._file = _FlagsFile(file) if file else None
        self._unleash = None
        if unleash_url:
            self._unleash = _unleash(unleash_url, unleash_token, service, self._file.values() if self._file else {})

    def enabled(self, name: str, user_id: str | None = None) -> bool:
        """Whether the flag is on, for this user where its rules ask. KeyError for a flag that nobody declared."""
        flag = self._declared[name]
        if self._unleash is not None:
            context = {"userId": user_id} if user_id else {}
            return bool(self._unleash.is_enabled(name, context, fallback_function=lambda _name, _context: flag.default))
        return self._file.values().get(name, flag.default) if self._file else flag.default

    def start(self) -> None:
        """Begin to follow the Unleash server, if there is one; blocks for its first answer."""
        if self._unleash is not None:
            self._unleash.initialize_client()

    def close(self) -> None:
        """Stop following it."""
        if self._unleash is not None:
            self._unleash.destroy()


class _FlagsFile:
    """The last readable content of a file that somebody may edit at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looked_at = time.monotonic()
        self._stamp = self._stat()
        self._values = _read(path)

    def values(self) -> Mapping[str, bool]:
        if time.monotonic() - self._looked_at >= LOOK_AGAIN_SECONDS:
            self._looked_at = time.monotonic()
            stamp = self._stat()
            if stamp != self._stamp:
                self._stamp = stamp
                self._reload()
        return self._values

    def _reload(self) -> None:
        try:
            self._values = _read(self._path)
        except (OSError, ValueError) as error:
            logger.warning("the flags stay as they were: %s", error)

    def _stat(self) -> tuple[int, int, int]:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return (0, 0, 0)
        return (stat.st_ino, stat.st_mtime_ns, stat.st_size)


def _read(path: Path) -> dict[str, bool]:
    text = path.read_text()
    if path.suffix in {".yaml", ".yml"}:
        import yaml  # noqa: PLC0415 - most installations have JSON

        try:
            values: Any = yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            raise ValueError(f"{path} is no YAML") from error
    else:
        values = json.loads(text or "{}")
    if not isinstance(values, dict) or not all(isinstance(value, bool) for value in values.values()):
        raise ValueError(f"{path} must hold one object of flags that are true or false")
    return {str(name): value for name, value in values.items()}


def _unleash(url: str, token: str, service: str, first: Mapping[str, bool]) -> "UnleashClient":
    # Read only where it is used: it costs 9 MB.
    from UnleashClient.cache import FileCache  # noqa: PLC0415
    from UnleashClient.clients.unleash_client import UnleashClient  # noqa: PLC0415

    cache = FileCache(f"aiops-{service}")
    strategies = [{"name": "default", "parameters": {}}]
    features = [{"name": name, "enabled": on, "strategies": strategies} for name, on in first.items()]
    cache.bootstrap_from_dict({"version": 1, "features": features})
    return UnleashClient(
        url=url,
        app_name=service,
        custom_headers={"Authorization": token},
        refresh_interval=1,
        metrics_interval=60,
        cache=cache,
    )
