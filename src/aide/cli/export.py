"""`aide export`: records in the form that a trainer reads."""

from pathlib import Path
from typing import Annotated, Final

import typer

from aide.cli.arguments import Quiet, Sources
from aide.cli.console import make_stderr_console
from aide.errors import InputError
from aide.text.figures import format_plural

TRAINERS: Final = {"trl": "messages", "axolotl": "messages", "openai": "messages", "huggingface": "dataset"}
"""Readers of records, each with the form that it takes."""


def _complete_target(incomplete: str) -> list[str]:
    from aide.exporters import EXPORTERS

    return [name for name in EXPORTERS if name.startswith(incomplete)]


To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="NAME",
        autocompletion=_complete_target,
        help="messages, sharegpt, alpaca, prompt-completion, dpo, parquet, dataset, llama-factory or seeds.",
    ),
]
Out = Annotated[str, typer.Option("--out", "-o", metavar="PATH", help="File or folder; - is stdout.")]
Template = Annotated[
    Path | None, typer.Option("--template", metavar="FILE", help="Jinja2 file for the text of an example.")
]
System = Annotated[str, typer.Option("--system", metavar="TEXT", help="System text of every example.")]
Instruction = Annotated[
    str | None,
    typer.Option(
        "--instruction", metavar="TEXT", help="Text before every input; default: the task card's task."
    ),
]
Card = Annotated[
    str, typer.Option("--card", metavar="DIR|FILE", help="Run folder or task.toml with the task card.")
]
Seeds = Annotated[
    list[str] | None, typer.Option("--seeds", metavar="FILE", help="The seed file, for --to seeds.")
]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the data set.")]
License = Annotated[
    str,
    typer.Option("--license", metavar="ID", help="Licence named on the data set's card, such as cc-by-4.0."),
]


Reasoning = Annotated[
    str,
    typer.Option(
        "--reasoning",
        metavar="think|field|drop",
        help="What led to an answer: in <think> marks before it, as reasoning_content, or left out.",
    ),
]


def export(
    sources: Sources = None,
    to: To = "messages",
    out: Out = "-",
    template: Template = None,
    system: System = "",
    instruction: Instruction = None,
    card: Card = "",
    seeds: Seeds = None,
    reasoning: Reasoning = "",
    name: Name = "",
    license: License = "",
    quiet: Quiet = False,
) -> None:
    """Write records in the form that a trainer reads.

    Multiple choice questions get lettered options, and the letter as the answer; worked solutions end with
    their final answer. The instruction is the task on the run's task card, with the labels if they are fixed.
    """
    from aide.dataset.lines import STDOUT, check_sources, read_lines
    from aide.dataset.seed_sources import find_seed_files, load_card_of
    from aide.exporters import EXPORTERS, ExampleRenderer, ExportJob
    from aide.exporters.thoughts import JournaledThoughts, check_form

    if to in TRAINERS and to not in EXPORTERS:
        hint = f"--to {TRAINERS[to]}; docs/exports.md has a configuration beside it"
        raise InputError(f"--to names a form of records, and {to} is one who reads them", hint=hint)
    exporter = EXPORTERS[to]
    if out == STDOUT and not exporter.streams:
        raise InputError(f"--to {to} can't be written to stdout", hint=f"such as -o {to.replace('-', '_')}")
    given = tuple(sources or ())
    check_sources(given)
    form = check_form(reasoning, to)
    task_card = load_card_of(given, card)
    rendering = ExampleRenderer(
        task_card, instruction=instruction, system=system, template=template, reasoning=form
    )
    job = ExportJob(
        out, rendering, given, find_seed_files(given, seeds or ()), name or _choose_name(given, out), license
    )
    console = make_stderr_console(quiet=quiet)
    if task_card is None and instruction is None and template is None and to != "seeds":
        console.print(
            "no task card was found, so examples have no instruction: --card DIR or --instruction TEXT gives one"
        )
    found = JournaledThoughts(given, task_card)
    lines = found.add_to(read_lines(given)) if form in ("think", "field") else read_lines(given)
    written = exporter.write(lines, job)
    place = "" if out == STDOUT else f" to {out}"
    console.print(f"exported {format_plural(written.count, 'example')}{place}", markup=False)
    for reason, count in written.skipped.items():
        console.print(f"left out {format_plural(count, 'record')}: {reason}")
    if found.missing:
        console.print(
            f"{format_plural(found.missing, 'record')} without reasoning: no call of their own answer shows any"
        )


def _choose_name(sources: tuple[str, ...], out: str) -> str:
    """A name for the data set: the first source's, else the output's."""
    named = next((each for each in (*sources, out) if each != "-"), "aide")
    return Path(named).resolve().name.split(".")[0] or "aide"
