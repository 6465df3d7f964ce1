"""The HTTP servers of a process: begun one by one, ended together."""

import asyncio

from chassis.http import HttpServer, bind
from chassis.settings import ProcessSettings


class HttpServers:
    """What listens."""

    def __init__(self, settings: ProcessSettings) -> None:
        self._settings = settings
        self._running: list[tuple[HttpServer, asyncio.Task[None]]] = []

    def serve(self, server: HttpServer, setting: str) -> int:
        """Listen on the address in this setting; the port.

        Raises:
            SettingsInvalid: nothing can listen there.
        """
        listener = bind(getattr(self._settings, setting), variable=self._settings.variable(setting))
        task = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]), name=setting)
        self._running.append((server, task))
        return int(listener.getsockname()[1])

    async def let_callers_leave(self) -> None:
        """Answer on, for as long as it takes callers to notice that this process is not ready any more."""
        if self._running:
            await asyncio.sleep(self._settings.drain_seconds)

    async def stop(self) -> None:
        """Finish what was begun."""
        for server, _ in self._running:
            server.should_exit = True
        await asyncio.gather(*(task for _, task in self._running), return_exceptions=True)
