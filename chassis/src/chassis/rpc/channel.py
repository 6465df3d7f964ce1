"""The connection to another service: plain, or with certificates that may change while it lives."""

from collections.abc import Callable, Sequence
from typing import Any

import grpc

from chassis.tls import Tls


def open_channel(target: str, audience: str, options: Sequence[tuple[str, int]], tls: Tls | None) -> Any:
    """A channel to a service; with certificates each side proves who it is, and renewed ones are taken up."""
    if tls is None:
        return grpc.aio.insecure_channel(target, options)
    return _RenewedChannel(lambda: tls.channel(target, audience, options), tls)


class _RenewedChannel:
    """Makes a new channel when the certificates were renewed, for gRPC keeps those that a channel began with.

    It has what stubs ask of a channel. Calls in progress end where they began; an old channel lives as long as this.
    """

    def __init__(self, open_one: Callable[[], grpc.aio.Channel], tls: Tls) -> None:
        self._open = open_one
        self._tls = tls
        self._generation = tls.generation
        self._channels = [open_one()]

    def current(self) -> grpc.aio.Channel:
        """The channel with the newest certificates."""
        self._tls.renew()
        if self._generation != self._tls.generation:
            self._generation = self._tls.generation
            self._channels.append(self._open())
        return self._channels[-1]

    def unary_unary(self, path: str, *codec: Any, **more: Any) -> "_Method":
        """An RPC, as on any channel."""
        return _Method(self, "unary_unary", path, codec, more)

    def unary_stream(self, path: str, *codec: Any, **more: Any) -> "_Method":
        """An RPC that answers with a stream."""
        return _Method(self, "unary_stream", path, codec, more)

    def stream_unary(self, path: str, *codec: Any, **more: Any) -> "_Method":
        """An RPC that takes a stream."""
        return _Method(self, "stream_unary", path, codec, more)

    async def close(self, grace: float | None = None) -> None:
        """Let calls in progress end, and go."""
        for channel in self._channels:
            await channel.close(grace)


class _Method:
    """An RPC of whatever channel is current when it is called."""

    def __init__(
        self, channel: _RenewedChannel, kind: str, path: str, codec: tuple[Any, ...], more: dict[str, Any]
    ) -> None:
        self._method = path.encode()
        """The path, where gRPC's own have it: `chassis.rpc.guard` reads it."""
        self._channel = channel
        self._made: tuple[Any, Any] = (None, None)
        self._make: Callable[[grpc.aio.Channel], Any] = lambda current: getattr(current, kind)(path, *codec, **more)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Begin the call."""
        current = self._channel.current()
        if self._made[0] is not current:
            self._made = current, self._make(current)
        return self._made[1](*arguments, **options)
