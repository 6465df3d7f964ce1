"""A TCP door in front of two versions, which sends new connections to the one that has the traffic.

As a Service of Kubernetes does it: connections that stand stay where they are until one side ends them.
"""

import asyncio
from contextlib import suppress


class Switch:
    """Open it inside the event loop; `to` is the switch."""

    def __init__(self) -> None:
        self.connections = 0
        """How many stand."""
        self._target = ("", 0)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        """Where callers connect."""
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def open(self, target: str) -> None:
        """Listen on a free port."""
        self.to(target)
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)

    def to(self, target: str) -> None:
        """Send new connections there."""
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))

    async def close(self) -> None:
        """End all connections, and listen no more."""
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._writers):
            writer.close()
        await asyncio.sleep(0)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
        else:
            self._writers.add(far_writer)
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
            self._writers.discard(far_writer)
            far_writer.close()
        finally:
            self.connections -= 1
            self._writers.discard(writer)
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on one direction to its end, which is handed on too."""
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        if writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()
