"""One service's connection to NATS: its streams, its durability, and what ends the process.

Publishing is the relay's part (`chassis.relay`), reacting the consumers' (`chassis.consumer`).
"""

import asyncio
import json
import logging
import os
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import nats
from google.protobuf.message import DecodeError
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as CoreSubscription
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError
from pydantic import SecretStr

from aiops.events.v1.envelope_pb2 import Envelope
from chassis.errors import Unavailable
from chassis.events import dead_letter_stream, stream
from chassis.settings import SettingsInvalid
from chassis.tls import Tls

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
PING_SECONDS = 10
RECONNECT_WAIT_SECONDS = 1
REQUEST_SECONDS = 5.0
DUPLICATE_WINDOW_SECONDS = 600.0
STREAM_MAX_AGE_SECONDS = 14 * 86400.0
_LEAVE_CODE = 78


class NatsSettings(Protocol):
    """What `chassis.settings` says about NATS."""

    @property
    def nats_url(self) -> str: ...  # noqa: D102 - see chassis.settings
    @property
    def nats_monitor_url(self) -> str: ...  # noqa: D102
    @property
    def nats_durability(self) -> Literal["checked", "vouched"]: ...  # noqa: D102
    @property
    def nats_stream_max_bytes(self) -> int: ...  # noqa: D102
    @property
    def nats_user(self) -> str: ...  # noqa: D102
    @property
    def nats_password(self) -> SecretStr: ...  # noqa: D102


class Messaging:
    """A connection that comes back by itself for as long as the process lives, and never fails in silence."""

    def __init__(
        self,
        settings: NatsSettings,
        service: str,
        *,
        streams: bool = True,
        on_fatal: Callable[[str], None] | None = None,
        on_reconnected: Callable[[], Awaitable[None]] | None = None,
        tls: Tls | None = None,
    ) -> None:
        self.service = service
        self._settings = settings
        self._streams = streams
        self._on_fatal = on_fatal or _leave
        self._tell_reconnected = on_reconnected
        self._tls = tls
        self._context = tls.context() if tls else None
        self._client: Client | None = None
        self._last_error = ""
        self._closing = False

    async def connect(self) -> None:
        """Connect, be sure that NATS keeps what it acknowledges, and make this service's streams.

        Raises:
            SettingsInvalid: NATS would lose acknowledged events in a power cut.
            Unavailable: NATS cannot be reached, or refuses this service.
        """
        if self._streams:
            await asyncio.to_thread(self._require_durability)
        if self._client is None:
            self._client = await self._connection()
        await self.check()
        await self.ensure_streams()

    async def _connection(self) -> Client:
        """One that comes back by itself: asked for once, however often `connect` is tried again."""
        client = Client()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect(
                    servers=[server.strip() for server in self._settings.nats_url.split(",")],
                    user=self._settings.nats_user,
                    password=self._settings.nats_password.get_secret_value(),
                    name=f"aiops-{self.service}",
                    inbox_prefix=f"_INBOX_{self.service}".encode(),
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RECONNECT_WAIT_SECONDS,
                    ping_interval=PING_SECONDS,
                    error_cb=self._on_error,
                    disconnected_cb=self._on_disconnected,
                    reconnected_cb=self._on_reconnected,
                    closed_cb=self._on_closed,
                    tls=self._context,
                    # Not after a greeting in clear: whoever forged one without TLS would be told the password.
                    tls_handshake_first=self._context is not None,
                )
        except TimeoutError as error:
            self._closing = True
            await client.close()
            self._closing = False
            raise Unavailable(self._unreachable(), dependency="nats") from error
        return client

    @property
    def is_connected(self) -> bool:
        """Whether NATS is there just now."""
        return self._client is not None and self._client.is_connected

    @property
    def jetstream(self) -> JetStreamContext:
        """The persistent side of the connection."""
        return self._connected().jetstream(timeout=REQUEST_SECONDS)

    async def check(self) -> None:
        """Return if NATS is there.

        Raises:
            Unavailable: it is not.
        """
        if not self.is_connected:
            raise Unavailable(self._unreachable(), dependency="nats")

    async def ensure_streams(self) -> None:
        """Make the streams of this service's facts and dead letters, or bring them to the present settings.

        Raises:
            Unavailable: NATS did not answer.
        """
        if not self._streams:
            return
        try:
            await self._ensure_stream(stream(self.service), f"aiops.{self.service}.>")
            await self._ensure_stream(dead_letter_stream(self.service), f"aiops.dlq.{self.service}.>")
        except (nats.errors.Error, TimeoutError) as error:
            raise Unavailable(
                f"NATS does not make the streams of {self.service}: {error}", dependency="nats"
            ) from error

    async def subscribe_core(self, subject: str, callback: Callable[[Envelope], Awaitable[None]]) -> CoreSubscription:
        """Hear events as they happen: some may be missed, none is replayed. For telling people who look on."""

        async def on_message(message: Msg) -> None:
            try:
                envelope = Envelope.FromString(message.data)
            except DecodeError:
                logger.warning("what came on %s is no event", message.subject)
                return
            await callback(envelope)

        return await self._connected().subscribe(subject, cb=on_message)

    async def close(self) -> None:
        """Send what is buffered and leave."""
        self._closing = True
        if self._client is not None and not self._client.is_closed:
            try:
                await self._client.drain() if self._client.is_connected else await self._client.close()
            except (nats.errors.Error, TimeoutError):
                await self._client.close()

    def _connected(self) -> Client:
        if self._client is None:
            raise Unavailable("NATS is not connected yet; try again in a moment", dependency="nats")
        return self._client

    def _unreachable(self) -> str:
        why = f" ({self._last_error})" if self._last_error else ""
        return f"NATS cannot be reached as user {self._settings.nats_user!r}{why}; try again in a moment"

    def _require_durability(self) -> None:
        if self._settings.nats_durability == "vouched":
            return
        url = self._settings.nats_monitor_url
        if not url.startswith(("http://", "https://")):
            raise SettingsInvalid(
                "set AIOPS_NATS_MONITOR_URL so that NATS's durability can be checked, or AIOPS_NATS_DURABILITY=vouched "
                "if you have set `sync_interval: always` yourself"
            )
        try:
            with urllib.request.urlopen(  # noqa: S310 - see above
                f"{url}/varz", timeout=CONNECT_SECONDS, context=self._context
            ) as answer:
                config = json.load(answer).get("jetstream", {}).get("config", {})
        except (OSError, ValueError, AttributeError) as error:
            raise Unavailable(f"the monitoring of NATS cannot be read: {error}", dependency="nats") from error
        if config.get("sync_always") is not True:
            raise SettingsInvalid(
                "NATS would lose acknowledged events in a power cut; set `jetstream { sync_interval: always }`"
            )

    async def _ensure_stream(self, name: str, subjects: str) -> None:
        config = StreamConfig(
            name=name,
            subjects=[subjects],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            # Full means that publishing fails and the outbox holds; the other policy drops what is oldest, silently.
            discard=DiscardPolicy.NEW,
            max_bytes=self._settings.nats_stream_max_bytes,
            max_age=STREAM_MAX_AGE_SECONDS,
            duplicate_window=DUPLICATE_WINDOW_SECONDS,
        )
        try:
            await self.jetstream.add_stream(config)
        except BadRequestError:
            await self.jetstream.update_stream(config)

    async def _on_error(self, error: Exception) -> None:
        text = str(error) or type(error).__name__
        if "permissions violation" in text.lower():
            self._on_fatal(f"NATS refuses {self.service} something that proto/events.yaml does not give it: {text}")
        elif text != self._last_error:
            # Reconnecting fails again and again with the same words: once is enough.
            self._last_error = text
            logger.warning("NATS: %s", text)

    async def _on_disconnected(self) -> None:
        if self._tls is not None:
            self._tls.renew()
        if not self._closing:
            logger.warning("NATS is away; reconnecting")

    async def _on_reconnected(self) -> None:
        self._last_error = ""
        logger.info("NATS is back")
        try:
            await self.ensure_streams()
        except Unavailable as error:
            logger.warning("%s", error.message)
        if self._tell_reconnected is not None:
            await self._tell_reconnected()

    async def _on_closed(self) -> None:
        if not self._closing:
            self._on_fatal(f"NATS closed the connection of {self.service} for good: {self._last_error or 'no reason'}")


def _leave(message: str) -> None:
    """End the process: a service that is deaf must not look healthy."""
    logger.critical("%s", message)
    logging.shutdown()
    os._exit(_LEAVE_CODE)
