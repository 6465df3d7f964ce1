"""The dashboard's files by themselves, for an installation that puts them on machines of their own."""

import asyncio
import logging
from pathlib import Path

from pydantic import Field
from starlette.applications import Starlette

from chassis.errors import Unavailable
from chassis.health import Health, Phase
from chassis.http import HttpServer, Traced, make_app
from chassis.metrics import Metrics
from chassis.redaction import Redactor
from chassis.settings import SettingsInvalid
from gateway.headers import SecureHeaders
from gateway.listening import HttpServers
from gateway.pages import INDEX, Pages
from gateway.settings import GatewaySettings

logger = logging.getLogger(__name__)


class PagesSettings(GatewaySettings):
    """The gateway's settings; whoever only serves files proves himself to nobody and needs no keys."""

    trust_file: Path = Field(Path(), validation_alias="AIOPS_TRUST_FILE")
    redaction_key_file: Path = Field(Path(), validation_alias="AIOPS_REDACTION_KEY_FILE")
    key_file: Path = Path()


class PagesProcess:
    """One running server of files. It talks to no service, to no database and not to NATS."""

    name = "dashboard"

    def __init__(self, settings: GatewaySettings, folder: Path) -> None:
        self.settings = settings
        self.redactor = Redactor()
        self.http_port = 0
        self.operations_port = 0
        self._index = folder / INDEX
        self._metrics = Metrics()
        self._health = Health(self.name, {"pages": self._there}, self._metrics)
        self._app = Starlette()
        self._app.router.default = Pages(folder)
        self._servers = HttpServers(settings)

    async def run(self, stop: asyncio.Event) -> int:
        """Serve until `stop` is set, and drain; the exit code.

        Raises:
            SettingsInvalid: an address cannot be listened on.
        """
        try:
            await self.start()
            await stop.wait()
        finally:
            await self.stop()
        logger.info("dashboard stopped")
        return 0

    async def start(self) -> None:
        """Listen.

        Raises:
            SettingsInvalid: an address cannot be listened on.
        """
        secure = SecureHeaders(self._app, development=self.settings.environment == "development")
        self.http_port = self._servers.serve(HttpServer(Traced(secure)), "http_listen")
        operations = HttpServer(make_app(self._health, self._metrics))
        self.operations_port = self._servers.serve(operations, "operations_listen")
        await self._health.enter(Phase.SERVING)
        logger.info("dashboard is ready", extra={"http_port": self.http_port, "operations_port": self.operations_port})

    async def stop(self) -> None:
        """Drain."""
        await self._health.enter(Phase.DRAINING)
        await self._servers.let_callers_leave()
        await self._servers.stop()

    async def _there(self) -> None:
        if not self._index.is_file():
            raise Unavailable(f"{self._index} is gone; build the dashboard again", dependency="pages")


def build_pages(settings: GatewaySettings | None = None) -> PagesProcess:
    """The server of the dashboard's files; build it inside the event loop.

    Raises:
        SettingsInvalid: there are none.
    """
    settings = settings or PagesSettings()
    if settings.dashboard_folder is None:
        raise SettingsInvalid(
            "GATEWAY_DASHBOARD_FOLDER is not set, and without it there are no pages to serve; build the dashboard with "
            "`make dashboard` and give its folder dashboard/dist"
        )
    return PagesProcess(settings, settings.dashboard_folder)
