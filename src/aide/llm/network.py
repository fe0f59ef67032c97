"""Connections to one host: aiohttp on the wire, httpx's errors at the seam."""

import os
import ssl
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from aide.errors import CallError, EndpointUnusable
from aide.llm.bodies import MOST, BodyMeter, decompress
from aide.stop import StopSwitch

# Seconds for a connection to come about: a host across the world needs less than one, a busy accept queue a few.
CONNECT: Final = 10.0
# Seconds until an idle connection is closed here. The common servers (uvicorn, nginx behind many of them) do so after
# 5 s or more; whoever reuses a connection at that very moment loses a request.
IDLE: Final = 2.5
# Bytes of one header. Gateways put whole policies and traces into theirs; aiohttp's own bound is 8 kB.
HEADER: Final = 64 << 10
DNS_SECONDS: Final = 300  # a look-up for each new connection would double its cost; hosts move seldom


class Network:
    """Connections to one host, at most `pool` of them; the system's proxies and certificates are heeded.

    `timeout` is how long the host may be silent, in seconds; a `stop` ends what waits for a connection. Errors are
    httpx's.
    """

    def __init__(
        self, base: str, pool: int, timeout: float, stop: StopSwitch, bodies: BodyMeter | None = None
    ) -> None:
        import aiohttp
        import yarl

        parts = urlsplit(base)
        proxies = urllib.request.getproxies()
        bypass = urllib.request.proxy_bypass(parts.hostname or "")
        self._bodies = bodies or BodyMeter()
        self._proxy = None if bypass else proxies.get(parts.scheme, proxies.get("all"))
        connector = _make_connector_class()(
            stop,
            limit=pool,  # the limiter never lets more calls out; a second bound below it would queue unseen
            keepalive_timeout=IDLE,
            ssl=_make_ssl_context() if parts.scheme == "https" else False,
            ttl_dns_cache=DNS_SECONDS,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),  # an API that sets cookies must not tie a run to one replica
            auto_decompress=False,  # a body is bounded before it is unpacked, and after
            max_line_size=HEADER,
            max_field_size=HEADER,
            skip_auto_headers=("User-Agent", "Accept"),
            # No total: the client bounds the whole exchange, reconnect included.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=timeout),
        )
        self._parsed = lru_cache(maxsize=16)(yarl.URL)

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, *, most: int = MOST
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers by lower-case name, and the decompressed body of the answer, of `most` bytes.

        Raises:
            errors.CallError: the body is too large, or is encoded in a way that was not asked for.
            httpx.HTTPError: the connection could not be had, broke, or fell silent.
        """
        try:
            async with self._session.request(
                method,
                self._parsed(url),
                headers=headers,
                data=content or None,
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                answered = {name.lower(): value for name, value in response.headers.items()}
                body = await self._bodies.read(response.content.iter_any(), most)
                with suppress(*((CallError,) if response.status >= 300 else ())):  # the status tells more
                    body = decompress(body, answered.get("content-encoding", ""), most)
                return response.status, answered, body
        except _list_foreign_errors() as error:
            raise _convert_error(error, self._proxy) from error

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()


def _make_ssl_context() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except (OSError, ssl.SSLError) as error:
        named = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR") or "the system"
        hint = "let SSL_CERT_FILE name a file of PEM certificates, or unset it"
        raise EndpointUnusable(f"no certificates can be read from {named}: {error}", hint=hint) from None


@cache
def _make_connector_class() -> Any:
    import aiohttp

    class StoppableConnector(aiohttp.TCPConnector):
        """Until it has a connection a request is not sent, and a stop ends it."""

        def __init__(self, stop: StopSwitch, **options: Any) -> None:
            super().__init__(**options)
            self._stop = stop

        async def connect(self, *request: Any, **options: Any) -> Any:
            with self._stop.waiting():
                return await super().connect(*request, **options)

    return StoppableConnector


@cache
def _list_foreign_errors() -> tuple[type[Exception], ...]:
    import aiohttp  # here, since a run against the simulator never needs it

    return OSError, aiohttp.ClientError


def _convert_error(error: Exception, proxy: str | None) -> httpx.HTTPError:
    """The same error in httpx's words: never connected, fell silent, broke, or the proxy refused."""
    import aiohttp

    words = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return httpx.ProxyError(f"{urlsplit(proxy or '').netloc.rpartition('@')[2]}: {words}")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return httpx.ConnectError(words)
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout(words)
    return httpx.ReadError(words)
