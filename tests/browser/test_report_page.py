"""The report in a real browser: `make test-browser`. No console error, no request, hostile texts as texts."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aide.report import write_report
from browser.chrome import BINARY, chrome
from unit.report.folders import hostile

pytestmark = pytest.mark.skipif(
    BINARY is None or "AIDE_BROWSER" not in os.environ,
    reason="runs with `make test-browser`, which needs Chromium",
)
SEEDS = Path(__file__).parents[2] / "sample_seeds" / "word_problems.jsonl"
ITEMS = "document.querySelectorAll('#list .item').length"


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser") / "run"
    target = os.environ.get("AIDE_BROWSER_TARGET", "300")
    command = ["expand", str(SEEDS), "--base-url", "sim:", "--target", target, "-o", str(folder), "--quiet"]
    subprocess.run([sys.executable, "-m", "aide", *command], check=False)
    return folder / "report.html"


def test_search_filters_branches_and_theme_work(grown: Path) -> None:
    async def visit() -> None:
        async with chrome() as page:
            await page.size(1280, 900)
            await page.open(grown.as_uri())
            assert await page.run(ITEMS) == 25
            await page.run("document.getElementById('more').click()")
            assert await page.run(ITEMS) == 50

            whole = await page.run("document.getElementById('count').textContent")
            await page.run(
                "{ const s = document.getElementById('search'); s.value = 'zebra-that-is-not-there'; s.oninput(); }"
            )
            await page.until(f"{ITEMS} === 0")
            await page.run("document.querySelector('#filters button[type=reset]').click()")
            await page.until(f"{ITEMS} === 25")
            await page.run("{ const f = document.getElementById('f-hop'); f.value = '2'; f.onchange(); }")
            assert await page.run("document.getElementById('count').textContent") != whole
            facts = "[...document.querySelectorAll('#list .facts')]"
            hops = f"{facts}.every((each) => each.textContent.startsWith('hop 2'))"
            assert await page.run(hops)

            await page.run("document.querySelector('#list .item > button').click()")
            assert await page.run("document.querySelectorAll('#list .card').length") == 3
            assert await page.run("document.querySelectorAll('#list ins').length") > 0
            await page.run("document.querySelector('#list .prompts').click()")
            await page.until("document.querySelector('#list div.calls')")

            await page.run("document.querySelector('#branch .kids button').click()")
            assert await page.run("document.querySelectorAll('#crumbs button').length") == 2
            box = "document.getElementById('picture').getBoundingClientRect()"
            point = "{clientX: b.left + b.width * .3, clientY: b.top + 40}"
            click = f"{{ const b = {box}; document.getElementById('picture').onclick({point}); }}"
            await page.run(click)
            assert await page.run("document.querySelectorAll('#crumbs button').length") == 3

            assert await page.run("document.documentElement.dataset.theme") == "light"
            await page.run("document.getElementById('theme').click()")
            assert await page.run("document.documentElement.dataset.theme") == "dark"
            assert page.problems == []
            assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
            assert len([url for url in page.requests if url.startswith("file:")]) == 1

    asyncio.run(visit())


@pytest.mark.skipif("AIDE_PICTURES" not in os.environ, reason="set AIDE_PICTURES=FOLDER to look at the page")
@pytest.mark.parametrize(
    ("name", "width", "dark"), [("light", 1280, False), ("dark", 1280, True), ("phone", 390, False)]
)
def test_pictures_for_people(grown: Path, name: str, width: int, dark: bool) -> None:
    async def visit() -> bytes:
        async with chrome() as page:
            await page.size(width, 900, phone=width < 500, dark=dark)
            await page.open(grown.as_uri())
            await page.size(width, await page.run("document.documentElement.scrollHeight"), dark=dark)
            return await page.picture()

    (Path(os.environ["AIDE_PICTURES"]) / f"{name}.png").write_bytes(asyncio.run(visit()))


KINDS = {
    "whole": ("word_problems", "--target", "40"),
    "stopped": ("word_problems", "--max-calls", "120"),
    "nothing yet": ("word_problems", "--max-calls", "5"),
    "fixed parts": ("contract_questions", "--target", "30", "--hops", "3"),
    "multiple choice": ("science_quiz", "--target", "30"),
    "code": ("python_functions", "--target", "20"),
    "German": ("support_tickets_de", "--target", "30"),
    "Arabic": ("", "--target", "20"),
    "hostile": (),
}
ARABIC = (
    "كم عدد التفاحات التي بقيت مع سارة من 12 بعد أن أعطت أخاها 5؟",
    "يقطع قطار 240 كيلومترا في 3 ساعات. ما سرعته؟",
)
OPENED = """
document.querySelectorAll('details').forEach((each) => { each.open = true; });
document.querySelectorAll('#list .item > button').forEach((each, n) => { if (n < 3) each.click(); });
for (let n = 0; n < 3; n++) document.querySelector('#branch .kids button')?.click();
"""


def small(kind: str, place: Path) -> Path:
    """A run of some kind, and its report."""
    if kind == "hostile":
        return write_report(hostile(place / "run"))
    name, *options = KINDS[kind]
    seeds = SEEDS.with_name(f"{name}.jsonl")
    if not name:
        seeds = place / "seeds.jsonl"
        rows = ({"input": text, "output": str(n)} for n, text in enumerate(ARABIC))
        seeds.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    command = ["expand", str(seeds), "--base-url", "sim:", *options, "-o", str(place / "run"), "--quiet"]
    subprocess.run([sys.executable, "-m", "aide", *command], check=False)
    return place / "run" / "report.html"


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_wider_than_a_phone(tmp_path: Path, kind: str) -> None:
    path = small(kind, tmp_path)

    async def visit() -> None:
        async with chrome() as page:
            await page.size(390, 844, phone=True, dark=True)
            await page.open(path.as_uri())
            for _ in ("as it comes", "all opened"):
                assert await page.run("document.documentElement.scrollWidth") == 390
                await page.run(f"{{ {OPENED} }}")
            link, bar = "document.querySelector('nav a')", "document.querySelector('nav')"
            left = "getBoundingClientRect().left"
            assert await page.run(f"{link}.{left} >= {bar}.{left}")  # the first section can be reached
            assert await page.run("document.documentElement.dataset.theme") == "dark"
            assert page.problems == []

    asyncio.run(visit())


def test_hostile_texts_do_nothing(tmp_path: Path) -> None:
    path = write_report(hostile(tmp_path / "run"))

    async def visit() -> None:
        async with chrome() as page:
            await page.size(1000, 800)
            await page.open(path.as_uri())
            await page.run(
                "document.querySelectorAll('#list .item > button').forEach((each) => each.click())"
            )
            await page.run("document.querySelectorAll('.prompts').forEach((each) => each.click())")
            await page.until("document.querySelectorAll('div.calls').length === 2")
            await page.run("document.querySelector('#branch .kids button').click()")
            await page.run("document.querySelector('#branch .kids button').click()")
            assert (
                await page.run(
                    "document.querySelectorAll('img, iframe, main script, [onerror], [onload]').length"
                )
                == 0
            )
            assert "<script>alert('owned')</script>" in await page.run(
                "document.querySelector('#list').textContent"
            )
            assert page.dialogs == []
            assert page.problems == []
            assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []

    asyncio.run(visit())
