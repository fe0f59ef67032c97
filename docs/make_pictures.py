"""Draw the pictures of display, report and review anew: `make pictures`. Needs Chromium.

All of them show the recorded runs of `aide demo`, so that the texts are those of a real model and everybody can have
the same on their screen.
"""

import asyncio
import base64
import contextlib
import io
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from aide.cli.demo import PACE
from aide.cli.picture import draw_picture
from aide.demo import open_demo, read_recordings, read_replay
from aide.report import write_report
from aide.review import FolderReview
from aide.review.server import ReviewServer
from aide.run.folder import RunFolder
from aide.run.service import SYSTEM_CLOCK

if TYPE_CHECKING:
    from browser.chrome import Page

TARGET: Final = Path(__file__).with_name("pictures")
SHOWN: Final = "word_problems"
WIDTH: Final = 1100
COLUMNS: Final = 100
LARGEST: Final = 150_000
"""Bytes of a picture; a larger one is a mistake."""


def draw_display(folder: RunFolder) -> str:
    """The live picture late in the run, as an SVG that loads nothing."""
    from rich._export_format import CONSOLE_SVG_FORMAT
    from rich.console import Console

    moments = read_replay(folder).moments
    moment = moments[len(moments) * 5 // 6]
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False
    )
    console.print(draw_picture(moment, COLUMNS, 0, moment.latest, PACE))
    plain = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="aide demo", code_format=plain, unique_id="aide")


async def take(page: "Page", name: str, top: float, height: float) -> None:
    """Write a strip of the page, from `top` on, in CSS pixels."""
    clip: dict[str, Any] = {"x": 0, "y": top, "width": WIDTH, "height": height, "scale": 1}
    shot = await page.send(
        "Page.captureScreenshot", format="webp", quality=85, clip=clip, captureBeyondViewport=True
    )
    _write(name, base64.b64decode(shot["data"]))


async def take_part(page: "Page", name: str, part: str, most: float) -> None:
    """Write a section of the report, at most so high."""
    box = await page.run(
        f"(() => {{ const box = document.getElementById('{part}').getBoundingClientRect();"
        " return [box.top + scrollY, box.height]; })()"
    )
    await take(page, name, box[0], min(box[1], most))


async def _take_report(page: "Page", folder: RunFolder) -> None:
    await page.size(WIDTH, 900)
    await page.open(write_report(folder).resolve().as_uri())
    await page.run(
        "(() => { const hop = document.getElementById('f-hop'); hop.value = '2'; hop.onchange(); })()"
    )
    await page.run("document.querySelector('#list .item > button').click()")
    await take_part(page, "report-records.webp", "records", 700)
    await page.run("document.getElementById('filters').reset()")
    await page.run("document.getElementById('map').scrollIntoView()")
    await page.until("document.getElementById('map-legend').textContent")
    await take_part(page, "report-map.webp", "map", 700)


async def _take_review(page: "Page", folder: RunFolder) -> None:
    review = FolderReview(folder, SYSTEM_CLOCK.now)
    try:
        async with ReviewServer(review) as server:
            await page.size(WIDTH, 700)
            await page.open(server.url)
            await page.press("a")
            await page.until("document.querySelector('.head h1').textContent.startsWith('record 2 ')")
            await take(page, "review.webp", 0, 700)
    finally:
        review.close()


def _write(name: str, data: bytes) -> None:
    if len(data) > LARGEST:
        sys.exit(f"{name} has {len(data):,} bytes, more than {LARGEST:,}")
    TARGET.mkdir(exist_ok=True)
    (TARGET / name).write_bytes(data)


async def _make_pictures() -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from browser.chrome import chrome

    with TemporaryDirectory() as place, contextlib.chdir(place):
        folder = open_demo(Path("aide-demo"), read_recordings())[SHOWN]
        _write("display.svg", draw_display(folder).encode())
        async with chrome() as page:
            await _take_report(page, folder)
        async with chrome() as page:
            await _take_review(page, folder)


if __name__ == "__main__":
    asyncio.run(_make_pictures())
