"""The review in a real browser, with real keys: `make test-browser`."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aide.dataset.lines import read_lines
from aide.review.server import ReviewServer
from aide.run.folder import RunFolder
from browser.chrome import BINARY, Page, chrome
from unit.report.folders import hostile
from unit.review.folders import SEED_ROW, make_record, make_reject, open_review, read_reviews, write_folder

pytestmark = pytest.mark.skipif(
    BINARY is None or "AIDE_BROWSER" not in os.environ,
    reason="runs with `make test-browser`, which needs Chromium",
)
LABELS = ("delivery", "billing", "returns")
TITLE = "document.querySelector('.head h1').textContent"
OWN = "document.querySelector('.card.own').textContent"


def write_tickets(path: Path) -> RunFolder:
    records = [make_record(f"r{n}", f"Ticket number {n} is late", LABELS[n % 3]) for n in range(9)]
    rejects = [make_reject("no", "A bill that came twice")]
    return write_folder(path, records, rejects)


@asynccontextmanager
async def reviewing(folder: RunFolder) -> AsyncIterator[str]:
    """The folder under review, at an address."""
    with open_review(folder) as review:
        async with ReviewServer(review) as server:
            yield server.url


def visit(folder: RunFolder, visitor: Callable[[Page], Awaitable[None]], **size: Any) -> None:
    """Open the folder's review in a browser; the page must have no problem and load nothing from elsewhere."""

    async def go() -> None:
        async with reviewing(folder) as url, chrome() as page:
            await page.size(size.pop("width", 1280), size.pop("height", 900), **size)
            await page.open(url)
            await visitor(page)
            assert page.problems == []
            assert page.dialogs == []
            assert [each for each in page.requests if not each.startswith((url, "data:"))] == []

    asyncio.run(go())


async def decided(page: Page, count: int) -> None:
    """Wait until the page says that so many of nine records are decided."""
    left = f"document.getElementById('left').textContent.startsWith('{9 - count} of')"
    await page.until(f"{left} && !document.querySelector('dialog[open]')")


def test_records_are_judged_by_keyboard_alone(tmp_path: Path) -> None:
    folder = write_tickets(tmp_path / "run")

    async def judge(page: Page) -> None:
        assert await page.run(TITLE) == "record 1 of 9"
        await page.press("a")
        await page.until(f"{TITLE} === 'record 2 of 9'")
        await page.press("r")
        await page.until(f"{TITLE} === 'record 3 of 9'")
        await page.press("w", "3")
        await page.until(f"{TITLE} === 'record 4 of 9'")
        await page.press("w")
        await page.write("says nothing")
        await page.press("Enter")
        await page.until(f"{TITLE} === 'record 5 of 9'")
        shown = await page.run(
            "[...document.querySelectorAll('.labels button')].map((each) => each.textContent)"
        )
        place = next(n for n, text in enumerate(shown) if "billing" in text) + 1
        await page.press(str(place))
        await page.until(f"{TITLE} === 'record 6 of 9'")
        await page.press("e")
        await page.until("document.activeElement.tagName === 'TEXTAREA'")
        await page.run("document.activeElement.select()")
        await page.write("Where is it?\nI wait.")
        await page.press("Ctrl+Enter")
        await page.until(f"{TITLE} === 'record 7 of 9'")
        await decided(page, 6)
        await page.press("ArrowDown", "k", "ArrowUp")
        await page.until(f"{TITLE} === 'record 6 of 9'")
        assert "I wait." in await page.run(OWN)
        assert "as the run wrote it" in await page.run("document.getElementById('entry').textContent")
        assert await page.run("document.querySelectorAll('.card.own ins').length") > 0

    visit(folder, judge)
    written = read_reviews(folder)
    verdicts = [line["verdict"] for line in written]
    assert verdicts == ["accept", "reject", "reject", "reject", "accept", "accept"]
    assert [line.get("reason") for line in written[1:4]] == [None, "off task", "says nothing"]
    assert written[4].get("output", "billing") == "billing"
    assert written[5]["input"] == "Where is it?\nI wait."
    assert len(list(read_lines([str(folder.path)]))) == 6


def test_undo_goes_back_step_by_step(tmp_path: Path) -> None:
    folder = write_tickets(tmp_path / "run")

    async def judge(page: Page) -> None:
        await page.press("a")
        await page.until(f"{TITLE} === 'record 2 of 9'")
        await page.press("r")
        await page.until(f"{TITLE} === 'record 3 of 9'")
        for left in (1, 0):
            await page.press("u")
            await decided(page, left)
        assert await page.run(TITLE) == "record 1 of 9"
        await page.press("u")
        await page.until("document.getElementById('notice').textContent.includes('nothing to undo')")

    visit(folder, judge)
    assert [line["verdict"] for line in read_reviews(folder)] == ["accept", "reject", "open", "open"]


def test_filters_search_and_a_reject_that_is_accepted_anyway(tmp_path: Path) -> None:
    folder = write_tickets(tmp_path / "run")

    async def judge(page: Page) -> None:
        await page.press("/")
        await page.write("number 4")
        await page.until(f"{TITLE} === 'record 1 of 1'")
        await page.press("Escape", "f")
        await page.run("{ document.getElementById('search').value = ''; }")
        choose = "{{ const s = document.getElementById('f-{0}'); s.value = '{1}'; s.onchange(); }}"
        await page.run(choose.format("label", "billing"))
        await page.until("document.getElementById('count').textContent.startsWith('3 records')")
        await page.run(choose.format("label", ""))
        await page.run(choose.format("kind", "reject"))
        await page.until(f"{TITLE} === 'a reject of the run'")
        assert "label mismatch" in await page.run("document.querySelector('.why').textContent")
        await page.press("Escape", "a")  # it has no answer yet: the form opens
        await page.until("document.querySelector('.editor select')")
        assert await page.run("document.querySelector('.editor select').value") == "billing"
        await page.press("Ctrl+Enter")
        await page.until("document.getElementById('agreement').textContent.includes('1 reject accepted')")

    visit(folder, judge)
    assert "A bill that came twice" in {line.record["input"] for line in read_lines([str(folder.path)])}


def test_digits_put_labels_into_a_set_and_a_chat_is_edited_turn_by_turn(tmp_path: Path) -> None:
    labels = [
        make_record(name, "Loud and cold", ["noise", "food"][:n], format="multi_label")
        for n, name in ((1, "a"), (2, "b"))
    ]
    folder = write_folder(tmp_path / "labels", labels)

    async def label(page: Page) -> None:
        await page.press("/")
        await page.write(labels[0]["id"])
        await page.until(f"{TITLE} === 'record 1 of 1'")
        await page.press("Escape")
        box = "[...document.querySelectorAll('.labels button')]"
        for name in ("food", "noise"):  # one comes in, one goes
            place = await page.run(f"{box}.findIndex((each) => each.textContent.includes('{name}'))")
            await page.press(str(place + 1))
        await page.until("document.querySelector('.labels .right').textContent.includes('food')")
        await page.press("a")
        await page.until("document.getElementById('notice').textContent.includes('is decided')")

    visit(folder, label)
    assert [line.record["output"] for line in read_lines([str(folder.path)])] == [["food"], ["noise", "food"]]

    async def rewrite(page: Page) -> None:
        await page.press("e")
        await page.until("document.activeElement.tagName === 'TEXTAREA'")
        await page.run("document.activeElement.select()")
        await page.write("And in Rome?")
        for key in ("j", "r"):  # nothing that is clicked by mistake loses what was typed
            await page.run(f"document.querySelector('#actions [data-key={key}]').click()")
        assert await page.run("document.activeElement.value") == "And in Rome?"
        await page.run("document.querySelector('#actions [data-key=a]').click()")
        await page.until("document.querySelector('.head .state')?.textContent === 'edited'")

    folder = FOLDERS["chat"](tmp_path / "chat")
    visit(folder, rewrite)
    [line] = read_lines([str(folder.path)])
    assert (line.record["input"], line.record["turns"][1:]) == ("And in Rome?", TURNS[1:])


def test_ten_thousand_records_scroll_with_few_elements(tmp_path: Path) -> None:
    records = [make_record(f"r{n}", f"Ticket number {n}", LABELS[n % 3]) for n in range(10_000)]
    folder = write_folder(tmp_path / "run", records)

    async def scroll(page: Page) -> None:
        items = "document.querySelectorAll('#list .item')"
        filled = f"[...{items}].every((each) => !each.textContent.startsWith('…'))"
        for share in (0.1, 0.5, 0.93, 0.2, 1):
            place = (
                f"{{ const l = document.getElementById('list'); l.scrollTop = l.scrollHeight * {share}; }}"
            )
            await page.run(place)
            await page.until(f"{items}.length > 5 && {filled}")
            assert await page.run(f"{items}.length") < 60
        await page.press("End")
        await page.until(f"{TITLE} === 'record 10,000 of 10,000'")
        await page.press("PageUp")
        await page.until(f"{TITLE} === 'record 9,990 of 10,000'")
        await page.press("Home", "a")
        await page.until(f"{TITLE} === 'record 2 of 10,000'")

    visit(folder, scroll)
    assert len(read_reviews(folder)) == 1


def test_two_windows_lose_no_decision(tmp_path: Path) -> None:
    folder = write_tickets(tmp_path / "run")

    async def go() -> None:
        async with reviewing(folder) as url, chrome() as one, chrome() as other:
            for page in (one, other):
                await page.size(1100, 800)
                await page.open(url)
            await other.run(
                "Object.defineProperty(document, 'hidden', { get: () => true })"
            )  # it hears nothing
            await one.press("a")
            await decided(one, 1)
            await other.press("r")
            await other.until("document.getElementById('notice').textContent.includes('another window')")
            assert await other.run("document.querySelector('.head .state').textContent") == "accepted"
            await other.press("j")
            await other.until(f"{TITLE} === 'record 2 of 9'")
            await other.press("r")
            await decided(one, 2)  # the first hears of the second
            await other.until(f"{TITLE} === 'record 3 of 9'")
            await one.until(f"{TITLE} === 'record 2 of 9'")
            await one.press("j")
            await one.until(f"{TITLE} === 'record 3 of 9'")
            await other.press("e")
            await other.until("document.activeElement.tagName === 'TEXTAREA'")
            await other.write("Mended")
            await one.press("r")
            await decided(one, 3)
            await other.press("Ctrl+Enter")
            await other.until("document.querySelector('.wrong').textContent.includes('(refused)')")
            await other.press("Ctrl+Enter")  # what was typed is not lost
            await other.until(f"{TITLE} === 'record 4 of 9'")

    asyncio.run(go())
    written = read_reviews(folder)
    assert [line["verdict"] for line in written] == ["accept", "reject", "reject", "accept"]
    assert "Mended" in written[3]["input"]


def test_a_server_that_ended_is_told_and_the_record_stays(tmp_path: Path) -> None:
    folder = write_tickets(tmp_path / "run")

    async def go() -> None:
        async with chrome() as page:
            async with reviewing(folder) as url:
                await page.open(url)
                await page.press("a")
                await decided(page, 1)
            await page.press("r")
            await page.until("document.getElementById('banner').textContent.includes('has ended')")
            assert await page.run(TITLE) == "record 2 of 9"

    asyncio.run(go())
    assert len(read_reviews(folder)) == 1


def test_hostile_texts_do_nothing_and_long_ones_are_cut(tmp_path: Path) -> None:
    async def look(page: Page) -> None:
        for place in (1, 2):
            await page.until(f"{TITLE} === 'record {place} of 2'")
            text = await page.run(OWN)
            assert "<script>alert('owned')</script>" in text
            assert "U+202E" in text
            await page.press("c")
            await page.until("document.getElementById('answers')")
            bad = "img, iframe, svg, body script, [onerror], [onload], a[href^=javascript]"
            assert await page.run(f"document.querySelectorAll('{bad}').length") == 0
            await page.press("j")
        await page.press("/")
        await page.write("b" * 20)
        await page.until(f"{TITLE} === 'record 1 of 1'")
        await page.run("document.querySelector('button.rest').click()")
        assert await page.run(f"{OWN}.length") > 1_000_000
        await page.press("Escape", "e")
        await page.until("document.querySelector('.editor textarea')?.value.length > 1000000")

    visit(hostile(tmp_path / "run"), look)


TURNS = [
    {"role": "user", "content": "What is the weather in Oslo? " * 4},
    {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "look", "arguments": "{}"}}]},
    {"role": "tool", "content": '{"degrees": -3}'},
    {"role": "assistant", "content": "It is three below zero."},
]  # fmt: skip
FOLDERS: dict[str, Callable[[Path], RunFolder]] = {
    "labels": write_tickets,
    "options": lambda path: write_folder(
        path,
        [
            make_record(
                "a",
                "Which is a metal?",
                "iron",
                format="multiple_choice",
                choices=["wood", "iron", "air" * 90],
            )
        ],
    ),
    "json": lambda path: write_folder(
        path,
        [make_record("a", "Ann, 5", {"name": "Ann", "tags": ["x" * 300, {"deep": [1, 2]}]}, format="json")],
        seed={**SEED_ROW, "output": '{"name": "Bob", "tags": []}'},
    ),
    "chat": lambda path: write_folder(
        path, [make_record("a", "Oslo", "It is three below zero.", turns=TURNS, format="chat")]
    ),
    "code": lambda path: write_folder(
        path,
        [
            make_record(
                "a",
                "Add them.",
                "def add(a, b):\n    return a + b\n",
                format="code",
                tests=["assert add(1, 2) == 3"],
            )
        ],
    ),
    "arabic": lambda path: write_folder(
        path, [make_record("a", "كم عدد التفاحات التي بقيت مع سارة من 12؟", "7")]
    ),
    "hostile": hostile,
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_nothing_is_wider_than_a_phone(tmp_path: Path, kind: str) -> None:
    async def look(page: Page) -> None:
        for keys in ("", "e", "Escape", "q", "q", "?"):
            if keys:
                await page.press(keys)
            assert await page.run("document.documentElement.scrollWidth") == 390
            assert await page.run("document.getElementById('view').scrollWidth <= 390")
        assert await page.run("document.documentElement.dataset.theme") == "dark"

    visit(FOLDERS[kind](tmp_path / "run"), look, width=390, height=844, phone=True, dark=True)


@pytest.mark.skipif("AIDE_PICTURES" not in os.environ, reason="set AIDE_PICTURES=FOLDER to look at the page")
@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize(
    ("name", "width", "dark"), [("light", 1280, False), ("dark", 1280, True), ("phone", 390, False)]
)
def test_pictures_for_people(tmp_path: Path, kind: str, name: str, width: int, dark: bool) -> None:
    async def look(page: Page) -> None:
        picture = await page.picture(whole=False)
        (Path(os.environ["AIDE_PICTURES"]) / f"review_{kind}_{name}.png").write_bytes(picture)

    visit(FOLDERS[kind](tmp_path / "run"), look, width=width, phone=width < 500, dark=dark)
