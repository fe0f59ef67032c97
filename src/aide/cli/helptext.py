"""Help as plain text under headings: it can be piped, and typer's boxes would take twice the time."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from aide.cli.samples import SAMPLE, find_samples

RARE: Final = " (rare)"
"""Ends the heading of options that only `--help-all` shows."""
HELP_ALL: Final = "--help-all"
OLD_SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "--seed": ("--random-seed",),
    "--against": ("--avoid", "--human"),
}
"""Options as older versions spelled them: read on, shown no more. Of several, the one that the command has is meant."""


class PlainEpilog:
    """Examples below a help text, each on a line of its own, however long."""

    epilog: str | None

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write them unfolded, so that they can be copied."""
        if self.epilog:
            head, *lines = self.epilog.split("\n\n")
            formatter.write("\n" + head + "\n" + "".join(f"  {line}\n" for line in lines))


class PlainGroup(PlainEpilog, TyperGroup):
    """A command that is a group of commands."""


class PlainCommand(PlainEpilog, TyperCommand):
    """A command with its options under headings and examples that can be copied."""

    _shows_all = False  # true once `--help-all` was typed

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """`--batch` may stand alone, which no other option does: what follows it counts only if it names a folder."""
        here = args[: args.index("--")] if "--" in args else args
        if HELP_ALL in here:
            self._shows_all = True
            typer.echo(ctx.get_help())
            ctx.exit()
        known = {spelled for each in self.get_params(ctx) for spelled in each.opts}
        if not ctx.resilient_parsing and any(SAMPLE in word for word in args):
            args[:] = find_samples(args)
        for at, word in enumerate(here):
            name, equals, value = word.partition("=")
            today = next((each for each in OLD_SPELLINGS.get(name, ()) if each in known), name)
            if name not in known:
                args[at] = f"{today}{equals}{value}"
            follower = args[at + 1] if at + 1 < len(args) else ""
            if word == "--batch" and not follower.startswith("files:"):
                args[at] = "--batch=api"
        rest: list[str] = super().parse_args(ctx, args)
        return rest

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The options, the command's own first, then by heading; rare ones only if all are asked for."""
        everything = self.get_params(ctx)
        shown = [each for each in everything if self._shows_all or not _is_rare(each)]
        found = [(each, each.get_help_record(ctx)) for each in shown]
        rows = [(_get_heading(each), (_shorten_argument(each, row[0]), row[1])) for each, row in found if row]
        if any(map(_is_rare, everything)):
            rows.append(("Options", (HELP_ALL, "Show this message with the rare options, too, and exit.")))
        order = list(dict.fromkeys(["Arguments", "Options", *(heading for heading, _ in rows)]))
        rows.sort(key=lambda each: order.index(each[0]))  # stable: within a heading as they were declared
        for heading, group in groupby(rows, key=lambda each: each[0]):
            with formatter.section(heading):
                room = formatter.width - formatter.current_indent
                formatter.write_dl([(_break_choices(name, room), told) for _, (name, told) in group])


def print_help_and_exit(context: typer.Context) -> None:
    """Print the help of a group that was called without a command, on stderr, and exit with 2."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)


def format_examples(*lines: str) -> str:
    """An epilog with examples, separated by blank lines: a group's help joins lines without them."""
    return "\n\n".join(["Examples:", *lines])


def _get_heading(parameter: Any) -> str:
    usual = "Arguments" if parameter.param_type_name == "argument" else "Options"
    return (getattr(parameter, "rich_help_panel", None) or usual).removesuffix(RARE)


def _is_rare(parameter: Any) -> bool:
    return (getattr(parameter, "rich_help_panel", None) or "").endswith(RARE)


def _shorten_argument(parameter: Any, shown: str) -> str:
    """An argument by its name only: the help says what it is."""
    return shown.partition(" <")[0] if parameter.param_type_name == "argument" else shown


def _break_choices(name: str, room: int) -> str:
    """An option whose values are wider than the screen, broken behind one of them."""
    rows = [""]
    for piece in name.replace("|", "|\n").split("\n"):
        if rows[-1] and len(rows[-1]) + len(piece) > room:
            rows.append("    ")
        rows[-1] += piece
    return "\n".join(rows)
