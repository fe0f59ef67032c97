"""Help as plain text under headings: it pipes, it needs no colour, and boxes would double its time."""

from itertools import groupby
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class PlainEpilog:
    """The lines to try below a help text, each on a line of its own however long it is."""

    epilog: str | None

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write them so that they can be copied as they stand."""
        if self.epilog:
            head, *lines = self.epilog.split("\n\n")
            formatter.write("\n" + head + "\n" + "".join(f"  {line}\n" for line in lines))


class PlainGroup(PlainEpilog, TyperGroup):
    """A command that is a group of commands."""


class PlainCommand(PlainEpilog, TyperCommand):
    """A command whose options stand under their headings and whose examples can be copied as they stand."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The options, the command's own first, then by heading."""
        shown = [(each, each.get_help_record(ctx)) for each in self.get_params(ctx)]
        rows = [(_heading(each), (_named(each, row[0]), row[1])) for each, row in shown if row]
        order = list(dict.fromkeys(["Arguments", "Options", *(heading for heading, _ in rows)]))
        rows.sort(key=lambda each: order.index(each[0]))
        for heading, group in groupby(rows, key=lambda each: each[0]):
            with formatter.section(heading):
                formatter.write_dl([row for _, row in group])


def print_help_and_exit(context: typer.Context) -> None:
    """A group that was called without a command: its help, on stderr, and exit 2."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)


def format_examples(*lines: str) -> str:
    """An epilog of lines to try; it stays readable in a group's help too, which folds single line ends."""
    return "\n\n".join(["Examples:", *lines])


def _heading(parameter: Any) -> str:
    usual = "Arguments" if parameter.param_type_name == "argument" else "Options"
    return getattr(parameter, "rich_help_panel", None) or usual


def _named(parameter: Any, shown: str) -> str:
    """An argument by its name alone: its type is told by the help."""
    return shown.partition(" <")[0] if parameter.param_type_name == "argument" else shown
