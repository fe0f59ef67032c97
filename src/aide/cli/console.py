"""What every command prints and how it ends: data on stdout, messages on stderr, exit codes.

Text from elsewhere (models, servers, files) is shown through `make_printable` or `escape_for_console` only: it
could hold terminal codes.
"""

import contextlib
import errno
import json
import os
import re
import shlex
import sys
import traceback
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from aide.errors import AideError
from aide.text.cleaning import clean_text
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from rich.console import Console

OK: Final = 0
FAULT: Final = 1
ENDPOINT: Final = 4
HELD: Final = 5
SHORT: Final = 6

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk or a quota that is full."""

_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_STEERING: Final = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SEEN: Final = 16
"""Characters that are read for each column shown: a text of a megabyte costs no more time than a page."""

_LONGEST: Final = 2000
"""Columns of a line of an error message that are shown."""

_MOST: Final = 50
"""Lines of an error message that are shown."""

_TRY: Final = "try:  "
"""Begins the line with a command that helps; as wide as the beginnings of the other lines."""

_DEBUG: Final = "AIDE_DEBUG"


def open_standard_streams() -> None:
    """Open on the null device what a supervisor has closed of the descriptors 0 to 2; stdout takes any text.

    Else the next file that is opened, such as the journal, would get that number, and messages would be written to it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    # Python has `None` for what was closed when it began.
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole process
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):
        # Data is JSON, which is UTF-8 whatever the terminal is set to. What is no text at all, such as the name of a
        # file that is no UTF-8, is written as the escape that JSON has for it.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def make_stderr_console(*, quiet: bool = False) -> "Console":
    """A console on stderr: without colours if it is no terminal or `NO_COLOR` is set, silent if `quiet`.

    If stderr is no terminal, lines are not folded, so that a log or a mail keeps each in one piece. If its
    reader has gone, messages are discarded and the command goes on.
    """
    return _make_console(sys.stderr, quiet=quiet)


def make_stdout_console() -> "Console":
    """A console on stdout, for what a person reads there; else like that on stderr."""
    return _make_console(sys.stdout)


def _make_console(stream: TextIO, *, quiet: bool = False) -> "Console":
    from rich.console import Console

    class LastingConsole(Console):
        def on_broken_pipe(self) -> None:
            _discard(stream)

    console = LastingConsole(stderr=stream is sys.stderr, highlight=False, quiet=quiet)
    if not console.is_terminal:
        console.soft_wrap = True
    return console


def report_error(error: AideError) -> int:
    """Print what is wrong and what helps, without a traceback; returns the exit code."""
    if os.environ.get(_DEBUG):
        traceback.print_exception(error)
    lines = [f"aide: {make_printable(line, _LONGEST)}" for line in str(error).splitlines()[:_MOST] or [""]]
    if error.hint:
        lines.append(f"hint: {make_printable(error.hint, _LONGEST)}")
    if error.remedy:
        again = shlex.join(["aide", *sys.argv[1:], *error.remedy])
        lines.append(f"{_TRY}{make_printable(again, _LONGEST)}")
    _say(lines)
    return error.exit_code


def report_crash(error: BaseException, *, log: Path | None = None) -> int:
    """Print a fault of aide itself, with a traceback only if `AIDE_DEBUG=1`; returns the exit code."""
    if os.environ.get(_DEBUG):
        traceback.print_exception(error)
    reason = f": {make_printable(str(error), _LONGEST)}" if str(error) else ""
    where = f"details are in {log}; " if log else ""
    _say(
        [
            f"aide: a fault in aide itself ({type(error).__name__}{reason})",
            f"hint: {where}{_DEBUG}=1 shows the traceback; no answer that was received is lost",
        ]
    )
    return FAULT


def describe_full_disk(fault: OSError) -> AideError:
    """The error for a full disk; what a run was answered stays in its journal."""
    where = f"{fault.filename or 'the output'} can't be written"
    return AideError(f"{where}: {fault.strerror}", hint="free some space, then run the same command again")


def make_printable(text: str, width: int | None = None) -> str:
    """Text from elsewhere as one line without terminal codes and without marks that change its direction.

    With `width` it has at most so many columns (wide characters count as two); an ellipsis marks the cut.
    """
    shown = clean_text(text if width is None else text[: _SEEN * width])
    shown = " ".join(_TURNING.sub("", shown).split())
    if width is None:
        return shown
    from rich.cells import cell_len, set_cell_size

    if cell_len(shown) <= width:
        return shown
    return set_cell_size(shown, max(0, width - 1)).rstrip() + "…"


def escape_for_console(text: str, width: int | None = None) -> str:
    """`make_printable` for a console, which interprets markup: the text's own brackets stay brackets."""
    from rich.markup import escape

    return escape(make_printable(text, width))


def list_counts(counts: Mapping[str, int], form: str = "{} {:,}", most: int = 6) -> str:
    """The first counts for a console, and those behind them as one: `low 9, long 2, 3 others 4`."""
    rest = list(counts.values())[most:]
    shown = [(escape_for_console(name, 40), count) for name, count in list(counts.items())[:most]]
    shown += [(format_plural(len(rest), "other"), sum(rest))] if rest else []
    return ", ".join(form.format(name, count) for name, count in shown)


def strip_markup(text: str) -> str:
    """A text without its markup, for a log."""
    from rich.text import Text

    return Text.from_markup(text).plain


def format_json_line(value: Any) -> str:
    """A value as one line of JSON that is safe to show on a terminal.

    Characters that could control it or change the reading order are written as escapes, which mean the same
    in JSON.
    """
    plain = json.dumps(value, ensure_ascii=False)
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", plain)


def print_pairs(console: "Console", rows: Sequence[tuple[str, str]]) -> None:
    """Names and texts in two columns; on a terminal, long texts are folded within theirs.

    Texts are markup: text from elsewhere must have passed `escape_for_console`.
    """
    width = max(len(name) for name, _ in rows)
    if not console.is_terminal:
        for name, text in rows:
            console.print(f"  {name:{width}}  {text}")
        return
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(f"  {name:{width}}", text)
    console.print(grid)


class Output:
    """Data on stdout, line by line. A reader that has gone is no error: `open` becomes false."""

    def __init__(self) -> None:
        self.open = True

    def line(self, text: str) -> bool:
        """Write a line at once, for the next program in the pipe; false when nobody reads any more."""
        if self.open:
            try:
                sys.stdout.write(f"{text}\n")
                sys.stdout.flush()
            except BrokenPipeError:
                self.open = False
                detach_stdout()
        return self.open


def detach_stdout() -> None:
    """Discard what is written to stdout from now on: the interpreter's own last flush would fail."""
    _discard(sys.stdout)


def _discard(stream: TextIO) -> None:
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def _fold_message(line: str, width: int) -> list[str]:
    """A message in rows of a terminal, cut between words; a command to copy stays in one piece."""
    if line.startswith(_TRY) or not width:  # some terminals do not know their width
        return [line]
    from aide.cli.folding import fold_line

    quoted = re.sub("`[^`]+`", lambda found: found[0].replace(" ", "\xa0"), line)
    if max(map(len, quoted.split(" "))) > width - len(_TRY):  # a path or a command: one piece can be copied
        return [line]
    return [row.replace("\xa0", " ") for row in fold_line(quoted, width, len(_TRY))]


def _say(lines: list[str]) -> None:
    with contextlib.suppress(BrokenPipeError):
        if sys.stderr.isatty():
            width = os.get_terminal_size(sys.stderr.fileno()).columns
            lines = [row for line in lines for row in _fold_message(line, width)]
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        sys.stderr.flush()
