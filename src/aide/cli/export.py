"""`aide export`: records in the form that a trainer reads."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final

import typer

from aide.cli.arguments import Quiet, Sources
from aide.cli.console import make_stderr_console
from aide.errors import InputError
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from rich.console import Console

    from aide.dataset.lines import RecordLine
    from aide.exporters import Exporter, ExportJob, ExportResult
    from aide.exporters.hub import HubRepository

READERS: Final = {
    "huggingface": "dataset",
    "hf": "dataset",
    "unsloth": "trl",
    "llamafactory": "llama-factory",
}
"""Other names of readers of records, each with the target that it takes."""

_BARE: Final = ("seeds", "sentence-transformers", "beir")
"""Forms without an instruction."""


def _complete_target(incomplete: str) -> list[str]:
    from aide.exporters import EXPORTERS

    return [name for name in EXPORTERS if name.startswith(incomplete)]


To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="NAME",
        autocompletion=_complete_target,
        help="trl, axolotl, openai, llama-factory: all that a trainer needs, in a folder. messages, sharegpt, alpaca, "
        "prompt-completion, dpo, parquet, dataset, seeds: a form of records. "
        "sentence-transformers, beir: queries with their passages.",
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
    list[str] | None,
    typer.Option("--seeds", metavar="FILE", help="The seed file, for --to seeds and --split."),
]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the data set.")]
License = Annotated[
    str,
    typer.Option("--license", metavar="ID", help="Licence named on the data set's card, such as cc-by-4.0."),
]


Hub = Annotated[
    str,
    typer.Option(
        "--push-to-hub",
        metavar="NAME",
        help="With --to dataset: upload the folder to the Hugging Face hub, as NAME or OWNER/NAME.",
    ),
]
Private = Annotated[
    bool, typer.Option("--private", help="With --push-to-hub: nobody else may see the data set.")
]


Reasoning = Annotated[
    str,
    typer.Option(
        "--reasoning",
        metavar="think|field|drop",
        help="What led to an answer: in <think> marks before it, as reasoning_content, or left out.",
    ),
]


Split = Annotated[
    str,
    typer.Option(
        "--split",
        metavar="A/B[/C]",
        help="Write training, validation and test data apart: 90/10, 80/10/10. See aide split.",
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
    split: Split = "",
    name: Name = "",
    license: License = "",
    push_to_hub: Hub = "",
    private: Private = False,
    quiet: Quiet = False,
) -> None:
    """Write records in the form that a trainer reads.

    Multiple choice questions get lettered options, and the letter as the answer; worked solutions end with
    their final answer. The instruction is the task on the run's task card, with the labels if they are fixed.
    """
    from aide.dataset.lines import check_sources, read_lines
    from aide.dataset.seed_sources import find_seed_files, load_card_of
    from aide.exporters import ExampleRenderer, ExportJob
    from aide.exporters.thoughts import JournaledThoughts, check_form
    from aide.exporters.trainers import TrainerExporter

    given = tuple(sources or ())
    check_sources(given)
    exporter = _find_exporter(to, out, split)
    repository = _open_repository(push_to_hub, to, private=private)
    form = check_form(reasoning, to)
    task_card = load_card_of(given, card)
    rendering = ExampleRenderer(
        task_card, instruction=instruction, system=system, template=template, reasoning=form
    )
    named = name or push_to_hub.rpartition("/")[2] or _choose_name(given, out)
    job = ExportJob(out, rendering, given, find_seed_files(given, seeds or ()), named, license)
    console = make_stderr_console(quiet=quiet)
    if task_card is None and instruction is None and template is None and to not in _BARE:
        console.print(
            "no task card was found, so examples have no instruction: --card DIR or --instruction TEXT gives one"
        )
    found = JournaledThoughts(given, task_card)

    def read(sources: tuple[str, ...]) -> "Iterator[RecordLine]":
        return found.add_to(read_lines(sources)) if form in ("think", "field") else read_lines(sources)

    if split:
        _export_parts(exporter, to, job, _parse_split(split), tuple(seeds or ()), read, console)
    else:
        _export_whole(exporter, job, read(given), console, repository)
    if isinstance(exporter, TrainerExporter):
        console.print(f"next: cd {shlex.quote(out)} && {exporter.command}", markup=False, soft_wrap=True)
    if found.missing:
        console.print(
            f"{format_plural(found.missing, 'record')} without reasoning: no call of their own answer shows any"
        )


def _find_exporter(to: str, out: str, split: str) -> "Exporter":
    """The exporter of that name.

    Raises:
        InputError: there is none, or `out` can't take what it writes.
    """
    from aide.dataset.lines import STDOUT
    from aide.exporters import EXPORTERS

    if to in READERS and to not in EXPORTERS:
        raise InputError(f"there is no export {to!r}", hint=f"--to {READERS[to]} is what it reads")
    exporter = EXPORTERS[to]
    if out == STDOUT and split:
        hint = "name a folder for them with -o"
        raise InputError("--split writes several files", hint=hint, remedy=("-o", f"{to}_data"))
    if out == STDOUT and not exporter.streams:
        raise InputError(f"--to {to} can't be written to stdout", hint=f"such as -o {to.replace('-', '_')}")
    return exporter


def _open_repository(name: str, to: str, *, private: bool) -> "HubRepository | None":
    """Where the data set is to be uploaded, looked at before anything is written; `None` where it stays here.

    Raises:
        InputError: the options don't go together, or the repository can't be written.
    """
    if not name:
        if private:
            raise InputError(
                "--private goes with --push-to-hub", hint="name the data set: --push-to-hub NAME"
            )
        return None
    if to != "dataset":
        raise InputError(f"--push-to-hub takes no --to {to}", hint="--to dataset writes what the hub shows")
    from aide.exporters.hub import open_repository

    return open_repository(name, private=private)


def _tell_skipped(console: "Console", written: "ExportResult") -> None:
    for reason, count in written.skipped.items():
        console.print(f"left out {format_plural(count, 'record')}: {reason}")


def _parse_split(text: str) -> list[float]:
    """Shares of the parts, training first.

    Raises:
        InputError: they are no two or three numbers that are a whole together.
    """
    try:
        shares = [float(part) for part in text.split("/")]
    except ValueError:
        shares = []
    whole = sum(shares)
    if len(shares) not in (2, 3) or min(shares) < 0 or not shares[0] or round(whole, 6) not in (1, 100):
        raise InputError(f"--split {text} names no shares of a whole", hint="such as 90/10 or 80/10/10")
    return [share / whole for share in shares]


def _export_whole(
    exporter: "Exporter",
    job: "ExportJob",
    lines: Iterator["RecordLine"],
    console: "Console",
    repository: "HubRepository | None",
) -> None:
    """Write all records and, where a repository is named, upload what was written."""
    from aide.dataset.lines import STDOUT

    written = exporter.write(lines, job)
    place = "" if job.dest == STDOUT else f" to {job.dest}"
    console.print(f"exported {format_plural(written.count, 'example')}{place}", markup=False)
    _tell_skipped(console, written)
    if written.files:
        _settle_folder(exporter, job, written.files, written.kept, console)
    if repository:
        address = repository.upload(Path(job.dest), written.files)
        console.print(f"uploaded to {address}", markup=False, soft_wrap=True)


def _export_parts(
    exporter: "Exporter",
    to: str,
    job: "ExportJob",
    shares: Sequence[float],
    seeds: tuple[str, ...],
    read: Callable[[tuple[str, ...]], Iterator["RecordLine"]],
    console: "Console",
) -> None:
    """Split the records, and write each part into the folder."""
    from aide.cli.split import describe_split
    from aide.dataset.lines import make_folder, read_lines
    from aide.dataset.seed_sources import load_seeds_of
    from aide.dataset.splitting import split_records
    from aide.exporters.trainers import TRAIN, TrainerExporter

    if to in ("dataset", "beir", "seeds"):
        raise InputError(f"--to {to} takes no --split", hint=f"aide split -o cut; aide export cut --to {to}")
    folder = Path(job.dest)
    card = job.rendering.card
    with TemporaryDirectory(prefix="aide-split-") as kept:
        loaded = load_seeds_of(job.sources, seeds)
        outcome = split_records(
            read_lines(job.sources), Path(kept), loaded, by="auto", validation=shares[1],
            test=shares[2] if len(shares) > 2 else 0.0, seed=0, duplicates="near",
            format=card.format if card else (loaded and loaded.format_hint) or "free_text",
            add_seeds=True,
        )  # fmt: skip
        make_folder(folder)
        suffix = ".parquet" if to == "parquet" else ".jsonl"
        files: list[str] = []
        for part in outcome.counts:
            lines = read((str(Path(kept) / f"{part}.jsonl"),))
            if isinstance(exporter, TrainerExporter):
                written = exporter.write_part(lines, job, part)
            elif to == "llama-factory":
                named = job.name if part == TRAIN else f"{job.name}_{part}"
                written = exporter.write(lines, replace(job, name=named))
            else:
                written = exporter.write(lines, replace(job, dest=str(folder / f"{part}{suffix}")))
            files += written.files or [f"{part}{suffix}"]
            _tell_skipped(console, written)
    edited: tuple[str, ...] = ()
    if isinstance(exporter, TrainerExporter):
        edited = exporter.write_config(folder, held_out=outcome.counts["validation"] > 0)
        files += [exporter.config] if exporter.config else []
    _settle_folder(exporter, job, files, edited, console)
    for line in describe_split(outcome, folder, suffix):
        console.print(line, markup=False)


def _settle_folder(
    exporter: "Exporter", job: "ExportJob", files: Sequence[str], edited: Sequence[str], console: "Console"
) -> None:
    """Remove what earlier exports left in the folder, and tell what is there beside the files of this one."""
    from aide.exporters.llamafactory import LlamaFactoryExporter
    from aide.exporters.written import WrittenFiles, describe_kept

    folder = Path(job.dest)
    many = isinstance(exporter, LlamaFactoryExporter)  # a folder has the data sets of many exports
    settled = WrittenFiles.read(folder, job.name if many else "").settle(files, edited, job.sources)
    if isinstance(exporter, LlamaFactoryExporter):
        exporter.forget(folder, settled.removed)
    told = [describe_kept(folder / name, files) for name in edited]
    for line in (*told, *settled.describe()):
        console.print(line, markup=False, soft_wrap=True)


def _choose_name(sources: tuple[str, ...], out: str) -> str:
    """A name for the data set: the first source's, else the output's."""
    named = next((each for each in (*sources, out) if each != "-"), "aide")
    return Path(named).resolve().name.split(".")[0] or "aide"
