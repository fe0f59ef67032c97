"""Connections to one host: aiohttp on the wire, httpx's errors at the seam."""

import urllib.request
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from aide.stop import StopSwitch

# Seconds for a connection to come about: a host across the world needs less than one, a busy accept queue a few.
CONNECT: Final = 10.0
# Seconds until an idle connection is closed here. The common servers (uvicorn, nginx behind many of them) do so after
# 5 s or more; whoever reuses a connection at that very moment loses a request.
IDLE: Final = 2.5
DNS_SECONDS: Final = 300  # a look-up for each new connection would double its cost; hosts move seldom


class Network:
    """Connections to one host, at most `pool` of them; the system's proxies and certificates are heeded.

    `timeout` is how long the host may be silent, in seconds; a `stop` ends what waits for a connection. Errors are
    httpx's.
    """

    def __init__(self, base: str, pool: int, timeout: float, stop: StopSwitch) -> None:
        import aiohttp
        import yarl

        parts = urlsplit(base)
        proxies = urllib.request.getproxies()
        bypass = urllib.request.proxy_bypass(parts.hostname or "")
        self._proxy = None if bypass else proxies.get(parts.scheme, proxies.get("all"))
        connector = _make_connector_class()(
            stop,
            limit=pool,  # the limiter never lets more calls out; a second bound below it would queue unseen
            keepalive_timeout=IDLE,
            ssl=httpx.create_ssl_context() if parts.scheme == "https" else False,
            ttl_dns_cache=DNS_SECONDS,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),  # an API that sets cookies must not tie a run to one replica
            skip_auto_headers=("User-Agent", "Accept"),
            # No total: the client bounds the whole exchange, reconnect included.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=timeout),
        )
        self._parsed = lru_cache(maxsize=16)(yarl.URL)

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers by lower-case name, and the decompressed body of the answer.

        Raises:
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
                body = await response.read()
                return (
                    response.status,
                    {name.lower(): value for name, value in response.headers.items()},
                    body,
                )
        except _list_foreign_errors() as error:
            raise _convert_error(error) from error

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()


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


def _convert_error(error: Exception) -> httpx.HTTPError:
    """The same error in httpx's words: never connected, fell silent, broke, or the proxy refused."""
    import aiohttp

    words = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return httpx.ConnectError(words)
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout(words)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return httpx.ProxyError(words)
    return httpx.ReadError(words)
