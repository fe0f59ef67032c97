"""One HTTP exchange with one endpoint: the only code that speaks HTTP, and where foreign errors end.

httpx is the seam: any `httpx.AsyncBaseTransport` can stand in for the network, and errors below here are httpx's. The
network itself is aiohttp (`llm/network.py`); docs/design/http.md says why.
"""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson

from aide.errors import AideError, CallError, EndpointUnusable, InputError
from aide.llm.addresses import list_base_urls
from aide.llm.bodies import MOST, MOST_OF_A_FILE, BodyMeter, unwrap
from aide.llm.faults import SHOWN, WrongPath, classify_fault, decode_json, read_answer, read_fault
from aide.llm.keys import clean_key, fill_variables, run_key_command, strike_out
from aide.llm.network import Network
from aide.llm.request import Endpoint
from aide.stop import StopSwitch

SIM: Final = "sim:"

Handler = Callable[
    [str, Mapping[str, Any] | bytes, Mapping[str, str]],
    Awaitable[tuple[int, Mapping[str, str], Mapping[str, Any] | bytes]],
]


@dataclass(frozen=True, slots=True)
class WireReply:
    """One exchange as it came."""

    status: int
    headers: Mapping[str, str]
    """With lower-case names."""
    body: bytes
    """Decompressed."""
    seconds: float
    """From the request's start to the last byte."""


class CallableTransport(httpx.AsyncBaseTransport):
    """An endpoint in this process: `answer(path, body, headers)` gives `(status, headers, body)`."""

    def __init__(self, answer: Handler) -> None:
        self.answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport`; `Client` takes the shorter way over `answer`."""
        content = await request.aread()
        body = orjson.loads(content) if content else {}
        status, headers, said = await self.answer(request.url.path, body, dict(request.headers))
        return httpx.Response(status, headers=dict(headers), content=_encode(said))


class Client:
    """Exchanges with one endpoint."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = 120.0,
        total_timeout: float | None = None,
        pool: int = 64,
        environ: Mapping[str, str] = os.environ,
        stop: StopSwitch | None = None,
        bodies: BodyMeter | None = None,
    ) -> None:
        """`timeout` is how many seconds the endpoint may be silent; `total_timeout` is twice that by default.

        `transport` stands in for the network, `pool` is the most connections, and `environ` is where the key's
        variable is looked up. After a `stop` no request is sent. `bodies` bounds what is received
        at once.

        Raises:
            InputError: the base URL is none, or `sim:` has no transport.
        """
        self.endpoint = endpoint
        self.total_timeout = 2 * timeout if total_timeout is None else total_timeout
        """Seconds that one exchange may take in all."""
        simulated = endpoint.base_url.startswith(SIM)
        if simulated and transport is None:
            raise InputError(
                f"nothing stands behind {endpoint.base_url!r} here", hint="give the URL of a server"
            )
        query = {n: fill_variables(v, environ, f"the query's field {n}") for n, v in endpoint.query.items()}
        self.bases = ("http://simulator/v1",) if simulated else list_base_urls(endpoint.base_url, query)
        """The base URLs that the address may mean, likeliest first."""
        self._direct = transport.answer if isinstance(transport, CallableTransport) else None
        self._transport = transport
        self._pool = pool
        self._environ = environ
        self._key: str | None = None
        self._secrets: list[str] = []
        self._key_lock = asyncio.Lock()
        self._at = 0
        self._urls: dict[str, str] = {}
        self._headers: dict[str, str] = {}
        self._timeout = timeout
        self._network: Network | None = None
        self._stop = stop or StopSwitch()
        self._bodies = bodies or BodyMeter()

    @property
    def base(self) -> str:
        """The base URL in use; settles with the first answer where several spellings are possible."""
        return self.bases[self._at]

    async def chat(self, body: Mapping[str, Any]) -> tuple[WireReply, Mapping[str, Any]]:
        """One chat completion: the reply and its decoded body, which has a message in it.

        The first wrong path moves on to the next spelling of the base URL. The first refused key is asked for anew
        where a command prints it, since such keys expire during a run.

        Raises: as `faults.read_answer`; `CallError` for what the network does; no text of it holds the key.
        """
        refreshed = False
        while True:
            at, key = self._at, await self._get_key()
            reply = await self.exchange("POST", "/chat/completions", body)
            try:
                return reply, read_answer(
                    reply.status, reply.headers, reply.body, self._shown("/chat/completions")
                )
            except WrongPath as wrong:
                if at + 1 >= len(self.bases):
                    raise self._without_key(wrong) from None
                self._at = max(self._at, at + 1)
            except AideError as error:
                if reply.status != 401 or refreshed or not self.endpoint.key_command:
                    raise self._without_key(error) from None
                refreshed = True
                await self._refresh(key)

    async def reply(self, path: str, body: Mapping[str, Any]) -> tuple[WireReply, Any]:
        """The reply of another route (`/embeddings`) as it came, and its decoded body; errors as in `chat`."""
        reply = await self.exchange("POST", path, body)
        data = decode_json(reply.body)
        if 200 <= reply.status < 300 and data is not None:
            return reply, data
        raise self._without_key(
            classify_fault(read_fault(reply.status, reply.headers, reply.body, data), self._shown(path))
        )

    async def look_up(self, path: str) -> Any:
        """The decoded answer to a GET, under the first spelling of the base URL that has one: it is kept.

        `None` where none has one. Errors as in `exchange`.
        """
        start = self._at
        for at in range(start, len(self.bases)):
            self._at = at
            reply = await self.exchange("GET", path)
            data = decode_json(reply.body)
            if reply.status == 200 and data is not None:
                return data
        self._at = start
        return None

    async def exchange(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        *,
        content_type: str = "",
        resend: bool = True,
        most: int = MOST,
    ) -> WireReply:
        """One request and whatever answers it, of any status. `body` is JSON, or bytes of that `content_type`.

        A connection that drops before an answer is there is replaced once, at once: most often the server had just
        closed an idle one. Not without `resend`, for requests that must not arrive twice. An answer has at most `most`
        bytes.

        Raises:
            CallError: kind `connection` or `timeout`.
            EndpointUnusable: the key command fails, or the certificate is not trusted.
            AideError: the reason of a stop.
        """
        if self._key is None:
            await self._get_key()
        began = monotonic()
        sent = {**self._headers, "content-type": content_type} if content_type else self._headers
        if self._direct is not None:  # the simulator in this process: no request need be built for it
            route = urlsplit(self.base).path + path
            with self._stop.on_the_wire():
                status, headers, said = await self._direct(route, body or {}, {**sent, ":method": method})
            return WireReply(status, headers, _encode(said), monotonic() - began)
        content = b"" if body is None else body if isinstance(body, bytes) else encode_body(body)
        try:
            # Besides the read timeout: a server that sends a byte now and then would hold a slot for ever.
            async with asyncio.timeout(self.total_timeout):
                try:
                    answer = await self._send(method, path, sent, content, most)
                except (httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError):
                    if not resend:
                        raise
                    answer = await self._send(method, path, sent, content, most)
        except TimeoutError:
            raise CallError(f"no complete answer within {self.total_timeout:g} s", kind="timeout") from None
        except httpx.HTTPError as error:
            raise self._without_key(_convert_error(error, self.base)) from None
        status, headers, came = answer
        return WireReply(status, headers, unwrap(headers, came), monotonic() - began)

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes, most: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers by lower-case name, and the decompressed body."""
        with self._stop.on_the_wire():
            return await self._send_through(method, path, headers, content, most)

    async def _send_through(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes, most: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        if self._transport is None:
            if self._network is None:
                self._network = Network(self.base, self._pool, self._timeout, self._stop, self._bodies)
            return await self._network.send(method, self._url(path), headers, content, most=most)
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout)
        request = httpx.Request(
            method, self._url(path), headers=headers, content=content, extensions={"timeout": timeouts}
        )
        response = await self._transport.handle_async_request(request)
        try:
            body = await response.aread()
        finally:
            await response.aclose()
        return response.status_code, {name.lower(): value for name, value in response.headers.items()}, body

    def _url(self, path: str) -> str:
        url = self._urls.get(key := self.base + path)
        if url is None:
            base, _, query = self.base.partition("?")
            joint = "&" if "?" in path else "?"
            url = self._urls[key] = f"{base}{path}{joint}{query}" if query else f"{base}{path}"
        return url

    async def fetch(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        *,
        content_type: str = "",
        resend: bool = True,
    ) -> bytes | None:
        """The body of a 2xx under the first spelling of the base URL that has the route; `None` where none has it.

        Raises: as `faults.classify_fault` says of any other status, and as `exchange`.
        """
        start = self._at
        for at in range(start, len(self.bases)):
            self._at = at
            reply = await self.exchange(
                method, path, body, content_type=content_type, resend=resend, most=MOST_OF_A_FILE
            )
            if 200 <= reply.status < 300:
                return reply.body
            if reply.status not in (404, 405):
                fault = read_fault(reply.status, reply.headers, reply.body, decode_json(reply.body))
                raise self._without_key(classify_fault(fault, self._shown(path)))
        self._at = start
        return None

    def _shown(self, path: str) -> str:
        return f"{self.base.partition('?')[0]}{path}"

    async def _get_key(self) -> str:
        if self._key is None:
            with self._stop.waiting():
                async with self._key_lock:
                    if self._key is None:
                        await self._take_key()
        return self._key or ""

    async def _refresh(self, refused: str) -> None:
        with self._stop.waiting():
            async with self._key_lock:
                if self._key == refused:  # else another worker has already fetched a new one
                    await self._take_key()

    async def _take_key(self) -> None:
        """Ask the key command, else the environment, and lay out the headers that carry the key."""
        command, name = self.endpoint.key_command, self.endpoint.key_env
        key = await run_key_command(command) if command else self._environ.get(name, "") if name else ""
        key = clean_key(key, name if name and not command else "--api-key-command")
        headers = {
            "accept": "application/json",
            "accept-encoding": "gzip, deflate",
            "content-type": "application/json",
        }
        if key:
            # Azure takes keys in a header of its own; a command prints one of its tokens, which go as everywhere.
            azure = not command and (urlsplit(self.base).hostname or "").endswith(".azure.com")
            headers.update({"api-key": key} if azure else {"authorization": f"Bearer {key}"})
        given = {
            n.lower(): fill_variables(value, self._environ, f"the header {n}").replace("{key}", key)
            for n, value in self.endpoint.headers.items()
        }
        headers.update(given)
        hidden = [each for n, each in given.items() if each != self.endpoint.headers.get(n)]
        self._secrets = [
            each for each in (key, *hidden, *(word for each in hidden for word in each.split())) if each
        ]
        # aiohttp would build these for each request; here they are built once a key.
        headers.setdefault("host", urlsplit(self.base).netloc.rpartition("@")[2])
        headers.setdefault("user-agent", "aide")
        self._headers = headers
        self._key = key

    def _without_key(self, error: AideError) -> AideError:
        """The same error with the key struck out of its words; servers like to repeat it."""
        error.args = tuple(strike_out(str(part), self._secrets) for part in error.args)
        error.hint = strike_out(error.hint, self._secrets)
        return error

    async def close(self) -> None:
        """Close all connections."""
        for way in (self._transport, self._network):
            if way is not None:
                await way.aclose()


def encode_body(body: Mapping[str, Any]) -> bytes:
    """The body as JSON; lone surrogates, which break every server, become question marks."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        return orjson.dumps(_replace_surrogates(body))


def _convert_error(error: httpx.HTTPError, base: str) -> AideError:
    """What befell the connection, in words that a person can act on."""
    base = base.partition("?")[0]
    words = str(error).lower()
    if isinstance(error, httpx.ProxyError):
        hint = "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
        return CallError(f"the proxy {error} stands before {base}", kind="connection", hint=hint)
    if "wrong_version_number" in words or "wrong version number" in words or "record layer" in words:
        return EndpointUnusable(f"{base} answers, but not in https", hint="write http:// in --base-url")
    if "hostname mismatch" in words or "is not valid for" in words:
        return EndpointUnusable(
            f"the certificate at {base} is for another name", hint="use the name that the certificate has"
        )
    if "certificate" in words:
        return EndpointUnusable(
            f"the certificate of {base} is not trusted", hint="set SSL_CERT_FILE to the right authority"
        )
    if isinstance(error, httpx.ConnectError) and re.search(
        r"getaddrinfo|name or service|name resolution|dns|no address", words
    ):
        return CallError(f"the host of {base} can't be found", kind="connection", hint="check --base-url")
    if isinstance(error, httpx.ConnectError):
        hint = "start the server there, or check --base-url"
        return CallError(f"nothing listens at {base}", kind="connection", hint=hint)
    if isinstance(error, httpx.TimeoutException):
        return CallError(f"{base} did not answer in time", kind="timeout")
    said = " ".join(str(error).split())[:SHOWN] or type(error).__name__
    return CallError(f"the connection to {base} broke: {said}", kind="connection")


def _encode(said: Mapping[str, Any] | bytes) -> bytes:
    return said if isinstance(said, bytes) else orjson.dumps(said)


def _replace_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_replace_surrogates(key): _replace_surrogates(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_replace_surrogates(inner) for inner in value]
    return value
