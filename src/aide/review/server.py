"""The page over HTTP, for one person on this machine.

Only 127.0.0.1 is listened on. A request must bear the token, which is part of every address; name this very server
as its host, so that no foreign name can be pointed at it; and come from its own page, if a browser says where it
comes from. The page loads nothing from elsewhere.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any, Final

from aiohttp import web

from aide.errors import AideError, InputError
from aide.jsonl import encode_json, parse_json
from aide.review.decisions import OvertakenError
from aide.review.folder_review import FolderReview

HOST: Final = "127.0.0.1"
_ASSETS: Final = {
    "": ("page.html", "text/html"),
    "review.css": ("review.css", "text/css"),
    "main.js": ("main.js", "text/javascript"),
    "content.js": ("content.js", "text/javascript"),
    "editor.js": ("editor.js", "text/javascript"),
    "list.js": ("list.js", "text/javascript"),
    "new_words.js": ("new_words.js", "text/javascript"),
}
_SHARED: Final = "new_words.js"
"""The script that the report has, too."""
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_LARGEST: Final = 32 << 20
"""Bytes of a request: an edited text may be long."""
_ROWS: Final = 500
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ReviewServer:
    """A review behind its addresses. `async with` listens; the `url` is then known."""

    def __init__(self, review: FolderReview, port: int = 0, token: str = "") -> None:
        """`port` 0 takes any free one; without a `token` a new one is drawn."""
        self._review = review
        self._token = token or secrets.token_urlsafe(24)
        self._port = port
        app = web.Application(middlewares=[self._guard], client_max_size=_LARGEST)
        app.router.add_get("/{token}/{name:[a-z_.]*}", self._send_asset)
        app.router.add_get("/{token}/api/{name}", self._answer_get)
        app.router.add_post("/{token}/api/{name}", self._answer_post)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)

    @property
    def url(self) -> str:
        """The page's address, with its token."""
        return f"http://{HOST}:{self._port}/{self._token}/"

    async def __aenter__(self) -> "ReviewServer":
        """Listen.

        Raises:
            InputError: the port is taken.
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, self._port).start()
        except OSError as fault:
            await self._runner.cleanup()
            raise InputError(
                f"can't listen on {HOST}:{self._port}: {fault.strerror or fault}", hint="try --port 0"
            ) from None
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Answer what was begun, and stop."""
        await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._check(request)
            response = await handler(request)
        except web.HTTPException as refused:
            response = web.Response(status=refused.status, text=refused.reason)
        except OvertakenError:
            response = _send({"told": "decided in another window meanwhile"}, 409)
        except InputError as fault:
            response = _send({"told": _join(fault)}, 400)
        except AideError as fault:
            response = _send({"told": _join(fault)}, 507)
        response.headers.update(_HEADERS)
        return response

    def _check(self, request: web.Request) -> None:
        port = "" if self._port == 80 else f":{self._port}"
        hosts = {f"{HOST}{port}", f"localhost{port}"}
        origin = request.headers.get("Origin")
        if request.headers.get("Host") not in hosts:
            raise web.HTTPForbidden(reason="another host")
        if origin is not None and origin.removeprefix("http://") not in hosts:
            raise web.HTTPForbidden(reason="another origin")
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise web.HTTPForbidden(reason="another site")
        token = request.match_info.get("token", "")
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            raise web.HTTPNotFound(reason="no such page")
        if request.method == "POST" and request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(reason="JSON only")

    async def _send_asset(self, request: web.Request) -> web.Response:
        found = _ASSETS.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound(reason="no such page")
        place = files("aide.text") if found[0] == _SHARED else files("aide.review") / "page"
        text = (place / found[0]).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=found[1])

    async def _answer_get(self, request: web.Request) -> web.Response:
        asked, review = request.query, self._review
        match request.match_info["name"]:
            case "start":
                return _send(review.start())
            case "rows":
                numbers = [_number(each) for each in asked.get("n", "").split(",") if each]
                return _send(review.list_rows(numbers[:_ROWS]))
            case "entry":
                return _send(review.show(_number(asked.get("n"))))
            case "answers":
                return _send(review.answers(_number(asked.get("n"))))
            case "changes":
                return _send(review.changes(_number(asked.get("version"))))
        raise web.HTTPNotFound(reason="no such page")

    async def _answer_post(self, request: web.Request) -> web.Response:
        asked = _read_object(await request.read())
        match request.match_info["name"]:
            case "choose":
                return _send(self._review.choose(asked))
            case "decide":
                return _send(self._decide(asked))
            case "undo":
                number, seen, keep = (_number(asked.get(name)) for name in ("n", "seen", "keep"))
                return _send(self._review.take_back(number, seen, keep))
        raise web.HTTPNotFound(reason="no such page")

    def _decide(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        verdict, reason, edits = asked.get("verdict"), asked.get("reason") or "", asked.get("edits")
        if verdict not in ("accept", "reject") or not isinstance(reason, str):
            raise InputError("this is no decision")
        if edits is not None and not isinstance(edits, dict):
            raise InputError("the edits are no fields of a record")
        return self._review.decide(
            _number(asked.get("n")), verdict, _number(asked.get("seen")), reason, edits
        )


async def serve_review(review: FolderReview, port: int, *, ready: Callable[[str], None]) -> None:
    """Serve until cancelled; `ready` hears the page's address once requests are taken.

    Raises:
        InputError: the port is taken.
    """
    async with ReviewServer(review, port) as server:
        ready(server.url)
        await asyncio.Event().wait()


def _send(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=encode_json(value), status=status, content_type="application/json")


def _read_object(body: bytes) -> Mapping[str, Any]:
    try:
        found = parse_json(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError("this is no JSON object")
    return found


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise InputError(f"{value!r} is no number") from None


def _join(fault: AideError) -> str:
    return "; ".join(filter(None, (str(fault), fault.hint)))
