"""A small client of Chromium's DevTools protocol: enough to open a file, click, read, and take a picture."""

import asyncio
import base64
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--remote-debugging-port=0",
)  # fmt: skip


class Page:
    """One tab. `problems` are console errors and uncaught exceptions, `requests` all addresses it asked for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        self._loaded = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.wait([self._reader])

    async def send(self, method: str, **params: Any) -> Any:
        number = len(self._waiting) + 1
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        return await asyncio.wait_for(future, 60)

    async def _read(self) -> None:
        async for message in self._socket:
            data = message.json()
            if "id" in data:
                future = self._waiting[data["id"]]
                future.set_exception(
                    RuntimeError(str(data["error"]))
                ) if "error" in data else future.set_result(data["result"])
            else:
                self._note(data["method"], data["params"])

    def _note(self, method: str, params: Mapping[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.problems.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.problems.append(str(params["args"]))
        elif method == "Page.loadEventFired":
            self._loaded.set()
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(params["message"])

    async def open(self, address: str) -> None:
        """Load a report and wait until its script says that all is in place."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.send(f"{domain}.enable")
        self._loaded.clear()
        await self.send("Page.navigate", url=address)
        await asyncio.wait_for(self._loaded.wait(), 60)
        await self.until("document.documentElement.dataset.ready === 'yes'")

    async def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = await self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    async def press(self, *keys: str) -> None:
        """Press real keys one after the other: letters, digits, names such as `Enter`, with `Ctrl+` in front."""
        for name in keys:
            control, key = name.startswith("Ctrl+"), name.removeprefix("Ctrl+")
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            code = {
                "Enter": 13,
                "Escape": 27,
                "ArrowDown": 40,
                "ArrowUp": 38,
                "Home": 36,
                "End": 35,
                "PageUp": 33,
                "PageDown": 34,
            }.get(key, 0)
            facts: dict[str, Any] = {
                "key": key,
                "modifiers": 2 if control else 0,
                "windowsVirtualKeyCode": code,
            }
            down = {"type": "keyDown", "text": text} if text and not control else {"type": "rawKeyDown"}
            await self.send("Input.dispatchKeyEvent", **down, **facts)
            await self.send("Input.dispatchKeyEvent", type="keyUp", **facts)

    async def write(self, text: str) -> None:
        """Type a text into the field that has the focus."""
        await self.send("Input.insertText", text=text)

    async def until(self, condition: str) -> None:
        """Wait, for at most half a minute, until an expression is true."""
        await self.run(
            "new Promise((done, failed) => { const began = Date.now(); (function look() {"
            f" if ({condition}) return done(true);"
            " if (Date.now() - began > 30000) return failed(new Error('waited in vain'));"
            " setTimeout(look, 20); })(); })"
        )

    async def size(self, width: int, height: int, *, phone: bool = False, dark: bool = False) -> None:
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[scheme])

    async def picture(self, *, whole: bool = True) -> bytes:
        """A PNG of the page."""
        shot = await self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(shot["data"])


@asynccontextmanager
async def chrome() -> AsyncIterator[Page]:
    """A fresh browser with one tab; it is gone afterwards, with its profile."""
    assert BINARY is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            BINARY, *FLAGS, f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert process.stderr is not None
            line = b""
            while b"DevTools listening on" not in line:
                line = await asyncio.wait_for(process.stderr.readline(), 60)
                assert line, "the browser ended at once"
            drain = asyncio.create_task(process.stderr.read())
            host = line.decode().split("ws://")[1].split("/")[0]
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://{host}/json") as answer:
                    tabs = await answer.json()
                tab = next(tab for tab in tabs if tab["type"] == "page")
                async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    page = Page(socket)
                    try:
                        yield page
                    finally:
                        await page.close()
        finally:
            process.terminate()
            await process.wait()
            await asyncio.wait([drain])
