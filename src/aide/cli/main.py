"""The command `aide`. Each of its commands is imported only when it is called."""

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from aide import __version__
from aide.cli.commands import COMMANDS, GROUPS, CommandEntry
from aide.cli.console import (
    FULL,
    describe_full_disk,
    detach_stdout,
    open_standard_streams,
    report_crash,
    report_error,
)
from aide.cli.helptext import PlainCommand, PlainGroup, format_examples, print_help_and_exit
from aide.cli.usage import USAGE_ERROR, convert_usage_error
from aide.errors import AideError


class Commands(PlainGroup):
    """A group whose commands are imported when they are called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._listing = False
        names: Any = dict.fromkeys(COMMANDS)
        self.commands.update(names)  # only for "did you mean": commands come from `get_command`

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command; while commands are only listed, just name and summary, so that nothing is imported."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        if self._listing:
            return TyperCommand(cmd_name, help=entry.summary, short_help=entry.summary)
        return load_command(cmd_name, entry)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what was typed; `aide help expand` is `aide expand --help`."""
        if args[:1] == ["help"]:
            args = [*args[1:2], "--help"]
        rest: list[str] = super().parse_args(ctx, args)
        return rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The help of the group, without importing the commands."""
        self._listing = True
        super().format_help(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The commands in the groups of the table, with their summaries in one column."""
        width = max(map(len, COMMANDS))
        for heading, entries in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{name:{width}}", entry.summary) for name, entry in entries.items()])

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Complete names of commands in a shell, as fast as the help."""
        self._listing = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self._listing = False

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a reader that closes the pipe early is no error."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            detach_stdout()
            raise typer.Exit(0) from None


def load_command(name: str, entry: CommandEntry) -> Any:
    """Import a command and give it the summary and the examples of the table."""
    found = getattr(import_module(f"aide.cli.{name}"), name)
    epilog = format_examples(*entry.examples)
    if isinstance(found, typer.Typer):
        found.info.epilog = epilog
        found.info.help = entry.summary
        command = get_command(found)
    else:
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name, cls=PlainCommand, epilog=epilog)(found)
        command = get_command(single)
    command.name = name
    return command


app = typer.Typer(
    name="aide",
    cls=Commands,
    help="Grow ten examples of a task into thousands, through any OpenAI-compatible endpoint.",
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=format_examples(
        "aide expand sample:word_problems --base-url sim: --target 300", "aide expand --help"
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aide {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """The options of `aide` itself."""
    print_help_and_exit(context)


def main() -> None:
    """The console script. Whatever happens, it ends with a documented exit code and without a traceback."""
    open_standard_streams()
    try:
        sys.exit(app(prog_name="aide", standalone_mode=False))
    except AideError as error:
        sys.exit(report_error(error))
    except USAGE_ERROR as error:
        sys.exit(report_error(convert_usage_error(error, sys.argv[1:], COMMANDS)))
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except OSError as error:
        sys.exit(report_error(describe_full_disk(error)) if error.errno in FULL else report_crash(error))
    except Exception as error:  # noqa: BLE001 - the outermost handler: it reports the fault and exits with 1
        sys.exit(report_crash(error))
