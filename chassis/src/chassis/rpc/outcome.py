"""What became of one RPC: counted, timed and logged in one line that tells an on-call who, what and how it ended."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chassis.errors import DomainError, ErrorKind, Internal
from chassis.metrics import Metrics
from chassis.rpc.status import CODES

if TYPE_CHECKING:
    from chassis.identity import Call

logger = logging.getLogger(__name__)

_SEVERITIES = {
    ErrorKind.INTERNAL: logging.ERROR,
    ErrorKind.UNAUTHENTICATED: logging.WARNING,
    ErrorKind.FORBIDDEN: logging.WARNING,
    ErrorKind.EXHAUSTED: logging.WARNING,
    ErrorKind.UNAVAILABLE: logging.WARNING,
    ErrorKind.DEADLINE: logging.WARNING,
}
_OURS = frozenset({ErrorKind.INTERNAL, ErrorKind.UNAVAILABLE, ErrorKind.DEADLINE})
"""Kinds that no request is to blame for."""


class Outcome:
    """Fine, until somebody says otherwise."""

    def __init__(self, method: str, *, write: bool) -> None:
        self.method = method
        self.call: Call | None = None
        self.code = "OK"
        self.error: DomainError = Internal()
        self.write = write
        self._failed = False
        self._defect: BaseException | None = None

    def refused(self, error: DomainError) -> None:
        """It ended in an error that has a name."""
        self.error, self.code, self._failed = error, CODES[error.kind].name, True

    def fell_over(self, defect: Exception) -> None:
        """It ended in one that has none: ours to repair, and not to be shown."""
        self.refused(Internal())
        self._defect = defect

    @contextmanager
    def recorded(self, metrics: Metrics, slow_seconds: float) -> Iterator[None]:
        """Count and log what happens within the block, however it is left."""
        started = time.monotonic()
        in_flight = metrics.gauge("aiops_rpc_server_in_flight")
        in_flight.inc()
        try:
            yield
        finally:
            seconds = time.monotonic() - started
            in_flight.dec()
            metrics.counter("aiops_rpc_server_requests_total").labels(self.method, self.code).inc()
            metrics.histogram("aiops_rpc_server_duration_seconds").labels(self.method).observe(seconds)
            logger.log(
                self._severity(slow=seconds > slow_seconds),
                "%s answered %s",
                self.method,
                self.error.reason if self._failed else self.code,
                exc_info=self._defect,
                extra=self._fields(seconds),
            )

    def _severity(self, *, slow: bool) -> int:
        if self._failed:
            return _SEVERITIES.get(self.error.kind, logging.INFO)
        return logging.INFO if self.write or slow or self.code != "OK" else logging.DEBUG

    def _fields(self, seconds: float) -> dict[str, object]:
        fields: dict[str, object] = {
            "method": self.method,
            "code": self.code,
            "duration_ms": round(seconds * 1000, 1),
            "caller": self.call.caller if self.call else "",
            "viewer_id": str(self.call.viewer.id) if self.call and self.call.viewer else "",
        }
        if self._failed:
            fields |= {"reason": self.error.reason, "detail": self.error.message}
            cause = self.error.__cause__
            if cause is not None:
                # What is wrong with a request quotes the request; only what is wrong with us needs its words.
                fields["cause"] = repr(cause) if self.error.kind in _OURS else type(cause).__name__
        return fields
