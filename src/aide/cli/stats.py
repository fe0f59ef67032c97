"""`aide stats`: how diverse records are, how balanced, and how similar to their seeds."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aide.cli.arguments import AsJson, InputFields, OutputField, Sources
from aide.cli.console import Output, format_json_line, make_printable, make_stderr_console
from aide.errors import AideError, InputError

if TYPE_CHECKING:
    from aide.dataset.columns import NamedColumns
    from aide.dataset.statistics import SamplePlan


def stats(
    sources: Sources = None,
    human: Annotated[
        list[str] | None,
        typer.Option(
            "--human",
            metavar="FILE",
            help="Human data to compare with; for a run folder the comparison is kept for the report.",
        ),
    ] = None,
    seeds: Annotated[
        list[str] | None,
        typer.Option("--seeds", metavar="FILE", help="The seeds; those of a run folder are found."),
    ] = None,
    input_field: InputFields = None,
    output_field: OutputField = "",
    sample: Annotated[
        int, typer.Option("--sample", metavar="N", min=2, help="Texts that Self-BLEU is computed on.")
    ] = 500,
    random_seed: Annotated[
        int, typer.Option("--random-seed", metavar="INT", help="Another number draws another sample.")
    ] = 0,
    json_: AsJson = False,
) -> None:
    """Measure records: diversity, repetition, lengths, balance, and likeness to the seeds by hop.

    The varying part of the input is measured. distinct-n: different n-grams as a share of all (Li et al.
    2016). Self-BLEU: mean BLEU-4 of each text against all others (Zhu et al. 2018). Compression ratio: bytes
    over gzipped bytes (Shaib et al. 2024). Near-duplicates: the share that aide dedup drops. Likeness to the
    seeds: words in common (Jaccard). Lengths, openings and traits stand beside those of the seeds and of human
    data, with a sentence on each difference that is more than chance. Tokens are words and punctuation marks.
    Groups are measured at the size of the smallest one. A comparison of one run folder with human data is kept
    in its stats.json and shown by aide report.
    """
    from aide.dataset.columns import ask_for_columns, find_columns
    from aide.dataset.record_content import UnknownRecordError
    from aide.dataset.statistics import SamplePlan

    columns = find_columns(input_field, output_field, sources or ())
    plan = SamplePlan(sample, random_seed)
    try:
        figures = _measure(sources or (), seeds or (), human or (), columns, plan)
    except UnknownRecordError as fault:
        raise ask_for_columns(fault) from fault
    output = Output()
    for line in [format_json_line(figures)] if json_ else _describe(figures):
        output.line(line)
    # Figures of several folders together belong into the report of none.
    if human and len(sources or ()) == 1:
        _keep_for_report(sources or (), figures)


def _measure(
    sources: Sequence[str],
    seeds: Sequence[str],
    human: Sequence[str],
    columns: "NamedColumns",
    plan: "SamplePlan",
) -> dict[str, Any]:
    """All figures of the records, and of human data beside them."""
    from aide.dataset.lines import read_lines
    from aide.dataset.seed_sources import load_seeds_of
    from aide.dataset.statistics import TextCollection, make_distribution_meter, measure_at_equal_size
    from aide.metrics.drift import DriftMeter

    loaded = load_seeds_of(sources, seeds, columns.mapping)
    known = loaded.seeds if loaded else []
    drafts = [each.draft for each in known]
    theirs = list(columns.rename(read_lines(human))) if human else []
    # Where human data are given, it may be them alone that have columns of their own.
    own = columns.as_likely() if human else columns
    drift = DriftMeter.of([draft.input for draft in drafts]) if known else None
    distribution, lines = make_distribution_meter(own.rename(read_lines(sources)), drafts, theirs)
    ours = TextCollection.read(lines, known, drift, distribution)
    if not ours.texts:
        raise InputError("there are no records to measure", hint="name a run folder or a file of JSON lines")
    figures = ours.measure(plan)
    if drift is not None and (likeness := drift.as_dict())["by_hop"]:
        figures["likeness"] = likeness
    if beside := distribution.as_dict():
        figures["distribution"] = beside
    if human:
        figures["against"] = measure_at_equal_size(ours, TextCollection.read(theirs), plan)
        figures["against"]["files"] = [Path(each).name for each in human]
    return figures


def _keep_for_report(sources: Sequence[str], figures: dict[str, Any]) -> None:
    """Write the comparison into the run folder that was measured; for other sources nothing is written."""
    from aide.atomic import write_atomic
    from aide.dataset.seed_sources import find_run_folders

    for folder in find_run_folders(sources):
        try:
            write_atomic(folder.stats, json.dumps(figures, ensure_ascii=False, indent=2) + "\n")
        except AideError as fault:
            make_stderr_console().print(f"not kept: {fault}", markup=False)
        else:
            where = f"kept in {folder.stats}; aide report {folder.path} shows it"
            make_stderr_console().print(where, markup=False)


def _describe(figures: dict[str, Any]) -> Iterator[str]:
    """The figures as lines for a person."""
    columns = {"all": figures}
    if "against" in figures:
        both = figures["against"]
        columns |= {"these": both["these"], "human": both["those"]}
    yield f"{figures['records']:,} records"
    yield from _format_table(columns)
    if "against" in figures:
        yield f"these, human: {both['texts']:,} of each, drawn with seed {both['seed']}"
    if drawn := figures.get("self_bleu_sample"):
        yield f"Self-BLEU of at most {drawn['texts']:,} texts, drawn with seed {drawn['seed']}"
    for kind in ("hop", "operation"):
        if groups := figures.get(f"by_{kind}"):
            size = next(iter(groups.values()))["measured"]
            yield ""
            yield f"by {kind}, {size:,} of each"
            yield from _format_table(dict(groups))
    if likeness := figures.get("likeness"):
        yield ""
        yield f"likeness to the seeds (two seeds to each other: {likeness['between_seeds']:.3f})"
        for hop, here in likeness["by_hop"].items():
            own, nearest = here["to_seed"], here["to_nearest"]
            yield f"  hop {hop}: own seed {own:.3f}, nearest seed {nearest:.3f} ({here['records']:,})"
    if beside := figures.get("distribution"):
        yield from _describe_distribution(beside)
    yield from _describe_balance(figures)


def _describe_distribution(beside: dict[str, Any]) -> Iterator[str]:
    """The distribution beside the seeds and human data, and what follows."""
    from aide.metrics.distribution_table import list_references, list_verdicts, tabulate_distribution

    names = [name for name, _ in list_references(beside)]
    rows = tabulate_distribution(beside)
    width = max(len(row.title) for row in rows) + 2
    yield ""
    yield "distribution".ljust(width + 2) + "".join(f"{name:>15}" for name in ("these", *names))
    for title, these, those in rows:
        yield f"  {make_printable(title):{width}}" + "".join(f"{value:>15}" for value in (these, *those))
    yield from (f"  {make_printable(verdict)}" for verdict in list_verdicts(beside))


def _format_table(columns: dict[str, dict[str, Any]]) -> Iterator[str]:
    from aide.dataset.statistics import tabulate

    width = max(11, *(len(name) + 2 for name in columns))
    yield " " * 20 + "".join(f"{make_printable(name):>{width}}" for name in columns)
    for title, values in tabulate(*columns.values()):
        yield f"  {title:18}" + "".join(
            f"{'-' if value is None else f'{value:g}':>{width}}" for value in values
        )


def _describe_balance(figures: dict[str, Any]) -> Iterator[str]:
    if labels := figures.get("labels"):
        yield ""
        yield f"labels (evenness {figures['label_evenness']:.3f})"
        yield from (f"  {count:>7,}  {make_printable(label, 60)}" for label, count in labels.items())
    for options, places in figures.get("option_positions", {}).items():
        yield ""
        yield f"position of the correct one of {options} options: " + ", ".join(
            f"{at}: {count:,}" for at, count in places.items()
        )
    if personas := figures.get("personas"):
        yield ""
        count, records = personas["different"], personas["records"]
        yield f"{count:,} personas in {records:,} records, at most {personas['most']:,} of one"
