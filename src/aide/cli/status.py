"""`aide status`: how far a run is, also while it is going on."""

import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import Annotated, Any, Final

import typer

from aide.cli.arguments import AsJson, Folder
from aide.cli.console import Output, format_json_line, make_printable
from aide.cli.folding import fold_line
from aide.cli.keyboard import SilentKeyboard
from aide.cli.picture import draw_bar, draw_label_rows
from aide.text.figures import format_count, format_duration, format_left, format_plural, format_rate

RUNNING: Final = "running"
POLL: Final = 1.0
"""Seconds between two looks at a run."""
LOOKS_A_LINE: Final = 10
"""Looks for each line where the facts go into a file or a pipe."""
MARGIN: Final = 14
"""Columns before a value."""
LONGEST = 400
"""Columns of a message that are shown."""


Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Look again each second until the run ends; into a file or a pipe, say a line each ten seconds.",
    ),
]


def status(folder: Folder, watch: Watch = False, json_: AsJson = False) -> None:
    """Show how far a run is, also while it is going on: records done and left, time left, calls, cost and rate."""
    facts = read_status(folder)
    output = Output()
    if watch and not json_ and sys.stdout.isatty():
        facts = _watch_on_screen(folder, facts)
    elif watch:
        facts = _watch_in_lines(folder, facts, output, as_json=json_)
    if json_:
        output.line(format_json_line(facts))
        return
    for line in _describe(facts, width=shutil.get_terminal_size().columns if sys.stdout.isatty() else None):
        output.line(line)


def _watch_on_screen(folder: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Draw the facts anew until the run has ended; returns the last ones."""
    from rich.live import Live
    from rich.text import Text

    from aide.cli.console import make_stdout_console

    console = make_stdout_console()
    keyboard = SilentKeyboard()
    keyboard.start()
    try:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            while facts["state"] == RUNNING:
                live.update(Text("\n".join(_describe(facts, width=console.width))), refresh=True)
                time.sleep(POLL)
                facts = read_status(folder)
    finally:
        keyboard.stop()
    return facts


def _watch_in_lines(folder: Path, facts: dict[str, Any], output: Output, *, as_json: bool) -> dict[str, Any]:
    """A line now and then, until the run has ended or nobody reads; returns the last facts."""
    looks = 0
    while facts["state"] == RUNNING and output.open:
        looks += 1
        if looks % LOOKS_A_LINE == 1:
            output.line(format_json_line(facts) if as_json else _describe_progress(facts))
        time.sleep(POLL)
        facts = read_status(folder)
    return facts


def _describe_progress(facts: Mapping[str, Any]) -> str:
    left = facts.get("this_run", {}).get("seconds_left")
    return (
        f"accepted {facts.get('accepted', 0):,} of {_name_goal(facts)}, rejected {facts.get('rejected', 0):,}, "
        f"failed {facts.get('failed', 0):,}; {facts.get('calls', 0):,} calls"
        f"{'' if left is None else f'; {format_left(left)}'}"
    )


def _name_goal(facts: Mapping[str, Any]) -> str:
    target = facts.get("target")
    return f"{target:,}" if target is not None else f"at most {facts.get('possible', 0):,}"


def read_status(folder: Path) -> dict[str, Any]:
    """The facts about a run folder.

    Raises:
        InputError: it is no run folder.
    """
    from aide.dataset.reviewed import summarize_reviews
    from aide.run.batches import read_waves
    from aide.run.folder import RunFolder
    from aide.run.parts import MERGED
    from aide.run.parts_progress import read_part_rows, read_root_progress, read_root_state

    run = RunFolder(folder)
    parts = read_part_rows(run)
    manifest, progress = run.read_manifest(), read_root_progress(run)
    run.require(run.manifest)
    state = read_root_state(run, parts)
    # While a run goes on, or after it was killed, the summary is of an earlier run.
    summary = run.read_summary() if state in ("finished", "stopped") else {}
    return {
        "folder": str(folder),
        "state": state,
        "stopped": summary.get("stopped", ""),
        "exit_code": summary.get("exit_code"),
        "left": _count_left(state, progress),
        **progress,
        "estimate": _compare_estimate(manifest.get("plan") or {}, progress, ended=state == "finished"),
        "waiting_labels": summary.get("waiting_labels", {}),
        "gone_seeds": summary.get("gone_seeds", []),
        "batches": [asdict(wave) for wave in read_waves(run)],
        "reviews": summarize_reviews(run, progress.get("accepted", 0)),
        "parts": parts,
        "merged": manifest.get(MERGED, []),
    }


def _count_left(state: str, progress: Mapping[str, Any]) -> int | None:
    """Records still to come; `None` for a whole tree that is not finished, whose yield nobody knows."""
    target: int | None = progress.get("target")
    if target is None:
        return 0 if state == "finished" else None
    accepted: int = progress.get("accepted", 0)
    return max(0, target - accepted)


def _compare_estimate(plan: Mapping[str, Any], progress: Mapping[str, Any], *, ended: bool) -> dict[str, Any]:
    """What was expected and what was used; after the end also the relative error (0.1: 10% too much)."""
    tokens = progress.get("tokens", {})
    used = {
        "records": progress.get("accepted", 0),
        "calls": progress.get("calls", 0),
        "tokens": tokens.get("prompt", 0) + tokens.get("completion", 0),
        "cost": progress.get("cost"),
    }
    return {
        name: {
            "expected": plan[name],
            "used": value,
            "error": round(plan[name] / value - 1, 4) if ended and value and plan[name] is not None else None,
        }
        for name, value in used.items()
        if name in plan
    }


def _describe(facts: Mapping[str, Any], width: int | None = None) -> list[str]:
    """The facts in lines, with bars where they are for a screen of so many columns."""
    tokens, run = facts.get("tokens", {}), facts.get("this_run", {})
    cost, left = facts.get("cost"), facts["left"]
    lines = [
        (
            "state",
            f"{facts['state']}{': ' + make_printable(facts['stopped'], LONGEST) if facts.get('stopped') else ''}",
        ),
        (
            "accepted",
            f"{facts.get('accepted', 0):,} of {_name_goal(facts)}{f', {left:,} left' if left else ''}",
        ),
        *_describe_shares(facts, width),
        ("by hop", ", ".join(f"{hop}: {n:,}" for hop, n in facts.get("by_hop", {}).items()) or "-"),
        (
            "not accepted",
            ", ".join(f"{name} {facts.get(name, 0):,}" for name in ("rejected", "failed", "surplus")),
        ),
        (
            "calls",
            f"{facts.get('calls', 0):,}, {format_count(tokens.get('prompt', 0))} tokens in, "
            f"{format_count(tokens.get('completion', 0))} out",
        ),
        ("cost", "?" if cost is None else f"{cost:,.2f} USD"),
    ]
    if rate := format_rate(run.get("rate", 0)):
        lines.append(("rate", f"{rate} over {format_duration(run.get('seconds', 0), tenths=True)}"))
    seconds = run.get("seconds_left")
    if facts["state"] == RUNNING and seconds is not None:
        lines.append(("time left", format_left(seconds).removesuffix(" left")))

    lines += _describe_parts(facts["parts"])
    if reviews := facts["reviews"]:
        lines.append(("reviewed", _describe_reviews(reviews)))
    if facts["batches"]:
        lines.append(("batches", _describe_batches(facts["batches"])))
    compared = [
        f"{name} {_format_error(name, each)}"
        for name, each in facts["estimate"].items()
        if each["error"] is not None
    ]
    if compared:
        lines.append(("estimate", "; ".join(compared)))
    if waiting := facts["waiting_labels"]:
        named = ", ".join(f"{name} ({count:,})" for name, count in waiting.items())
        lines.append(
            ("waiting", f"seeds of labels that the card lacks: {named}; --new-labels add takes them in")
        )
    if facts["gone_seeds"]:
        lines.append(("gone", f"no longer in the seed file, records kept: {_name_some(facts['gone_seeds'])}"))
    if following := _say_next(facts):
        lines.append(("next", following))
    rows = [f"{name:{MARGIN}}{value}" for name, value in lines]
    return rows if width is None else [part for row in rows for part in fold_line(row, width, MARGIN)]


def _say_next(facts: Mapping[str, Any]) -> str:
    """What a person may do now; empty while the run goes on, and where it was stopped and has said so."""
    here = quote(str(facts["folder"]))
    reading = f"aide records {here}, aide report {here}, or aide export {here} --to trl -o train"
    if facts["state"] == "killed":
        return "run the same command again to go on; what was answered is not paid for again"
    if facts["state"] == RUNNING or not facts["parts"]:
        return reading if facts["state"] == "finished" else ""
    states = {part["name"]: part["state"] for part in facts["parts"]}
    again = [name for name, state in states.items() if state != "finished"]
    if not facts["merged"]:
        named = f"the same command again for {_name_some(again)}, then " if again else ""
        return f"{named}aide merge {here}{'; --partial merges what is there' if again else ''}"
    if facts["left"]:
        return f"aide expand with the same seeds and -o {here}, without --partition, grows what is missing"
    if "pruned" in states.values():
        return f"aide merge {here} --partial takes what was pruned out of {here}, too"
    return reading


def _describe_shares(facts: Mapping[str, Any], width: int | None) -> list[tuple[str, str]]:
    """How much is done, and of each label: as bars for a screen, else the labels' numbers."""
    labels: Mapping[str, int] = facts.get("by_label", {})
    if width is None:
        words = ", ".join(f"{make_printable(name, 60)}: {n:,}" for name, n in labels.items())
        return [("by label", words)] if len(labels) > 1 else []
    rows = draw_label_rows(labels, width - MARGIN)
    named = [("" if place else "by label", row) for place, row in enumerate(rows)]
    target = facts.get("target")
    if not target:
        return named
    bar = draw_bar(facts.get("accepted", 0) / target, min(60, width - MARGIN - 1))
    return [("", bar.replace(" ", "░")), *named]


def _describe_parts(parts: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """How many parts are in which state, and the name of each that is not finished."""
    states = Counter(part["state"] for part in parts)
    if not states:
        return []
    others = [
        f"{part['name']} ({part['state']})" for part in parts if part["state"] not in ("finished", RUNNING)
    ]
    counted = ", ".join(f"{count:,} {state}" for state, count in states.items())
    return [("parts", f"{counted}{f': {_name_some(others)}' if others else ''}")]


def _describe_reviews(reviews: Mapping[str, int]) -> str:
    """What a person decided, and how many records are left by it."""
    kept = [f"{reviews['edited']:,} edited"] if reviews["edited"] else []
    kept += [format_plural(reviews["added"], "reject") + " among them"] if reviews["added"] else []
    beside = f" ({', '.join(kept)})" if kept else ""
    told = f"{reviews['accepted']:,} accepted{beside}, {reviews['refused']:,} refused"
    return f"{told}; {format_plural(reviews['records'], 'record')} to export"


def _describe_batches(waves: Sequence[Mapping[str, Any]]) -> str:
    """What is pending, and what came of the rest."""
    from aide.run.service import SYSTEM_CLOCK

    pending = [wave for wave in waves if wave["state"] != "ended"]
    ended = [wave for wave in waves if wave["state"] == "ended"]
    asked, answered = (sum(wave[name] for wave in ended) for name in ("calls", "answered"))
    told = f"{len(pending):,} pending with {format_plural(sum(wave['calls'] for wave in pending), 'call')}"
    if pending:
        waited = format_duration(SYSTEM_CLOCK.now() - min(wave["composed"] for wave in pending))
        told += f", the first for {waited}"
    return f"{told}; {len(ended):,} ended, {answered:,} of {asked:,} calls answered"


def _name_some(names: Sequence[str], most: int = 20) -> str:
    more = len(names) - most
    return ", ".join(make_printable(name, 60) for name in names[:most]) + (
        f" and {more:,} more" if more > 0 else ""
    )


def _format_error(name: str, each: Mapping[str, Any]) -> str:
    shown = f"{each['expected']:,.2f}" if name == "cost" else format_count(each["expected"])
    used = f"{each['used']:,.2f}" if name == "cost" else format_count(each["used"])
    return f"{shown} expected, {used} used"
