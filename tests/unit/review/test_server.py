"""The page's server: who is let in, and what it says to whom."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from aide.errors import InputError
from aide.review import FolderReview
from aide.review.server import ReviewServer
from unit.review.folders import make_record, open_review, read_reviews, write_folder

Visit = Callable[[aiohttp.ClientSession, str], Awaitable[None]]


def visit(tmp_path: Path, visitor: Visit) -> FolderReview:
    """Serve a folder of two records and let the visitor in, with the page's address."""

    async def serve(review: FolderReview) -> None:
        async with ReviewServer(review) as server, aiohttp.ClientSession() as session:
            await visitor(session, server.url)

    folder = write_folder(tmp_path / "run", [make_record("a", "One"), make_record("b", "Two")])
    with open_review(folder) as review:
        asyncio.run(serve(review))
        return review


def test_only_its_own_page_on_this_machine_is_let_in(tmp_path: Path) -> None:
    async def visitor(session: aiohttp.ClientSession, url: str) -> None:
        async def status(address: str, **headers: str) -> int:
            async with session.get(address, headers=headers) as answer:
                return answer.status

        host = url.split("/")[2]
        assert host.startswith("127.0.0.1:")
        assert await status(url) == await status(url + "api/start") == 200
        assert await status(url, Origin=f"http://{host}") == 200
        assert await status(url, Host=host.replace("127.0.0.1", "localhost")) == 200
        assert await status(f"http://{host}/") == await status(f"http://{host}/wrong/api/start") == 404
        assert await status(url[:-2] + "/api/start") == 404  # a token that is nearly right
        assert await status(url, Host="evil.example") == 403  # a foreign name that points here
        for origin in ("http://evil.example", "null", f"https://{host}", "http://127.0.0.1:1"):
            assert await status(url + "api/start", Origin=origin) == 403
        assert await status(url, **{"Sec-Fetch-Site": "cross-site"}) == 403

    visit(tmp_path, visitor)


def test_a_form_of_a_foreign_page_decides_nothing(tmp_path: Path) -> None:
    async def visitor(session: aiohttp.ClientSession, url: str) -> None:
        body = '{"n":0,"verdict":"reject","seen":0}'
        for headers, status in (
            ({"Content-Type": "text/plain"}, 415),
            ({"Content-Type": "application/json", "Origin": "http://evil.example"}, 403),
        ):
            async with session.post(f"{url}api/decide", data=body, headers=headers) as answer:
                assert answer.status == status

    review = visit(tmp_path, visitor)
    assert not (review.folder.path / "reviews.jsonl").exists()


def test_the_page_loads_nothing_from_elsewhere_and_says_so(tmp_path: Path) -> None:
    async def visitor(session: aiohttp.ClientSession, url: str) -> None:
        for name in ("", "review.css", "main.js", "content.js", "editor.js", "list.js", "new_words.js"):
            async with session.get(url + name) as answer:
                assert answer.status == 200
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert answer.headers["Cache-Control"] == "no-store"
        async with session.get(url + "__init__.py") as answer:
            assert answer.status == 404

    visit(tmp_path, visitor)
    for asset in files("aide.review").joinpath("page").iterdir():
        assert re.findall(r"https?://", asset.read_text(encoding="utf-8")) == []


def test_decisions_at_once_from_many_windows_are_all_kept_or_told(tmp_path: Path) -> None:
    statuses: list[int] = []

    async def visitor(session: aiohttp.ClientSession, url: str) -> None:
        async def decide(number: int, verdict: str) -> None:
            asked: dict[str, Any] = {"n": number, "verdict": verdict, "seen": 0}
            async with session.post(f"{url}api/decide", json=asked) as answer:
                statuses.append(answer.status)
                if answer.status == 409:
                    assert "another window" in (await answer.json())["told"]

        async with asyncio.TaskGroup() as group:
            for verdict in ("accept", "reject"):
                for number in (0, 1):
                    group.create_task(decide(number, verdict))

    review = visit(tmp_path, visitor)
    assert sorted(statuses) == [200, 200, 409, 409]
    assert len(read_reviews(review.folder)) == 2


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"n": 7, "verdict": "accept", "seen": 0}, "no entry 7"),
        ({"n": 0, "verdict": "maybe", "seen": 0}, "no decision"),
        ({"n": 0, "verdict": "accept"}, "no number"),
        ({"n": 0, "verdict": "accept", "seen": 0, "edits": [1]}, "no fields of a record"),
        ([1], "no JSON object"),
    ],
)
def test_what_is_no_decision_is_told_in_a_sentence(tmp_path: Path, asked: Any, words: str) -> None:
    async def visitor(session: aiohttp.ClientSession, url: str) -> None:
        async with session.post(f"{url}api/decide", json=asked) as answer:
            assert answer.status == 400
            assert words in (await answer.json())["told"]

    visit(tmp_path, visitor)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    other = write_folder(tmp_path / "other", [])

    async def visitor(session: aiohttp.ClientSession, url: str) -> None:
        with open_review(other) as review, pytest.raises(InputError, match="can't listen on 127"):
            await ReviewServer(review, int(url.split(":")[2].split("/")[0])).__aenter__()

    visit(tmp_path, visitor)


def test_every_key_is_shown_on_the_page() -> None:
    page = files("aide.review").joinpath("page")
    script, shown = (page.joinpath(name).read_text(encoding="utf-8") for name in ("main.js", "page.html"))
    table = script.split("const KEYS = {")[1].split("\n};")[0]
    keys = re.findall(r'^  "?([a-z/?]|[A-Z]\w+)"?: ', table, re.MULTILINE)
    named = {"ArrowDown": "↓", "ArrowUp": "↑", "PageDown": "PgDn", "PageUp": "PgUp"}
    listed = set(re.findall(r"<kbd>(.+?)</kbd>", shown.split('id="keys"')[1]))
    assert len(keys) > 15
    wanted = {named.get(key, key.upper() if len(key) == 1 else key) for key in keys}
    assert wanted - listed == set()
    docs = (Path(__file__).parents[3] / "docs" / "review.md").read_text(encoding="utf-8")
    assert wanted - set(re.findall(r"`(.+?)`", docs.split("## Keys")[1])) == set()
