"""Connections to one host: aiohttp on the wire, httpx's errors at the seam."""

import urllib.request
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final
from urllib.parse import urlsplit

import httpx

CONNECT: Final = 10.0
IDLE: Final = 2.5  # servers close idle connections after 5 s: never meet them at that moment


class Network:
    """Connections to one host, at most `pool` of them; the system's proxies and certificates are heeded.

    `timeout` is how long the host may be silent, in seconds. Errors are httpx's.
    """

    def __init__(self, base: str, pool: int, timeout: float) -> None:
        import aiohttp
        import yarl

        parts = urlsplit(base)
        proxies = urllib.request.getproxies()
        bypass = urllib.request.proxy_bypass(parts.hostname or "")
        self._proxy = None if bypass else proxies.get(parts.scheme, proxies.get("all"))
        connector = aiohttp.TCPConnector(
            limit=pool,
            keepalive_timeout=IDLE,
            ssl=httpx.create_ssl_context() if parts.scheme == "https" else False,
            ttl_dns_cache=300,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept"),
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
        except _foreign() as error:
            raise _told_apart(error) from error

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()


@cache
def _foreign() -> tuple[type[Exception], ...]:
    import aiohttp

    return OSError, aiohttp.ClientError


def _told_apart(error: Exception) -> httpx.HTTPError:
    """What befell a connection, in httpx's words: never there, fell silent, broke, or spoke no HTTP."""
    import aiohttp

    words = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return httpx.ConnectError(words)
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout(words)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return httpx.ProxyError(words)
    return httpx.ReadError(words)
