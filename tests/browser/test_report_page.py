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
from unit.report.folders import hostile, labelled

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
            assert await page.run(ITEMS) == 10
            await page.run("document.getElementById('more').click()")
            assert await page.run(ITEMS) == 20

            whole = await page.run("document.getElementById('count').textContent")
            await page.run(
                "{ const s = document.getElementById('search'); s.value = 'zebra-that-is-not-there'; s.oninput(); }"
            )
            await page.until(f"{ITEMS} === 0")
            await page.run("document.querySelector('#filters button[type=reset]').click()")
            await page.until(f"{ITEMS} === 10")
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


def choose(id: str, value: str) -> str:
    """The script with which a person sets a control."""
    event = "new Event('{}', {{bubbles: true}})"
    fire = f"c.dispatchEvent({event.format('input')}); c.dispatchEvent({event.format('change')});"
    return f"{{ const c = document.getElementById('{id}'); c.value = {json.dumps(value)}; {fire} }}"


def test_a_label_a_persona_and_a_reason_lead_to_their_texts(tmp_path: Path) -> None:
    path = write_report(labelled(tmp_path / "run"))

    async def visit() -> None:
        async with chrome() as page:
            await page.size(1280, 900)
            await page.open(path.as_uri())
            await page.run(choose("f-persona", "Farm"))
            await page.until(f"{ITEMS} === 1")
            assert "The card was stolen" in await page.run("document.querySelector('#list').textContent")
            await page.run("document.querySelectorAll('#labels .pick')[1].click()")
            assert await page.run(ITEMS) == 0  # no record has the label of the seed
            await page.run("document.querySelectorAll('#labels .pick')[0].click()")
            assert await page.run(ITEMS) == 3
            assert await page.run("document.getElementById('f-persona').value") == ""

            await page.run("document.querySelector('#rejects .pick').click()")
            await page.run("document.querySelector('#r-list .item > button').click()")
            assert "a lost text" in await page.run("document.querySelector('#r-list .card.own').textContent")
            await page.run(choose("r-search", "not-there"))
            assert await page.run("document.querySelectorAll('#r-list .item').length") == 0
            assert page.problems == []

    asyncio.run(visit())


def test_the_filtered_records_can_be_taken_along(tmp_path: Path) -> None:
    path = write_report(labelled(tmp_path / "run"))
    read = "URL.createObjectURL = (blob) => { window.taken = blob; return '#'; }"

    async def visit() -> list[dict[str, object]]:
        async with chrome() as page:
            await page.size(1280, 900)
            await page.open(path.as_uri())
            await page.run(read)
            await page.run(choose("f-persona", "farmer"))
            await page.until(f"{ITEMS} === 1")
            await page.run("document.getElementById('download').click()")
            text = await page.run("window.taken.text()")
            assert page.problems == []
            return [json.loads(line) for line in text.splitlines()]

    [line] = asyncio.run(visit())
    assert line["input"] == "The card was stolen"
    assert (line["labels"], line["persona"], line["output"]) == (["card"], "a farmer", "card")
    assert line["id"] == "b" * 20
    assert "cut" not in line


ARROW = "document.getElementById('plane').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }))"
PICK_LAST = """{
  const canvas = document.getElementById('plane'), box = canvas.getBoundingClientRect();
  const [, x, y] = map.placed[map.placed.length - 1];
  canvas.onclick({ clientX: box.left + x, clientY: box.top + y });
}"""
THREE_TOPICS = """(() => {
  const topics = ['ship harbour wave sail anchor', 'bread oven flour yeast crust', 'goal match ball referee team'];
  const texts = Array.from({ length: 60 }, (_, n) => {
    const words = topics[n % 3].split(' ');
    return [0, 1, 2].map((k) => words[(n * (k + 1) + k) % 5]).join(' ') + ` the number ${n}`;
  });
  const [x, y] = layOut(texts);
  const nearest = texts.map((_, n) => texts.map((_, m) => [m === n ? 9 : Math.hypot(x[n] - x[m], y[n] - y[m]), m])
    .sort((a, b) => a[0] - b[0])[0][1]);
  return nearest.filter((m, n) => m % 3 === n % 3).length;
})()"""

THREE_MEANINGS = """(() => {
  const packed = Array.from({ length: 60 }, (_, n) => btoa(String.fromCharCode(...Array.from({ length: 12 }, (_, k) =>
    (k % 3 === n % 3 ? 100 + (n * (k + 1)) % 27 : (n * (k + 2)) % 40 - 20) & 255))));
  const [x, y] = layOut(packed.map(() => 'the same text'), packed);
  const nearest = packed.map((_, n) => packed.map((_, m) => [m === n ? 9 : Math.hypot(x[n] - x[m], y[n] - y[m]), m])
    .sort((a, b) => a[0] - b[0])[0][1]);
  return nearest.filter((m, n) => m % 3 === n % 3).length;
})()"""


def test_texts_that_share_words_or_a_meaning_lie_close_together(tmp_path: Path) -> None:
    path = write_report(labelled(tmp_path / "run"))

    async def visit() -> None:
        async with chrome() as page:
            await page.open(path.as_uri())
            assert await page.run(THREE_TOPICS) >= 50  # of 60; by chance 20
            assert await page.run(THREE_MEANINGS) >= 50
            assert await page.run("layOut(['one text', 'another'])[0].length") == 2
            assert await page.run("layOut(['', '', '', '', '', '']).flat().every(Number.isFinite)")
            assert page.problems == []

    asyncio.run(visit())


def test_the_map_shows_what_is_picked_and_is_the_same_each_time(grown: Path) -> None:
    there = "document.getElementById('map').scrollIntoView()"

    async def visit() -> str:
        async with chrome() as page:
            await page.size(1280, 900)
            await page.open(grown.as_uri())
            await page.run(there)
            await page.until("map.placed.length > 300")
            await page.run(PICK_LAST)
            assert await page.run("document.querySelectorAll('#map-picked .card').length") == 1
            await page.run("document.getElementById('map-seeds').click()")
            assert await page.run("map.placed.some(([point]) => point.kind === 'seeds')") is False
            assert page.problems == []
            return str(await page.run("JSON.stringify(map.points.map((point) => [point.x, point.y]))"))

    assert asyncio.run(visit()) == asyncio.run(visit())  # the same texts, the same map


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
            await page.run("document.querySelector('#r-list .item > button').click()")
            await page.run("document.getElementById('map').scrollIntoView()")
            await page.until("map.placed.length === 4")
            for _ in range(4):
                await page.run(ARROW)
                assert await page.run("document.querySelectorAll('#map-picked .card').length") > 0
            await page.run("document.querySelector('#labels .pick').click()")
            assert await page.run(ITEMS) == 2
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
