"""What a run shows of itself: readable, and unmoved by whatever a model, a server or a file writes into it."""

import io
import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from aide.cli.display import Display
from aide.cli.picture import draw_picture
from aide.cli.record_preview import print_previews
from aide.errors import EndpointUnusable
from aide.formats import Label, TaskCard
from aide.run.folder import RunFolder
from aide.run.progress import Progress
from aide.run.record_preview import RecordPreview
from cli.shell import SEEDS, aide
from unit.report.folders import hostile

NASTY = (
    "\x1b[31mred\x1b]0;title\x07 \x9b2J\x85 \u202egnp.exe\u2066 [red]loud[/red] [/] \ud800\x00 [bold\nnext"
)
LONG = NASTY + "x" * 1_000_000
CARD = TaskCard(
    task=LONG, language=NASTY, locale=LONG, answer_form=LONG, register=LONG, format="classification",
    varying=LONG, fixed=(LONG,), labels=tuple(Label(f"{n} {LONG}") for n in range(50)), convention=LONG, code=LONG,
)  # fmt: skip
STEERING = "\x1b\x9b\x07\x00\x85\u202e\ud800"


def on_screen(columns: int, *, terminal: bool) -> Console:
    """A console that writes no codes of its own: whatever code comes out was smuggled in."""
    console = Console(
        file=io.StringIO(), width=columns, force_terminal=terminal, color_system=None, highlight=False
    )
    console.soft_wrap = not terminal
    return console


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def opened(folder: Path, console: Console, **more: Any) -> Display:
    (folder / "run").mkdir(parents=True)
    display = Display(console, RunFolder(folder / "run"), **more)
    display.folder.lock.touch()
    return display


def show_everything(display: Display) -> None:
    precheck = SimpleNamespace(
        describe=lambda: NASTY,
        list_misses=lambda: [LONG],
        list_warnings=lambda: [(LONG, NASTY)],
        as_dict=lambda: {"misses": [NASTY]},
    )
    summary = {"accepted": 3, "planned": 9, "calls": 4, "reasons": {LONG: 5}, "exit_code": 6}
    display.on_card(CARD)
    display.on_precheck(cast("Any", precheck))
    display.stopped(EndpointUnusable(LONG, hint=NASTY), summary)
    print_previews(display.console, [RecordPreview(LONG, LONG, LONG, NASTY, LONG)] * 3)


@pytest.mark.parametrize("columns", [60, 140])
@pytest.mark.parametrize("terminal", [True, False])
def test_hostile_text_moves_nothing(columns: int, terminal: bool, tmp_path: Path) -> None:
    display = opened(tmp_path, on_screen(columns, terminal=terminal))
    show_everything(display)
    for text in (text_of(display.console), display.folder.log.read_text(encoding="utf-8")):
        assert not set(STEERING) & set(text)
        assert "[red]loud[/red]" in text
        assert "\\[" not in text
        assert len(text) < 40_000


def test_hostile_text_in_a_json_log_stays_what_it_is_and_acts_on_nothing(tmp_path: Path) -> None:
    display = opened(tmp_path, on_screen(80, terminal=False), log_format="json")
    display.on_card(CARD)
    display.tell("", "odd", text=NASTY)
    text = text_of(display.console)
    assert not set(STEERING) & set(text)
    card, odd = (json.loads(line) for line in text.splitlines())
    assert odd["text"] == NASTY
    assert (card["event"], card["task"]) == ("task card", LONG)
    assert display.folder.log.read_text(encoding="utf-8") == text


def test_the_reasons_at_the_end_of_a_run_add_up_to_all_that_was_not_accepted(tmp_path: Path) -> None:
    display = opened(tmp_path, on_screen(200, terminal=False))
    display.console.quiet = True  # the log has the same lines, without the records of a whole run
    reasons = {f"reason{n}": 20 - n for n in range(9)}
    display.done({"accepted": 3, "planned": 3, "calls": 4, "reasons": reasons, "exit_code": 0})
    log = display.folder.log.read_text(encoding="utf-8")
    [told] = [line for line in log.splitlines() if "not accepted: " in line]
    counts = told.partition("not accepted: ")[2].split(", ")
    assert counts[-2:] == ["reason5 15", "3 others 39"]
    assert sum(int(count.rsplit(" ", 1)[1]) for count in counts) == sum(reasons.values())


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_the_picture_keeps_a_line_for_each_fact_at_any_width(columns: int) -> None:
    progress = Progress(target=4200, accepted=1234, rejected=99, limit=64, in_flight=64, seconds=3600.0)
    progress.reasons = Counter({f"{reason}{n}": 10 for n in range(9) for reason in (NASTY, "low_relevance")})
    progress.by_hop.update({1: 1000, 2: 234})
    console = on_screen(columns, terminal=True)
    console.print(draw_picture(progress, columns, 5_000_000))
    text = text_of(console)
    assert not set(STEERING) & set(text)
    assert [line.split()[0] for line in text.splitlines()] == [
        "accepted", "hops", "rejected", "calls", "in", "unread",
    ]  # fmt: skip


def test_the_task_card_is_shown_at_the_start_unless_quiet(tmp_path: Path) -> None:
    run = ("expand", SEEDS / "support_tickets_de.jsonl", "--base-url", "sim:", "--target", "4")
    told = aide(*run, "-o", tmp_path / "run").stderr.splitlines()
    card = told[3:12]
    assert card[0] == f"task card, kept in {tmp_path}/run/task.toml:"
    assert [line.split()[0] for line in card[1:]] == [
        "task", "format", "labels", "topics", "language", "answer", "source", "style",
    ]  # fmt: skip
    assert "  format    classification" in card
    assert "  labels    Lieferung, Rechnung, Rückgabe, Kundenkonto" in card
    assert "  language  German" in card
    assert "words" in told[12]
    assert "traits    length 14 to 22, median 18 words; sentences 1 to 2" in told[13]
    assert aide(*run, "-o", tmp_path / "quiet", "--quiet").stderr == ""


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_status_shows_hostile_text_as_text(words: tuple[str, ...], tmp_path: Path) -> None:
    folder = hostile(tmp_path / "run")
    progress = {"accepted": 2, "reasons": {NASTY: 1}, "by_hop": {"1": 2}}
    folder.progress.write_text(json.dumps(progress))
    gone = {**json.loads(folder.summary.read_text()), "gone_seeds": [LONG, NASTY], "stopped": LONG}
    folder.summary.write_text(json.dumps(gone))
    done = aide("status", folder.path, *words)
    assert done.returncode == 0, done.stderr
    assert not set(STEERING) & set(done.stdout)
    assert "[red]loud[/red]" in done.stdout
    assert "--json" in words or len(done.stdout) < 4000


@pytest.mark.parametrize("columns", [110, 120, 140])
def test_in_columns_no_grade_is_parted_from_its_name_and_no_row_is_empty_under_the_heading(
    columns: int,
) -> None:
    console = on_screen(columns, terminal=True)
    grades = "relevance 8, diversity 8, correct yes, agreement 2/2"
    print_previews(console, [RecordPreview("seed", "parent", "record", "a", "hop 2", grades)] * 2)
    rows = [line.rstrip() for line in text_of(console).splitlines()]
    for grade in grades.split(", "):
        assert sum(grade in row for row in rows) == 2
    assert rows[rows.index(next(row for row in rows if row.startswith("seed"))) + 1].startswith("──")
