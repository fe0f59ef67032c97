"""The command `aide`: the table of its commands. Each is imported only when it is called.

To add a command, write a module `aide/cli/<name>.py` with a function of that name (or a `typer.Typer`) and add
its row here.
"""

import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand
from typer.main import get_command

from aide import __version__
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


@dataclass(frozen=True, slots=True)
class Entry:
    """What `--help` says about a command without importing it."""

    summary: str
    """One line."""
    examples: tuple[str, ...]
    """Command lines to try."""


COMMANDS: Final = {
    "expand": Entry(
        "Grow seed examples into many records; run again to resume.",
        (
            "aide expand sample_seeds/word_problems.jsonl --base-url sim: --target 300",
            "aide expand tickets.csv --base-url http://localhost:8000/v1 --model qwen -o tickets.aide",
        ),
    ),
    "plan": Entry(
        "Estimate what a run would cost; spend nothing.",
        ("aide plan seeds.jsonl --hops 2 --target all", "aide plan seeds.jsonl --price 0.15/0.60 --json"),
    ),
    "status": Entry(
        "Show how far a run is, also while it is going on.",
        ("aide status seeds.aide", "aide status seeds.aide --json"),
    ),
    "batch": Entry(
        "List the batches of a run, or end those that are pending.",
        ("aide batch list seeds.aide", "aide batch cancel seeds.aide"),
    ),
    "trace": Entry(
        "Show how a record came to be, from its seed on.",
        ("aide trace seeds.aide 3f9c0a", "aide trace seeds.aide 3f9c0a --json"),
    ),
    "prune": Entry(
        "Take a branch out of the records, or put it back.",
        (
            "aide prune seeds.aide --ancestor 3f9c0a",
            "aide prune seeds.aide --where 'scores.relevance < 8 and lineage.hop == 2' --dry-run",
            "aide prune seeds.aide --restore",
        ),
    ),
    "report": Entry(
        "Write one HTML file that shows a run.",
        ("aide report seeds.aide", "aide report seeds.aide -o run.html"),
    ),
    "filter": Entry(
        "Keep records by scores, hop, operation, format, words or an expression.",
        (
            "aide filter seeds.aide --min relevance=8 --hop 1,2 > good.jsonl",
            "aide expand - -o - < seeds.jsonl | aide filter --where 'len(input) < 400' > short.jsonl",
        ),
    ),
    "dedup": Entry(
        "Remove duplicates; keep the first of each group.",
        (
            "aide dedup monday.aide tuesday.aide > both.jsonl",
            "aide dedup new.jsonl --against old.jsonl --report hits.jsonl > fresh.jsonl",
        ),
    ),
    "decontaminate": Entry(
        "Drop records that give away items of test sets.",
        (
            "aide decontaminate seeds.aide --against test.jsonl > clean.jsonl",
            "cat train.jsonl | aide decontaminate --against gsm8k_test.jsonl --report hits.jsonl --mark",
        ),
    ),
    "stats": Entry(
        "Measure diversity, balance and likeness to the seeds.",
        ("aide stats seeds.aide", "aide stats seeds.aide --human human.jsonl --json"),
    ),
    "compare": Entry(
        "Say which of several data sets teaches better.",
        (
            "aide compare monday.aide tuesday.aide --gold human.jsonl",
            "aide compare ours=seeds.aide theirs=other.jsonl --gold human.jsonl --per-label 5,20",
        ),
    ),
    "answer": Entry(
        "Answer given inputs, with all checks of a run.",
        (
            "aide answer inputs.jsonl --seeds sample_seeds/word_problems.jsonl --base-url sim: > answered.jsonl",
            "cat inputs.jsonl | aide answer - --seeds seeds.jsonl --agreement 3/5 --model qwen > answered.jsonl",
        ),
    ),
    "grade": Entry(
        "Have the judge grade any records, also human ones.",
        (
            "aide grade sample_seeds/science_quiz.jsonl --base-url sim: > graded.jsonl",
            "aide grade seeds.aide --model judge | aide filter - --min relevance=8 > good.jsonl",
        ),
    ),
    "calibrate": Entry(
        "Compare the judge with a person's marks.",
        ("aide calibrate --labels marked.jsonl --model judge", "aide calibrate --labels seeds.aide --json"),
    ),
    "sample": Entry(
        "Draw a random sample, the same one each time.",
        ("aide sample seeds.aide -n 50 --by hop,operation", "cat train.jsonl | aide sample -n 10% --seed 7"),
    ),
    "split": Entry(
        "Split records into training, validation and test data, by family.",
        (
            "aide split seeds.aide -o split",
            "aide split train.jsonl --seeds seeds.jsonl --validation 10% --test 10% -o split",
        ),
    ),
    "export": Entry(
        "Write records in the form that a trainer reads.",
        (
            "aide export seeds.aide --to messages > train.jsonl",
            "aide export seeds.aide --to dataset -o my_dataset --license cc-by-4.0",
        ),
    ),
    "doctor": Entry(
        "Find endpoints, test what they support, say what to correct.",
        (
            "aide doctor",
            "aide doctor seeds.jsonl --base-url http://localhost:8000/v1 --model qwen",
            "aide doctor --base-url sim: --json",
        ),
    ),
    "config": Entry(
        "Show every setting and where its value came from.",
        ("aide config --config paper", "AIDE_HOPS=3 aide config --json"),
    ),
    "prompts": Entry(
        "List the prompts, copy them for editing, compare a copy.",
        ("aide prompts export my_prompts", "aide prompts diff my_prompts"),
    ),
    "simulate": Entry(
        "Serve the simulated endpoint over HTTP.",
        ("aide simulate --port 8800", "aide simulate --port 0 --latency 0.2 --slots 8 --faults 429:0.1"),
    ),
}


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

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The help of the group, without importing the commands."""
        self._listing = True
        super().format_help(ctx, formatter)

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


def load_command(name: str, entry: Entry) -> Any:
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
        "aide expand sample_seeds/word_problems.jsonl --base-url sim: --target 300", "aide expand --help"
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
