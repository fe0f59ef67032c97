"""`aide review`: a local page on which a person judges the records of a run."""

import asyncio
import contextlib
import os
import signal
import sys
import webbrowser
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from aide.cli.arguments import Folder
from aide.cli.console import Output, make_stderr_console
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from aide.review import FolderReview

Port = Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Port of the page; 0: any free one.")]
NoBrowser = Annotated[
    bool, typer.Option("--no-browser", help="Open no browser; the page's address is printed.")
]


def review(folder: Folder, port: Port = 0, no_browser: NoBrowser = False) -> None:
    """Accept, refuse and edit records by keyboard, on a page that only this machine can reach.

    The doubtful records come first. Each decision is a line of reviews.jsonl in the folder, which every command that
    reads the folder applies; `aide expand --refill` makes up for what was refused. Ctrl-C ends it.
    """
    from aide.dataset.reviews import Reviews
    from aide.review import FolderReview
    from aide.run.folder import RunFolder
    from aide.run.service import SYSTEM_CLOCK

    opened = FolderReview(RunFolder(folder), SYSTEM_CLOCK.now)
    try:
        asyncio.run(_serve(opened, port, opens=not no_browser))
    finally:
        opened.close()
    told = Reviews.read(folder).count()
    console, here = make_stderr_console(), quote(str(folder))
    kept = (
        f"kept in {folder / 'reviews.jsonl'}"
        if (folder / "reviews.jsonl").exists()
        else "nothing was decided"
    )
    console.print(
        f"{format_plural(told.accepted, 'record')} accepted, {told.edited:,} of them edited; {told.refused:,} refused; "
        f"{kept}",
        markup=False,
    )
    if told.refused:
        console.print("the same `aide expand` with --refill grows others for what was refused")
    console.print(
        f"next: aide export {here} --to trl --split 90/10 -o train   writes what is left", markup=False
    )


async def _serve(opened: "FolderReview", port: int, *, opens: bool) -> None:
    """Serve until SIGINT or SIGTERM."""
    from aide.review import serve_review

    def ready(url: str) -> None:
        Output().line(url)
        make_stderr_console().print(
            "the review is open at this address, for this machine alone; Ctrl-C ends it"
        )
        if opens and _has_screen():
            webbrowser.open(url)

    task = asyncio.ensure_future(serve_review(opened, port, ready=ready))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _has_screen() -> bool:
    """Whether a browser would open a window; in a bare terminal it would take over the terminal instead."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
