"""`aide demo`: recorded runs of a real model, played back and then shown."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from aide.cli.console import escape_for_console, make_stdout_console

if TYPE_CHECKING:
    from rich.console import Console

    from aide.demo import Recording, Replay
    from aide.run.folder import RunFolder

FOLDER: Final = "aide-demo"
LEAD: Final = 1.5  # seconds until the first record of a run
GROWTH: Final = 10.0  # seconds from its first record to its last
READING: Final = 1.8  # seconds that a record stays in the picture
PACE: Final = "a recording, sped up"
END: Final = 0.6  # seconds that the last picture stays


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder to unpack the recorded runs into.", metavar="DIR")
    ] = Path(FOLDER),
    fast: Annotated[
        bool, typer.Option("--fast", help="Show what came out at once, without playing it.")
    ] = False,
) -> None:
    """Play back recorded runs of a real language model, then show what they grew and what it took.

    Nothing is asked and nothing is spent. The recordings are unpacked as run folders, on which every other command
    works. A folder of an earlier demo is shown again as it is; one that holds anything else is left alone.
    """
    from aide.cli.demo_story import print_balance, print_mending, print_next, print_tree
    from aide.demo import open_demo, read_growth, read_recordings, read_replay
    from aide.report import write_report

    recordings = read_recordings()
    folders = open_demo(out, recordings)
    console = make_stdout_console()
    drawn = console.is_terminal and not console.is_dumb_terminal and not fast
    known = list(recordings.values())
    _print_head(console, known)
    for recording in known:
        folder = folders[recording.name]
        replay = read_replay(folder)
        _print_begin(console, recording.name, folder, replay.seeds)
        if drawn:
            play(console, replay)
        _print_end(console, folder)
    # The shorter texts make the tree that fits on a screen; what was refused goes before what was written again.
    trees = {each.name: read_growth(folders[each.name], each.tree) for each in known if each.tree}
    if trees:
        name = min(trees, key=lambda name: trees[name].measure())
        print_tree(console, name, trees[name])
    mended = [(each.name, each.mended) for each in known if each.mended]
    if mended:
        print_mending(console, *max(mended, key=lambda each: (not each[1].after, len(each[1].reason))))
    print_balance(console, {name: folder.read_summary() for name, folder in folders.items()})
    reports = [write_report(folder) for folder in folders.values()]
    print_next(console, list(folders.values()), reports)


def play(console: "Console", replay: "Replay", sleep: Callable[[float], None] = time.sleep) -> None:
    """Draw the moments one after another, as `aide expand` draws a run, each for the same time."""
    from rich.live import Live

    from aide.cli.keyboard import SilentKeyboard
    from aide.cli.picture import draw_picture

    before = sum(moment.latest is None for moment in replay.moments)
    after = len(replay.moments) - before
    keyboard = SilentKeyboard()
    keyboard.start()
    try:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            shown: Mapping[str, Any] | None = None
            since = READING
            for moment in replay.moments:
                if since >= READING and moment.latest is not None:
                    shown, since = moment.latest, 0.0
                live.update(draw_picture(moment, console.width, 0, shown, PACE), refresh=True)
                pause = LEAD / before if moment.latest is None else GROWTH / after
                since += pause
                sleep(pause)
            sleep(END)
    finally:
        keyboard.stop()


def _print_head(console: "Console", recordings: "list[Recording]") -> None:
    days = " and ".join(dict.fromkeys(each.day for each in recordings))
    models = " and ".join(dict.fromkeys(each.model for each in recordings))
    console.print(
        f"[bold]A recording of real runs[/bold] of {days}. What answered was {escape_for_console(models)}; "
        "the answers were checked by nobody. Nothing is asked or spent now."
    )


def _print_begin(console: "Console", name: str, folder: "RunFolder", seeds: int) -> None:
    from aide.card import card_from_toml
    from aide.cli.console import print_pairs
    from aide.text.figures import format_plural

    card = card_from_toml(folder.card.read_text(encoding="utf-8"))
    summary = folder.read_summary()
    wanted = f"{summary.get('target') or summary['planned']:,} records from {format_plural(seeds, 'seed')}"
    console.print(f"\n[bold]{escape_for_console(name)}[/bold]: {wanted}; the task as the model reads it:")
    print_pairs(
        console,
        [("task", escape_for_console(card.task, 400)), ("answer", escape_for_console(card.answer_form, 400))],
    )


def _print_end(console: "Console", folder: "RunFolder") -> None:
    from aide.cli.console import print_pairs
    from aide.text.figures import format_plural

    summary = folder.read_summary()
    hops = ", ".join(f"{n:,} at hop {hop}" for hop, n in summary["by_hop"].items())
    rejects = format_plural(summary["rejected"] + summary["failed"], "reject")
    print_pairs(console, [("result", f"{format_plural(summary['accepted'], 'record')} ({hops}), {rejects}")])
