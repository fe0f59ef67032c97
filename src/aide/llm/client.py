"""One HTTP exchange with one endpoint: the only code that speaks HTTP, and where foreign errors end.

httpx is the interface (any `httpx.AsyncBaseTransport` can stand in for the network) and is spoken to at the
transport, since its client and pool cost far more than the exchange itself; see `benchmarks/client.py`.
Behind it stands aiohttp.
"""

import asyncio
import os
import re
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import orjson

from aide.errors import AideError, CallError, EndpointUnusable, InputError
from aide.llm.faults import WrongPath, answer_of, decode, read_fault, scoped
from aide.llm.request import Endpoint

CONNECT: Final = 10.0
IDLE: Final = 2.5  # servers close idle connections after 5 s: never meet them at that moment
KEY_TIME: Final = 30.0
SIM: Final = "sim:"
LOCAL: Final = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")

Handler = Callable[
    [str, Mapping[str, Any], Mapping[str, str]],
    Awaitable[tuple[int, Mapping[str, str], Mapping[str, Any] | bytes]],
]


@dataclass(frozen=True, slots=True)
class Reply:
    """One exchange as it came: header names in lower case, the body decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class CallableTransport(httpx.AsyncBaseTransport):
    """An endpoint in this process: `answer(path, body, headers)` gives `(status, headers, body)`."""

    def __init__(self, answer: Handler) -> None:
        self.answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport`; `Client` takes the shorter way over `answer`."""
        content = await request.aread()
        body = orjson.loads(content) if content else {}
        status, headers, said = await self.answer(request.url.path, body, dict(request.headers))
        return httpx.Response(status, headers=dict(headers), content=_bytes(said))


class Client:
    """Exchanges with one endpoint.

    `timeout` is how long the endpoint may be silent, `total_timeout` (twice that by default) how long one
    exchange may take in all, in seconds. A connection that drops before an answer is there is replaced once,
    at once. `transport` stands in for the network; `environ` is where the key's variable is looked up.

    Raises:
        InputError: the base URL is none, or `sim:` has no transport.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = 120.0,
        total_timeout: float | None = None,
        pool: int = 64,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.endpoint = endpoint
        self.total_timeout = 2 * timeout if total_timeout is None else total_timeout
        simulated = endpoint.base_url.startswith(SIM)
        if simulated and transport is None:
            raise InputError(
                f"nothing stands behind {endpoint.base_url!r} here", hint="give the URL of a server"
            )
        self.bases = ("http://simulator/v1",) if simulated else base_urls(endpoint.base_url, endpoint.query)
        self._direct = transport.answer if isinstance(transport, CallableTransport) else None
        self._transport = transport
        self._pool = pool
        self._environ = environ
        self._key: str | None = None
        self._key_lock = asyncio.Lock()
        self._at = 0
        self._urls: dict[str, httpx.URL] = {}
        self._headers: list[tuple[str, str]] = []
        self._plain: dict[str, str] = {}
        self._foreign: tuple[type[Exception], ...] = (OSError,)
        self._extensions = {"timeout": {"connect": CONNECT, "read": timeout, "write": timeout, "pool": None}}

    @property
    def base(self) -> str:
        """The base URL in use; settles with the first answer where several spellings are possible."""
        return self.bases[self._at]

    async def chat(self, body: Mapping[str, Any]) -> tuple[Reply, Mapping[str, Any]]:
        """One chat completion: the reply and its decoded body, which has a message in it.

        Raises: as `faults.answer_of`; `CallError` for what the network does; no text of it holds the key.
        """
        refreshed = False
        while True:
            at, key = self._at, await self._known_key()
            reply = await self.exchange("POST", "/chat/completions", body)
            try:
                return reply, answer_of(
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

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The decoded answer of another route of the endpoint (`/embeddings`); errors as in `chat`."""
        _, data = await self.reply(path, body)
        return data

    async def reply(self, path: str, body: Mapping[str, Any]) -> tuple[Reply, Any]:
        """As `post`, with the reply as it came."""
        reply = await self.exchange("POST", path, body)
        data = decode(reply.body)
        if 200 <= reply.status < 300 and data is not None:
            return reply, data
        raise self._without_key(
            scoped(read_fault(reply.status, reply.headers, reply.body, data), self._shown(path))
        )

    async def look_up(self, path: str) -> Any:
        """The decoded answer to a GET, under the first spelling of the base URL that has one: it is kept.

        `None` where none has one. Errors as in `exchange`.
        """
        start = self._at
        for at in range(start, len(self.bases)):
            self._at = at
            reply = await self.exchange("GET", path)
            data = decode(reply.body)
            if reply.status == 200 and data is not None:
                return data
        self._at = start
        return None

    async def exchange(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        """One request and whatever answers it, of any status.

        Raises:
            CallError: kind `connection` or `timeout`.
            EndpointUnusable: the key command fails, or the certificate is not trusted.
        """
        if self._key is None:
            await self._known_key()
        began = monotonic()
        if self._direct is not None:
            route = urlsplit(self.base).path + path
            status, headers, said = await self._direct(route, body or {}, self._plain)
            return Reply(status, headers, _bytes(said), monotonic() - began)
        content = b"" if body is None else encode(body)
        try:
            async with asyncio.timeout(self.total_timeout):
                try:
                    response, came = await self._send(method, path, content)
                except (httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError):
                    response, came = await self._send(method, path, content)
        except TimeoutError:
            raise CallError(f"no complete answer within {self.total_timeout:g} s", kind="timeout") from None
        except httpx.HTTPError as error:
            raise self._without_key(_mapped(error, self.base)) from None
        lower = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw
        }
        return Reply(response.status_code, lower, came, monotonic() - began)

    async def _send(self, method: str, path: str, content: bytes) -> tuple[httpx.Response, bytes]:
        if self._transport is None:
            self._transport, foreign = open_transport(self.base, self._pool)
            self._foreign = (OSError, foreign)
        url = self._url(path)
        request = httpx.Request(
            method, url, headers=self._headers, content=content, extensions=self._extensions
        )
        try:
            response = await self._transport.handle_async_request(request)
            try:
                return response, await response.aread()
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise _told_apart(error) from error
        except self._foreign as error:
            raise httpx.ReadError(str(error)) from error

    def _url(self, path: str) -> httpx.URL:
        url = self._urls.get(key := self.base + path)
        if url is None:
            base, _, query = self.base.partition("?")
            url = self._urls[key] = httpx.URL(f"{base}{path}?{query}" if query else f"{base}{path}")
        return url

    def _shown(self, path: str) -> str:
        return f"{self.base.partition('?')[0]}{path}"

    async def _known_key(self) -> str:
        if self._key is None:
            async with self._key_lock:
                if self._key is None:
                    await self._take_key()
        return self._key or ""

    async def _refresh(self, refused: str) -> None:
        async with self._key_lock:
            if self._key == refused:  # else another worker has already fetched a new one
                await self._take_key()

    async def _take_key(self) -> None:
        """Ask the key command, else the environment, and lay out the headers that carry the key."""
        command, name = self.endpoint.key_command, self.endpoint.key_env
        key = await run_key_command(command) if command else self._environ.get(name, "") if name else ""
        key = "".join(key.split())
        headers = {
            "accept": "application/json",
            "accept-encoding": "gzip, deflate",
            "content-type": "application/json",
        }
        if key:
            azure = not command and (urlsplit(self.base).hostname or "").endswith(".azure.com")
            headers.update({"api-key": key} if azure else {"authorization": f"Bearer {key}"})
        headers.update({n.lower(): value.replace("{key}", key) for n, value in self.endpoint.headers.items()})
        headers.setdefault("host", urlsplit(self.base).netloc.rpartition("@")[2])
        headers.setdefault("user-agent", "aide")
        self._plain = headers
        self._headers = list(headers.items())
        self._key = key

    def _without_key(self, error: AideError) -> AideError:
        """The same error with the key struck out of its words; servers like to repeat it."""
        if self._key:
            error.args = tuple(str(part).replace(self._key, "***") for part in error.args)
            error.hint = error.hint.replace(self._key, "***")
        return error

    async def close(self) -> None:
        """Close all connections."""
        if self._transport is not None:
            await self._transport.aclose()


def encode(body: Mapping[str, Any]) -> bytes:
    """The body as JSON; lone surrogates, which break every server, become question marks."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        return orjson.dumps(_mended(body))


def base_urls(text: str, query: Mapping[str, str]) -> tuple[str, ...]:
    """The base URLs that a pasted address may mean, likeliest first, the query at the end of each.

    A scheme may be missing; `/v1`, a trailing slash, or a whole route may be there or not.

    Raises:
        InputError: it is no HTTP address.
    """
    text = text.strip()
    if "://" not in text:
        text = ("http://" if text.startswith(LOCAL) else "https://") + text
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InputError(
            f"{text!r} is no address of an endpoint", hint="such as --base-url http://localhost:8000/v1"
        )
    path = re.sub(
        r"/(chat/completions|completions|embeddings|models|responses|chat)/*$", "", parts.path.rstrip("/")
    )
    path = re.sub(r"(/v\d+)(\1)+$", r"\1", path.rstrip("/"))
    both = urlencode([*parse_qsl(parts.query), *query.items()])
    root = f"{parts.scheme}://{parts.netloc}"
    versioned = re.search(r"/v\d+[a-z]*\d*(/|$)|/openai(/|$)|/deployments/", path)
    paths = [path] if versioned else [f"{path}/v1", path] if not path else [path, f"{path}/v1"]
    return tuple(f"{root}{p}?{both}" if both else f"{root}{p}" for p in paths)


async def run_key_command(command: str) -> str:
    """What the command prints; raises `EndpointUnusable` where it fails, takes too long or prints nothing."""
    hint = "check --api-key-command"
    running = await asyncio.create_subprocess_shell(
        command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(KEY_TIME):
            printed, _ = await running.communicate()
    except TimeoutError:
        running.kill()
        await running.wait()
        raise EndpointUnusable(f"the key command took more than {KEY_TIME:g} s", hint=hint) from None
    if running.returncode or not printed.strip():
        raise EndpointUnusable(f"the key command failed (exit status {running.returncode})", hint=hint)
    return printed.decode("utf-8", "replace")


def open_transport(base: str, pool: int) -> tuple[httpx.AsyncBaseTransport, type[Exception]]:
    """The network: aiohttp behind httpx's interface, at most `pool` connections, the system's proxies heeded.

    With it comes the root of the errors that it may let through as they are.
    """
    import aiohttp
    from httpx_aiohttp import AiohttpTransport

    parts = urlsplit(base)
    secure = parts.scheme == "https"
    proxies = urllib.request.getproxies()
    found = (
        None
        if urllib.request.proxy_bypass(parts.hostname or "")
        else proxies.get(parts.scheme, proxies.get("all"))
    )
    connector = aiohttp.TCPConnector(
        limit=pool,
        keepalive_timeout=IDLE,
        ssl=httpx.create_ssl_context() if secure else False,
        ttl_dns_cache=300,
    )
    session = aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=("User-Agent", "Accept")
    )
    proxy = httpx.Proxy(found) if found else None
    return AiohttpTransport(client=session, verify=False, proxy=proxy), aiohttp.ClientError


def _told_apart(error: httpx.HTTPError) -> httpx.HTTPError:
    """The transport calls any trouble with a connection a timeout of connecting: say what it is."""
    cause = error.__cause__
    if cause is None or isinstance(error, httpx.ReadError):
        return error
    names = {kind.__name__ for kind in type(cause).__mro__}
    if names & {"ClientConnectorError", "ConnectionTimeoutError"}:
        return httpx.ConnectError(str(error))
    if "ServerTimeoutError" in names:
        return error
    if names & {"ServerDisconnectedError", "ClientOSError", "ConnectionResetError"}:
        return httpx.ReadError(str(error))
    return error


def _mapped(error: httpx.HTTPError, base: str) -> AideError:
    base = base.partition("?")[0]
    words = str(error).lower()
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
    return CallError(f"the connection to {base} broke: {type(error).__name__}", kind="connection")


def _bytes(said: Mapping[str, Any] | bytes) -> bytes:
    return said if isinstance(said, bytes) else orjson.dumps(said)


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_mended(key): _mended(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(inner) for inner in value]
    return value
