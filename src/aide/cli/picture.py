"""A run at a glance, drawn anew a few times a second."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aide.cli.console import escape_for_console, make_printable
from aide.records import Lineage, read_output, read_varying
from aide.text.figures import format_count, format_duration, format_left, format_rate

if TYPE_CHECKING:
    from rich.console import RenderableType

    from aide.run.progress import Progress

MARGIN: Final = 11
"""Columns before the second one of the picture."""
BAR: Final = 10
"""Columns of a label's bar at its longest."""
_LABEL: Final = 16  # columns of a label's name
_LABEL_ROWS: Final = 4
_GRADES: Final = ("relevance", "diversity", "correct", "agreement")
_BLOCKS: Final = " ▏▎▍▌▋▊▉█"


def describe_trouble(progress: "Progress") -> str:
    """For how long nothing was answered, to end a line with; empty while all is well."""
    trouble = progress.trouble
    if trouble is None:
        return ""
    since, left = format_duration(trouble.seconds), format_duration(trouble.left)
    return f"; no answer for {since} ({escape_for_console(trouble.reason, 120)}), tried for {left} more"


def draw_picture(
    progress: "Progress",
    width: int,
    unread: int = 0,
    record: Mapping[str, Any] | None = None,
    pace: str = "",
) -> "RenderableType":
    """The run at a glance.

    `width` is in columns; `unread` are bytes that the reader of stdout has not taken; `record` is one that rolls by;
    `pace` stands where the records a second and the time left would.
    """
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table

    body = Table.grid(padding=(0, 2))
    body.add_column(style="dim", justify="right", width=MARGIN - 2)
    body.add_column(overflow="fold")
    body.add_row("hops", "  ".join(f"{hop}: {n:,}" for hop, n in sorted(progress.by_hop.items())) or "-")
    for place, row in enumerate(draw_label_rows(progress.by_label, width - MARGIN)):
        body.add_row("" if place else "labels", escape(row))
    count = f"{progress.rejected + progress.failed:,}   "
    reasons = [f"{escape_for_console(reason, 40)} {n:,}" for reason, n in progress.reasons.most_common()]
    body.add_row("rejected", count + _fitting(reasons, width - len(count) - MARGIN))
    usage = progress.usage
    tokens = f"{format_count(usage.prompt)} tokens in, {format_count(usage.completion)} out"
    body.add_row("calls", f"{usage.calls:,}   {tokens}{_describe_money(progress)}")
    body.add_row("in flight", f"{progress.in_flight} of {progress.limit}   {progress.open} records open")
    if progress.trouble:
        body.add_row("endpoint", describe_trouble(progress).removeprefix("; "))
    if unread:
        body.add_row("unread", f"{format_count(unread)} bytes wait for the reader of stdout")
    for name, text in _describe_record(record, width - MARGIN) if record else ():
        body.add_row(name, text)
    return Group(_draw_head(progress, pace), body)


def _draw_head(progress: "Progress", pace: str) -> "RenderableType":
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    head = Table.grid(padding=(0, 1), expand=True)
    head.add_column(no_wrap=True)
    head.add_column(ratio=1)
    head.add_column(no_wrap=True, justify="right")
    left = progress.seconds_left
    told = f"  {format_left(left)}" if left is not None else ""
    head.add_row(
        Text(f"accepted {progress.accepted:,} / {progress.goal:,}", style="bold"),
        ProgressBar(total=max(1, progress.goal), completed=progress.accepted),
        Text(pace or f"{format_rate(progress.rate)}{told}"),
    )
    return head


def _describe_money(progress: "Progress") -> str:
    """What was spent, and what it will come to if it goes on like that."""
    if progress.cost is None:
        return ""
    spent = f", {progress.cost:.2f} USD"
    # Before the first records nearly all of it went into what all of them share.
    if (
        progress.target is None
        or progress.accepted * 20 < progress.target
        or progress.accepted >= progress.target
    ):
        return spent
    return f"{spent} of about {progress.cost / progress.accepted * progress.target:.2f}"


def draw_label_rows(by_label: Mapping[str, int], width: int) -> list[str]:
    """Labels with bars, in as many columns as there is width for; nothing for fewer than two labels."""
    if len(by_label) < 2:
        return []
    most = max(by_label.values())
    digits = len(f"{most:,}")
    cell = _LABEL + BAR + digits + 2
    columns = max(1, (width + 3) // (cell + 3))
    room = columns * _LABEL_ROWS
    names = sorted(by_label)
    shown = names if len(names) <= room else names[: room - 1]
    cells = [_draw_label(name, by_label[name], most, digits) for name in shown]
    if len(names) > len(shown):
        cells.append(f"and {len(names) - len(shown):,} more")
    return ["   ".join(cells[at : at + columns]).rstrip() for at in range(0, len(cells), columns)]


def _draw_label(name: str, count: int, most: int, digits: int) -> str:
    from rich.cells import cell_len

    shown = make_printable(name, _LABEL)
    padding = " " * (_LABEL - cell_len(shown))
    return f"{shown}{padding} {draw_bar(count / max(1, most), BAR)} {count:>{digits},}"


def draw_bar(share: float, width: int) -> str:
    """A bar of so many columns, filled to a share."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_BLOCKS[rest] if rest else "")).ljust(width)


def _describe_record(record: Mapping[str, Any], width: int) -> Sequence[tuple[str, str]]:
    """Where a record comes from with its grades, its input and its answer, each on a line or two."""
    lineage = Lineage.from_dict(record["lineage"])
    scores = {name: record["scores"].get(name) for name in _GRADES}
    grades = "  ".join(
        f"{name} {_format_grade(value)}" for name, value in scores.items() if value is not None
    )
    origin = escape_for_console(lineage.describe(), max(20, width - len(grades) - 3))
    return (
        ("record", f"[dim]{origin}   {grades}[/dim]"),
        ("input", escape_for_console(read_varying(record), 2 * width - 8)),
        ("answer", escape_for_console(read_output(record), width - 1)),
    )


def _format_grade(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else escape_for_console(str(value), 20)


def _fitting(words: list[str], room: int) -> str:
    """As many of these as a line of `room` columns takes."""
    shown = "  ".join(words)
    while len(shown) > room and words:
        words = words[:-1]
        shown = "  ".join([*words, "…"])
    return shown
