"""The picture of a run on a terminal, its keyboard, and `aide status --watch`."""

import io
import json
import os
import pty
import sys
import termios
from pathlib import Path

import pytest
from rich.console import Console

from aide.cli.picture import draw_bar, draw_label_rows, draw_picture
from aide.run.progress import Progress
from cli.shell import SEEDS, Running, aide, environment

TICKETS = SEEDS / "support_tickets_de.jsonl"
RECORD = {
    "input": "\x1b[2Jwhere is [bold]my[/bold] parcel " * 40,
    "output": "delivery",
    "lineage": {
        "seed_id": "s", "parent_id": "s", "hop": 2, "operation": "persona", "triple": None, "persona": "a baker",
        "anchored": True,
    },
    "scores": {"relevance": 8, "correct": True, "other": "x" * 500},
}  # fmt: skip


def draw(width: int, progress: Progress) -> list[str]:
    console = Console(width=width, height=40, file=io.StringIO(), record=True)
    console.print(draw_picture(progress, width, 0, RECORD))
    return console.export_text().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_record_and_the_labels_fit_the_screen(width: int) -> None:
    progress = Progress(target=400, accepted=100, cost=1.0)
    progress.by_label.update({f"label [{n}] " + "x" * n: 10 + n for n in range(30)})
    lines = draw(width, progress)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "hop 2, persona" in text and "relevance 8" in text and "correct yes" in text
    assert "[bold]my[/bold]" in text, "markup of a model is text"
    assert "\x1b" not in text and "xxxxxxxxxxxxxxxxxxxxxxxxx" not in text
    assert "more" in text and "label [0]" in text
    assert "1.00 USD of about 4.00" in text
    assert len(lines) < 20


def test_money_is_promised_only_once_records_came() -> None:
    early = Progress(target=1000, accepted=10, cost=1.0)
    assert not any("of about" in line for line in draw(100, early))


def test_bars_are_as_long_as_their_share() -> None:
    assert [draw_bar(share, 4).rstrip() for share in (0, 0.5, 1, 2)] == ["", "██", "████", "████"]
    assert len(draw_bar(0.33, 10)) == 10
    assert draw_label_rows({"only": 3}, 80) == []
    rows = draw_label_rows({"a": 1, "b": 2}, 80)
    assert len(rows) == 1 and rows[0].count("█") == 15


def on_terminal(*words: str, code: int = 0) -> str:
    """What a command writes on the terminal of 100 columns that is its own."""
    child, terminal = pty.fork()
    if child == 0:
        termios.tcsetwinsize(0, (40, 100))
        os.execve(words[0], list(words), environment(TERM="xterm", COLUMNS="100", LINES="40"))
    shown = bytearray()
    try:
        while piece := os.read(terminal, 1 << 16):
            shown += piece
    except OSError:  # how a terminal ends
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == code, shown.decode()
    return shown.decode()


def test_what_is_typed_is_not_shown_while_the_picture_is_there() -> None:
    code = (
        "import sys, termios\n"
        "from aide.cli.keyboard import SilentKeyboard\n"
        "def echo(): return bool(termios.tcgetattr(0)[3] & termios.ECHO)\n"
        "keyboard = SilentKeyboard()\n"
        "states = [echo()]\n"
        "keyboard.start(); keyboard.start(); states.append(echo())\n"
        "keyboard.stop(); states.append(echo())\n"
        "keyboard.stop(); states.append(echo())\n"
        "print(states)\n"
    )
    assert on_terminal(sys.executable, "-c", code).strip() == "[True, False, True, True]"


@pytest.mark.parametrize(("progress", "pictures"), [("auto", True), ("plain", False), ("off", False)])
def test_progress_is_a_picture_lines_or_nothing(tmp_path: Path, progress: str, pictures: bool) -> None:
    words = ("expand", str(TICKETS), "--base-url", "sim:?latency=0.3", "--concurrency", "2", "--target", "6")
    shown = on_terminal(
        sys.executable, "-m", "aide", *words, "-o", str(tmp_path / "run"), "--progress", progress
    )
    assert ("in flight" in shown) == pictures
    assert "accepted 6 of" in shown, "the end is told in any case"


def test_status_follows_a_run_to_its_end(tmp_path: Path) -> None:
    words = ("expand", TICKETS, "--base-url", "sim:?latency=0.2", "--concurrency", "2", "--target", "20")
    with Running(*words, "-o", tmp_path / "run") as run:
        run.until_told("stderr", "plan:")
        while not (tmp_path / "run" / "run.json").exists():
            assert run.process.poll() is None
        watched = aide("status", tmp_path / "run", "--watch")
        assert run.end()[0] == 0
    assert watched.returncode == 0, watched.stderr
    assert "state         finished" in watched.stdout.splitlines()
    again = aide("status", tmp_path / "run", "--watch", "--json")
    assert json.loads(again.stdout)["state"] == "finished", "what has ended is shown once"


def test_status_on_a_terminal_has_bars(tmp_path: Path) -> None:
    words = ("expand", TICKETS, "--base-url", "sim:", "--target", "12", "-o", tmp_path / "run", "--quiet")
    assert aide(*words).returncode == 0
    shown = on_terminal(sys.executable, "-m", "aide", "status", str(tmp_path / "run"), "--watch")
    assert "█" in shown and "by label" in shown
    assert "█" not in aide("status", tmp_path / "run").stdout


def test_messages_break_between_words_and_commands_do_not(tmp_path: Path) -> None:
    table = tmp_path / "tickets.csv"
    table.write_text(
        "Ticket text,Team,Prio,Ticket-Nr\n"
        "My card is lost somewhere.,cards,1,T-1\nWhere is my money now?,transfers,2,T-2\n"
        "I was charged twice.,cards,2,T-3\n"
    )
    shown = on_terminal(sys.executable, "-m", "aide", "plan", str(table), code=2).splitlines()
    command = next(row for row in shown if row.startswith("try:"))
    assert command.endswith("--input-field 'Ticket text' --output-field Team") and len(command) > 100
    rest = [row for row in shown if row != command and str(table) not in row]
    assert rest and max(map(len, rest)) <= 100
    fields = ("--input-field", "Ticket text", "--output-field", "Team")
    planned = on_terminal(sys.executable, "-m", "aide", "plan", str(table), *fields).splitlines()
    note = next(at for at, row in enumerate(planned) if "left out of new records" in row)
    assert max(map(len, planned[note : note + 2])) <= 100
    assert planned[note + 1].startswith(" " * 8)
