"""`aide compare`: which of several data sets teaches better?"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aide.cli.arguments import AsJson, InputFields, OutputField, Quiet
from aide.cli.asking import JOURNAL, default_journal_folder
from aide.cli.console import Output, format_json_line, make_printable, make_stderr_console
from aide.cli.missing_parts import watch_sources
from aide.cli.options import with_options
from aide.config.resolve import Settings, resolve_settings
from aide.errors import InputError
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from aide.dataset.columns import NamedColumns
    from aide.dataset.comparison import ComparedData, DataComparison, DataFigures
    from aide.dataset.students import StudentResult
    from aide.dataset.text_vectors import TextVectors

Compared = Annotated[
    list[str],
    typer.Argument(
        metavar="[NAME=]FILE…",
        help="Files of JSON lines or run folders.",
        show_default=False,
        callback=watch_sources,
    ),
]
Gold = Annotated[
    list[str] | None,
    typer.Option(
        "--gold", metavar="FILE", help="Human data that no data set was made from, some 50 rows at least."
    ),
]
Seeds = Annotated[
    list[str] | None,
    typer.Option(
        "--seeds",
        metavar="FILE",
        help="The seeds: what there was to begin with. Those of a run folder are found.",
    ),
]
PerLabel = Annotated[
    str,
    typer.Option("--per-label", metavar="N,…", help="Examples of each label that students are trained on."),
]
Draws = Annotated[
    int,
    typer.Option("--draws", metavar="N", min=1, help="Samples that are drawn and averaged for each figure."),
]


@with_options(
    "embeddings", "base_url", "api_key_env", "api_key_command", "concurrency", "rpm", "tpm", "timeout",
    "endpoint_patience", "max_calls", "max_total_tokens", "max_cost", "price", "reuse",
)  # fmt: skip
def compare(
    compared: Compared,
    gold: Gold = None,
    seeds: Seeds = None,
    input_field: InputFields = None,
    output_field: OutputField = "",
    per_label: PerLabel = "3,9,20",
    draws: Draws = 10,
    quiet: Quiet = False,
    json_: AsJson = False,
    journal: JOURNAL = None,
    *,
    spec_flags: dict[str, Any],
    config: str | None,
) -> None:
    """Hold data sets against human data, or without it against the seeds, and train students on them.

    EMD: how far lengths are from the gold's. Cover: how near the data come to each gold text; like: how near each of
    their texts is to the gold (greatest cosine, mean). Students: accuracy on the gold of simple classifiers that were
    trained on equal numbers a label, with standard errors. Embeddings come from --embeddings, else from MiniLM where
    it is installed.
    """
    from aide.dataset.columns import ask_for_columns, find_columns
    from aide.dataset.comparison import GOLD, compare_data, name_apart, read_data
    from aide.dataset.record_content import UnknownRecordError

    sizes = _read_sizes(per_label)
    if not spec_flags.get("embeddings") and (spec_flags or journal):
        raise InputError("nothing is asked of an endpoint", hint="name the model with --embeddings MODEL")
    folders = [source if Path(source).exists() else source.partition("=")[2] for source in compared]
    columns = find_columns(input_field, output_field, folders)
    try:
        data = name_apart(read_data(each, columns.as_likely()) for each in compared)
        known = _read_seeds(folders, seeds or (), columns)
        held = _join(read_data(each, columns) for each in gold or ()) if gold else None
    except UnknownRecordError as fault:
        raise ask_for_columns(fault) from fault
    reference = replace(held, name=GOLD) if held else known
    if gold and known:
        data = [known, *data]
    texts = [text for each in (*data, *([reference] if reference else [])) for text in each.texts]
    found = _embed(texts if reference else [], spec_flags, config, journal, quiet)
    if found.failures:
        data = [_with_vectors(each, found) for each in data]
        reference = _with_vectors(reference, found) if reference else None
    comparison = compare_data(data, reference, found.vectors, draws=draws)
    comparison.notes += _explain_gaps(found, reference)
    if gold and reference:
        comparison.notes += _name_copies(data, reference)
        _train(comparison, data, reference, found, sizes, draws, quiet)
    output = Output()
    for line in [format_json_line(comparison.as_dict())] if json_ else _lines(comparison):
        output.line(line)


def _read_sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(size) for size in text.split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise InputError(f"--per-label {text!r} is no list of numbers", hint="such as --per-label 3,9,20")
    return sizes


def _read_seeds(
    folders: Sequence[str], given: Sequence[str], columns: "NamedColumns"
) -> "ComparedData | None":
    """The seeds that were named, or those of the first run folder among the data."""
    from aide.dataset.comparison import SEEDS, ComparedData
    from aide.dataset.seed_sources import load_seeds_of

    loaded = load_seeds_of(folders, given, columns.mapping)
    return ComparedData(SEEDS, tuple(seed.draft for seed in loaded.seeds)) if loaded else None


def _join(found: "Iterator[ComparedData]") -> "ComparedData":
    """Several files as one data set."""
    from aide.dataset.comparison import ComparedData

    sets = list(found)
    return ComparedData(sets[0].name, tuple(draft for each in sets for draft in each.drafts))


def _with_vectors(data: "ComparedData", found: "TextVectors") -> "ComparedData":
    """The data without what could not be embedded: all figures are of the same records."""
    return replace(data, drafts=tuple(draft for draft in data.drafts if draft.input in found.vectors))


# --- embeddings ---------------------------------------------------------------------------------


def _embed(
    texts: Sequence[str], flags: dict[str, Any], config: str | None, journal: Path | None, quiet: bool
) -> "TextVectors":
    """The vectors of all texts by whatever model there is; none where there is none."""
    from aide.dataset import minilm
    from aide.dataset.text_vectors import TextVectors, embed_by_minilm

    if texts and flags:
        settings = resolve_settings(
            {"model": flags["embeddings"], **flags}, environ=os.environ, config=config
        )
        return embed_durably(settings, journal, texts, quiet)
    if texts and minilm.is_installed():
        with make_stderr_console(quiet=quiet).status("embedding texts"):
            return embed_by_minilm(minilm.NAME, texts)
    return TextVectors()


def embed_durably(
    settings: Settings, journal: Path | None, texts: Sequence[str], quiet: bool
) -> "TextVectors":
    """The vectors of all texts by the model of an endpoint; none is paid for twice."""
    from aide.dataset.text_vectors import embed_by_endpoint
    from aide.engines.local import LocalModels
    from aide.run.folder import RunFolder
    from aide.run.session import RunRequest, open_session
    from aide.run.single_steps import HELD_HINT

    folder = RunFolder(journal or default_journal_folder(settings, ("compare",)))
    models = LocalModels(settings.spec)
    request = RunRequest(settings.spec, settings.origins, (), folder)

    async def main() -> "TextVectors":
        try:
            async with open_session(request, models, held_hint=HELD_HINT) as session:
                name = settings.spec.embeddings
                found = await embed_by_endpoint(session.embeddings, name, texts, 2 * models.capacity)
                calls = format_plural(session.calls.made, "call")
                make_stderr_console(quiet=quiet).print(f"embeddings by {name}: {calls}", markup=False)
                return found
        finally:
            await models.close()

    return asyncio.run(main())


def _explain_gaps(found: "TextVectors", reference: "ComparedData | None") -> list[str]:
    """What the table lacks for want of embeddings or of anything to hold data against."""
    from aide.dataset.comparison import GOLD
    from aide.dataset.minilm import INSTALL

    notes = [
        f"{format_plural(count, 'text')} without embedding are left out ({why})"
        for why, count in found.failures.items()
    ]
    if reference is None or reference.name != GOLD:
        notes.append("without human data (--gold) nobody can tell which of them teaches better")
    if reference is None:
        notes.append("without --gold or --seeds there is nothing to hold the data against")
    elif not found.model:
        notes.append(f"no embeddings, so only words are compared: give --embeddings MODEL, or {INSTALL}")
    return notes


def _name_copies(data: "Sequence[ComparedData]", gold: "ComparedData") -> list[str]:
    """Data sets that hold rows of the gold, which makes them look better than they are."""
    from aide.dataset.comparison import count_copies

    found = ((each, count_copies(each, gold)) for each in data)
    return [
        f"{count:,} of {len(each.drafts):,} in {each.name} stand in the gold too: take them out of one of them"
        for each, count in found
        if count
    ]


# --- students -----------------------------------------------------------------------------------


def _train(
    comparison: "DataComparison",
    data: "Sequence[ComparedData]",
    gold: "ComparedData",
    found: "TextVectors",
    sizes: Sequence[int],
    draws: int,
    quiet: bool,
) -> None:
    """Add what students learned to the comparison, or why there are none."""
    from aide.dataset import students
    from aide.dataset.comparison import SEEDS, train_students

    if not students.are_labels(gold.drafts):
        comparison.notes.append("outputs are not labels of a fixed set, so no students are trained")
        return
    if not students.is_installed():
        comparison.notes.append(f"no students are trained without scikit-learn: {students.INSTALL}")
        return
    console = make_stderr_console(quiet=quiet)
    training = students.StudentTraining(gold.drafts, found.vectors, sizes, draws)
    with console.status("training students"):
        for result in train_students(data, training):
            if isinstance(result, str):
                comparison.notes.append(result)
            else:
                comparison.results.append(result)
    comparison.differences = students.compare_all(comparison.results, SEEDS)


# --- for a person -------------------------------------------------------------------------------


def _lines(comparison: "DataComparison") -> Iterator[str]:
    names = max(len("tf-idf"), *(len(make_printable(each.name)) for each in comparison.figures)) + 2
    yield from _figures(comparison, names)
    if comparison.results:
        yield from _students(comparison, names)
    if comparison.verdicts:
        yield ""
        yield from (make_printable(verdict) for verdict in comparison.verdicts)
    if comparison.notes:
        yield ""
        yield from (make_printable(note) for note in comparison.notes)


def _figures(comparison: "DataComparison", names: int) -> Iterator[str]:
    """One line a data set."""
    yield f"{'':{names}}{'n':>7}{comparison.unit + ' 5/50/95%':>20}{'EMD':>8}{'cover':>8}{'like':>8}{'self-BLEU':>11}"
    for each in comparison.figures:
        yield f"{make_printable(each.name):{names}}" + _figure_line(each)


def _figure_line(found: "DataFigures") -> str:
    length, covered = found.length, found.coverage
    marks = "/".join(str(int(mark)) for mark in (length.p5, length.p50, length.p95))
    cover, like = (covered.cover.mean, covered.like.mean) if covered else (None, None)
    return (
        f"{found.size:>7,}{marks:>20}{_number(found.emd, 2):>8}{_number(cover, 3):>8}{_number(like, 3):>8}"
        f"{_number(found.self_bleu, 3):>11}"
    )


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _students(comparison: "DataComparison", names: int) -> Iterator[str]:
    """Accuracies with their standard errors, a block for each student and a column for each size."""
    sizes = dict.fromkeys(each.per_label for each in comparison.results)
    yield ""
    yield "accuracy on gold, ± one standard error"
    by_student: dict[str, dict[str, list[StudentResult]]] = {}
    for each in comparison.results:
        by_student.setdefault(each.student, {}).setdefault(each.arm, []).append(each)
    for student, arms in by_student.items():
        yield f"{student:{names}}" + "".join(f"{f'{size} a label':>20}" for size in sizes)
        for arm, results in arms.items():
            yield f"{make_printable(arm):{names}}" + "".join(f"{_accuracy(each):>20}" for each in results)


def _accuracy(found: "StudentResult") -> str:
    """An accuracy; in brackets the examples of the rarest label where they are fewer than asked for."""
    short = "" if found.is_full else f"({found.smallest}) "
    return f"{short}{found.accuracy:.3f} ± {found.error:.3f}"
