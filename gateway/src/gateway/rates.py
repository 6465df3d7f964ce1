"""What one caller may take of a gateway: cost over time, connections and subscriptions.

Each person, each machine and each address of strangers has a bucket that fills at an even rate. An operation takes its
cost out of it, so that one caller's haste costs himself time and not the others.
"""

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Literal

from chassis.errors import Exhausted
from gateway.context import Caller
from gateway.settings import GatewaySettings

BURST_SECONDS = 30
"""What a bucket holds: as much as flows in during this time."""
REFUSED_COST = 10
"""What an operation costs that is refused: its document was read."""
DOOR_COST = 10
"""What a request at one of the other doors costs: as much as a write."""
MAX_BUCKETS = 10_000
SITE_BITS = 64
"""Of an IPv6 address: one customer has all the addresses of such a network."""

Kind = Literal["person", "machine", "anonymous"]
Principal = tuple[Kind, str]


class RateLimited(Exhausted):
    """The caller asks for more than his share."""

    reason = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message, retry_after_seconds=str(retry_after_seconds))


def principal_of(caller: Caller) -> Principal:
    """Who pays: a person, a machine, or the network that strangers come from."""
    viewer = caller.viewer
    if viewer is not None:
        return ("machine" if viewer.kind == "service_account" else "person", str(viewer.id))
    try:
        address = ip_address(caller.address)
    except ValueError:
        return "anonymous", caller.address
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return "anonymous", str(IPv6Network((address, SITE_BITS), strict=False))
    return "anonymous", caller.address


@dataclass
class _Bucket:
    left: float
    at: float


class Rates:
    """A bucket for each caller; those of whoever came longest ago are forgotten, which makes them full."""

    def __init__(self, settings: GatewaySettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        per_second = {
            "person": settings.person_rate,
            "machine": settings.machine_rate,
            "anonymous": settings.anonymous_rate,
        }
        # The dearest operation that is allowed fits into a full bucket.
        self._limits = {
            kind: (rate, max(rate * BURST_SECONDS, settings.max_cost)) for kind, rate in per_second.items() if rate
        }
        self._buckets: OrderedDict[Principal, _Bucket] = OrderedDict()
        self._monotonic = monotonic

    def take(self, caller: Caller, cost: int) -> None:
        """Let the caller pay.

        Raises:
            RateLimited: he has not enough left; nothing was taken.
        """
        principal = principal_of(caller)
        if principal[0] not in self._limits:
            return
        rate, _ = self._limits[principal[0]]
        bucket = self._bucket(principal)
        if bucket.left < cost:
            seconds = math.ceil((cost - bucket.left) / rate)
            raise RateLimited(
                f"this is more than your share, {rate:,} a second; try again in {seconds} s, or ask for less at once",
                retry_after_seconds=seconds,
            )
        bucket.left -= cost

    def headers(self, caller: Caller) -> dict[str, str]:
        """What is left, as draft-ietf-httpapi-ratelimit-headers has it."""
        principal = principal_of(caller)
        if principal[0] not in self._limits:
            return {}
        rate, burst = self._limits[principal[0]]
        left = max(0, int(self._bucket(principal).left))
        return {
            "ratelimit-policy": f'"cost";q={burst};w={math.ceil(burst / rate)}',
            "ratelimit": f'"cost";r={left};t={math.ceil((burst - left) / rate)}',
        }

    def _bucket(self, principal: Principal) -> _Bucket:
        rate, burst = self._limits[principal[0]]
        now = self._monotonic()
        bucket = self._buckets.setdefault(principal, _Bucket(burst, now))
        bucket.left, bucket.at = min(burst, bucket.left + rate * (now - bucket.at)), now
        self._buckets.move_to_end(principal)
        while len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return bucket


class Shares:
    """How many things of a kind a caller holds at once."""

    def __init__(self, what: str, maximum: int) -> None:
        self._what = what
        self._maximum = maximum
        self._held: Counter[Principal] = Counter()

    @contextmanager
    def held(self, caller: Caller) -> Iterator[None]:
        """Hold one more for the block.

        Raises:
            RateLimited: he holds as many as he may.
        """
        principal = principal_of(caller)
        if self._held[principal] >= self._maximum:
            raise RateLimited(f"you have {self._maximum} {self._what} already; end one first", retry_after_seconds=1)
        self._held[principal] += 1
        try:
            yield
        finally:
            self._held[principal] -= 1
            if not self._held[principal]:
                del self._held[principal]
