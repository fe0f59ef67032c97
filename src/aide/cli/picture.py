"""A run at a glance, drawn anew a few times a second."""

from typing import TYPE_CHECKING

from aide.cli.console import escape_for_console
from aide.text.figures import format_count, format_duration

if TYPE_CHECKING:
    from rich.console import RenderableType

    from aide.run.progress import Progress


def describe_trouble(progress: "Progress") -> str:
    """For how long nothing was answered, to end a line with; empty while all is well."""
    trouble = progress.trouble
    if trouble is None:
        return ""
    since, left = format_duration(trouble.seconds), format_duration(trouble.left)
    return f"; no answer for {since} ({escape_for_console(trouble.reason, 120)}), tried for {left} more"


def draw_picture(progress: "Progress", width: int, unread: int) -> "RenderableType":
    """The run at a glance; `width` in columns, `unread` in bytes that the reader of stdout has not taken."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    head = Table.grid(padding=(0, 1), expand=True)
    head.add_column(no_wrap=True)
    head.add_column(ratio=1)
    head.add_column(no_wrap=True, justify="right")
    left = format_duration(progress.seconds_left)
    head.add_row(
        Text(f"accepted {progress.accepted:,} / {progress.goal:,}", style="bold"),
        ProgressBar(total=max(1, progress.goal), completed=progress.accepted),
        Text(f"{progress.rate:.1f} records/s{f'  {left} left' if left else ''}"),
    )
    body = Table.grid(padding=(0, 2))
    body.add_column(style="dim", justify="right")
    body.add_column()
    body.add_row("hops", "  ".join(f"{hop}: {n:,}" for hop, n in sorted(progress.by_hop.items())) or "-")
    count = f"{progress.rejected + progress.failed:,}   "
    reasons = [f"{escape_for_console(reason, 40)} {n:,}" for reason, n in progress.reasons.most_common()]
    body.add_row("rejected", count + _fitting(reasons, width - len(count) - 11))
    usage = progress.usage
    money = "" if progress.cost is None else f", {progress.cost:.2f} USD"
    body.add_row(
        "calls",
        f"{usage.calls:,}   {format_count(usage.prompt)} tokens in, {format_count(usage.completion)} out{money}",
    )
    body.add_row("in flight", f"{progress.in_flight} of {progress.limit}   {progress.open} records open")
    if progress.trouble:
        body.add_row("endpoint", describe_trouble(progress).removeprefix("; "))
    if unread:
        body.add_row("unread", f"{format_count(unread)} bytes wait for the reader of stdout")
    return Group(head, body)


def _fitting(words: list[str], room: int) -> str:
    """As many of these as a line of `room` columns takes."""
    shown = "  ".join(words)
    while len(shown) > room and words:
        words = words[:-1]
        shown = "  ".join([*words, "…"])
    return shown
