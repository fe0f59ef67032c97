"""The simulator over HTTP/1.1: as little server as keeps connections alive and says what is wrong."""

import asyncio
from collections.abc import Callable
from typing import Final

import orjson

from aide.simulator.faults import error
from aide.simulator.service import Simulator

_HEAD_END: Final = b"\r\n\r\n"


async def serve(simulator: Simulator, host: str, port: int, *, ready: Callable[[int], None]) -> None:
    """Serve until cancelled; `ready` hears the port (0 takes any) once requests are taken.

    Raises:
        OSError: the address can't be had.
    """
    open_ones: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.add(writer)
        try:
            while await _answer_one(simulator, reader, writer):
                await writer.drain()
            writer.close()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()  # the client has gone, or is to see the connection drop
        finally:
            open_ones.discard(writer)

    server = await asyncio.start_server(talk, host, port, backlog=1024)
    try:
        ready(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()
    finally:
        server.close()
        for writer in list(open_ones):
            writer.transport.abort()
        await server.wait_closed()


async def _answer_one(
    simulator: Simulator, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Read and answer one request; false where the connection ends with it."""
    try:
        first, *lines = (await reader.readuntil(_HEAD_END)).decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (ValueError, asyncio.LimitOverrunError):
        told = error("this is no request that can be read", "invalid_request_error", 400)
        writer.write(_format_response(400, {"connection": "close"}, told))
        return False
    status, extra, content = await simulator.handle(method, path, headers, body)
    writer.write(_format_response(status, extra, content))
    return headers.get("connection", "").lower() != "close"


def _format_response(status: int, headers: dict[str, str], content: object) -> bytes:
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    named = {"content-type": "application/json", **headers, "content-length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Simulated\r\n{head}\r\n".encode("latin-1") + body
