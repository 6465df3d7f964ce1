"""What a service is built from: one object that `app.py` makes from its settings, and hands the parts of."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from chassis.clock import Clock, SystemClock
from chassis.db import Database, UnitOfWork
from chassis.events import Event
from chassis.flags import Flag, Flags
from chassis.history.anchors import Anchors
from chassis.history.document import History
from chassis.history.recorder import Recorder
from chassis.history.store import store_at
from chassis.identity import AccessTokens, ServiceIdentity, Trust
from chassis.metrics import Metrics, MetricSpec
from chassis.redaction import Redactor
from chassis.revocations import Revocations, client_for, from_auth
from chassis.rpc.client import Client
from chassis.settings import ServiceSettings, SettingsInvalid
from chassis.tls import Tls


class Runtime:
    """The parts of one service process. Building it reads files and opens nothing; build it inside the event loop."""

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        *,
        to_event: Callable[[object], Event],
        package: str,
        clock: Clock | None = None,
        metrics: Sequence[MetricSpec] = (),
        flags: Sequence[Flag] = (),
        access_tokens: AccessTokens | None = None,
        histories: Sequence[History] = (),
    ) -> None:
        self.name = name
        self.settings = settings
        self.package = package
        self.clock = clock or SystemClock()
        self.metrics = Metrics(metrics)
        self.tls = Tls.of(name, settings)
        try:
            redaction_key = settings.redaction_key_file.read_bytes().strip()
            self.redactor = Redactor(redaction_key)
            self.identity = ServiceIdentity.from_file(name, settings.key_file, self.tls)
            self.trust = Trust.from_file(settings.trust_file)
            self.flags = Flags(
                flags,
                file=settings.flags_file,
                unleash_url=settings.unleash_url,
                unleash_token=settings.unleash_token.get_secret_value(),
                service=name,
            )
        except (OSError, ValueError, TypeError) as error:
            raise SettingsInvalid(f"a file named in the settings cannot be used: {error}") from error
        self._closing: list[Callable[[], Awaitable[None]]] = []
        self.access_tokens = access_tokens or self._access_tokens()
        self.database = Database(
            self._database_url(),
            name=name,
            pool_size=settings.pool_size,
            max_overflow=settings.pool_size,
        )
        self.recorder = Recorder(histories, redaction_key, name) if histories else None
        self.unit_of_work = UnitOfWork(self.database, self.clock, to_event, name, self.recorder)
        self.anchors = self._anchors() if self.recorder else None

    def _access_tokens(self) -> AccessTokens:
        asking = client_for(self.settings.auth_target, self.identity, self.metrics)
        self.on_close(asking.close)
        revocations = Revocations(from_auth(asking, self.name), hears=True)
        if self.tls:
            return AccessTokens.over_rpc(self.client(self.settings.auth_target, "auth"), revocations, self.clock)
        return AccessTokens.over_http(self.settings.jwks_url, revocations, self.clock)

    def _database_url(self) -> str:
        url = self.settings.database_url.get_secret_value()
        return self.tls.postgres_url(url, variable=self.settings.variable("database_url")) if self.tls else url

    def _anchors(self) -> Anchors:
        try:
            store = store_at(self.settings.anchor_url)
        except ValueError as error:
            raise SettingsInvalid(str(error)) from error
        kinds = tuple(self.recorder.histories) if self.recorder else ()
        return Anchors(self.unit_of_work, kinds, self.identity, store)

    def client(self, target: str, audience: str) -> Client:
        """The way to another service; closed with this runtime."""
        client = Client(target, audience, self.identity, metrics=self.metrics)
        self.on_close(client.close)
        return client

    def on_close(self, close: Callable[[], Awaitable[None]]) -> None:
        """Have something else of the service's closed with this runtime."""
        self._closing.append(close)

    async def close(self) -> None:
        """Give everything back."""
        for close in self._closing:
            await close()
        await self.database.close()
        await asyncio.to_thread(self.flags.close)
