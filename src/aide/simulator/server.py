"""The simulator over HTTP/1.1: as little server as keeps connections alive and says what is wrong.

Requests of one connection are served in order; heads and bodies have an upper size.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

import orjson

from aide.simulator.faults import error
from aide.simulator.service import Simulator

_HEAD_END: Final = b"\r\n\r\n"
_MAX_HEAD: Final = 65_536
_MAX_BODY: Final = 64 * 1024 * 1024
_REASONS: Final = {
    200: "OK", 400: "Bad Request", 404: "Not Found", 413: "Content Too Large", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
}  # fmt: skip


class _BadRequestError(Exception):
    """What came is no request that this server reads."""


class _Connection(asyncio.Protocol):
    """One client: bytes in, one request at a time, bytes out."""

    def __init__(self, simulator: Simulator, open_ones: set["_Connection"]) -> None:
        self._simulator = simulator
        self._open = open_ones
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self._transport = None
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._task is None:
            self._next()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _next(self) -> None:
        """Begin with the next request if it is complete."""
        transport = self._transport
        if transport is None:
            return
        try:
            request = self._take()
        except _BadRequestError as fault:
            status = 413 if "large" in str(fault) else 400
            transport.write(
                _response(status, {}, error(str(fault), "invalid_request_error", status), keep=False)
            )
            transport.close()
            return
        if request is not None:
            self._task = asyncio.get_running_loop().create_task(self._answer(*request))

    def _take(self) -> tuple[str, str, dict[str, str], bytes] | None:
        """The first request of the buffer, `None` until all of it has come."""
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            if len(self._buffer) > _MAX_HEAD:
                raise _BadRequestError("the head is too large")
            return None
        method, path, headers = _read_head(bytes(self._buffer[:end]).decode("latin-1"))
        start = end + len(_HEAD_END)
        if "chunked" in headers.get("transfer-encoding", "").lower():
            found = _unchunk(self._buffer, start)
            if found is None:
                return None
            body, after = found
        else:
            after = start + _length(headers)
            if len(self._buffer) < after:
                return None
            body = bytes(self._buffer[start:after])
        del self._buffer[:after]
        return method, path, headers, body

    async def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        keep = headers.get("connection", "").lower() != "close"
        try:
            status, extra, content = await self._simulator.handle(method, path, headers, body)
        except ConnectionResetError:
            self.close()
            return
        finally:
            self._task = None
        transport = self._transport
        if transport is None:
            return
        transport.write(_response(status, extra, content, keep=keep))
        if not keep:
            transport.close()
        elif self._buffer:
            self._next()


def _read_head(head: str) -> tuple[str, str, dict[str, str]]:
    """Method, path and headers by lower-case name."""
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _BadRequestError("the request line can't be read")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if words[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return words[0], words[1], headers


def _length(headers: dict[str, str]) -> int:
    length = headers.get("content-length", "0")
    if not length.isdigit():
        raise _BadRequestError("the content length is no number")
    if int(length) > _MAX_BODY:
        raise _BadRequestError("the body is too large")
    return int(length)


def _unchunk(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    """A chunked body and where it ends, `None` until all of it has come."""
    pieces: list[bytes] = []
    place, total = start, 0
    while True:
        line_end = buffer.find(b"\r\n", place)
        if line_end < 0:
            return None
        try:
            size = int(bytes(buffer[place:line_end]).split(b";")[0], 16)
        except ValueError:
            raise _BadRequestError("a chunk's size is no number") from None
        total += size
        if total > _MAX_BODY:
            raise _BadRequestError("the body is too large")
        after = line_end + 2 + size + 2
        if len(buffer) < after:
            return None
        if size == 0:
            return b"".join(pieces), after
        pieces.append(bytes(buffer[line_end + 2 : after - 2]))
        place = after


def _response(status: int, headers: dict[str, str], content: object, *, keep: bool) -> bytes:
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
    if "content-type" not in headers:
        lines.append("content-type: application/json")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"content-length: {len(body)}")
    if not keep:
        lines.append("connection: close")
    return "\r\n".join(lines).encode("latin-1") + _HEAD_END + body


async def serve(simulator: Simulator, host: str, port: int, *, ready: Callable[[int], None]) -> None:
    """Serve until cancelled; `ready` hears the port once requests are taken (port 0: any that is free).

    Raises:
        OSError: the address can't be had.
    """
    open_ones: set[_Connection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(simulator, open_ones), host, port, backlog=1024)
    try:
        ready(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()
    finally:
        server.close()
        for connection in list(open_ones):
            connection.close()
        await server.wait_closed()
