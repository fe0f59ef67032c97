"""`aide stats`: how diverse records are, how balanced, and how similar to their seeds."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from aide.cli.arguments import AsJson, Sources
from aide.cli.console import Output, format_json_line, make_printable, make_stderr_console
from aide.errors import AideError, InputError


def stats(
    sources: Sources = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="FILE",
            help="Human data to compare with, at equal size; for a run folder it is kept for the report.",
        ),
    ] = None,
    seeds: Annotated[
        list[str] | None,
        typer.Option("--seeds", metavar="FILE", help="The seeds; those of a run folder are found."),
    ] = None,
    sample: Annotated[
        int, typer.Option("--sample", metavar="N", min=2, help="Texts that Self-BLEU is computed on.")
    ] = 500,
    seed: Annotated[
        int, typer.Option("--seed", metavar="INT", help="Another number draws another sample.")
    ] = 0,
    json_: AsJson = False,
) -> None:
    """Measure records: diversity, repetition, lengths, balance, and likeness to the seeds by hop.

    The varying part of the input is measured. distinct-n: different n-grams as a share of all (Li et al.
    2016). Self-BLEU: mean BLEU-4 of each text against all others (Zhu et al. 2018). Compression ratio: bytes
    over gzipped bytes (Shaib et al. 2024). Near-duplicates: the share that aide dedup drops. Likeness to the
    seeds: words in common (Jaccard). Tokens are words and punctuation marks. Groups are measured at the size
    of the smallest one. A comparison of one run folder with human data is kept in its stats.json and shown by
    aide report.
    """
    from aide.dataset.lines import read_lines
    from aide.dataset.seed_sources import load_seeds_of
    from aide.dataset.statistics import SamplePlan, TextCollection, measure_at_equal_size
    from aide.metrics.drift import DriftMeter

    loaded = load_seeds_of(sources or (), seeds or ())
    known = loaded.seeds if loaded else []
    plan, drift = (
        SamplePlan(sample, seed),
        DriftMeter.of([each.draft.input for each in known]) if known else None,
    )
    ours = TextCollection.read(read_lines(sources or ()), known, drift)
    if not ours.texts:
        raise InputError("there are no records to measure", hint="name a run folder or a file of JSON lines")
    figures = ours.measure(plan)
    if drift is not None and (likeness := drift.as_dict())["by_hop"]:
        figures["likeness"] = likeness
    if against:
        figures["against"] = measure_at_equal_size(ours, TextCollection.read(read_lines(against)), plan)
        figures["against"]["files"] = [Path(each).name for each in against]
    output = Output()
    for line in [format_json_line(figures)] if json_ else _describe(figures):
        output.line(line)
    # Figures of several folders together belong into the report of none.
    if against and len(sources or ()) == 1:
        _keep_for_report(sources or (), figures)


def _keep_for_report(sources: Sequence[str], figures: dict[str, Any]) -> None:
    """Write the comparison into the run folder that was measured; for other sources nothing is written."""
    from aide.dataset.seed_sources import find_run_folders
    from aide.shards import write_atomic

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
    yield from _describe_balance(figures)


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
