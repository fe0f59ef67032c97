"""A data set folder as the Hugging Face hub has it: Parquet by split, and a card that says what this is."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aide.dataset.lines import RecordLine, make_folder, read_lines
from aide.dataset.record_content import is_labelled
from aide.dataset.seed_sources import find_run_folders
from aide.errors import InputError
from aide.exporters.base import ExportJob, ExportResult
from aide.exporters.tables import add_messages, write_parquet
from aide.shards import write_atomic

CARD: Final = "README.md"
MARK: Final = "<!-- written by aide export -->"
SPLITS: Final = ("train", "validation", "test")
_SHOWN: Final = (
    "hops",
    "target",
    "per_seed",
    "attributes",
    "operations",
    "personas",
    "min_relevance",
    "min_diversity",
    "seed",
)


@dataclass(slots=True)
class CardCounts:
    """What the card counts."""

    splits: dict[str, int] = field(default_factory=dict)
    by: dict[str, Counter[str]] = field(default_factory=dict)

    def watched(self, rows: Iterable[RecordLine]) -> Iterator[RecordLine]:
        """The rows, counted as they pass."""
        for line in rows:
            record = line.record
            lineage = record.get("lineage") or {}
            self._count("hop", lineage.get("hop"))
            self._count("operation", lineage.get("operation"))
            self._count("format", record.get("format"))
            self._count("model", record.get("model"))
            if is_labelled(record):
                self._count("label", record.get("output"))
            yield line

    def _count(self, name: str, value: Any) -> None:
        if value not in (None, ""):
            self.by.setdefault(name, Counter())[str(value)] += 1


@dataclass(frozen=True, slots=True)
class DatasetFolderExporter:
    """A folder that `datasets.load_dataset` takes, locally or from the hub."""

    streams: bool = False

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write the splits and the card; a card that somebody else wrote is not replaced."""
        folder = Path(job.dest)
        card = folder / CARD
        if card.exists() and MARK not in card.read_text(encoding="utf-8", errors="replace"):
            raise InputError(f"{card} was not written by aide export", hint="name another folder with -o")
        make_folder(folder / "data")
        counts = CardCounts()
        for split, rows in _splits(lines, job.sources):
            path = folder / "data" / f"{split}-00000-of-00001.parquet"
            counts.splits[split] = write_parquet(str(path), add_messages(counts.watched(rows), job))
        write_atomic(card, "\n".join(_card(job, counts)) + "\n")
        return ExportResult(sum(counts.splits.values()))


def _splits(
    given: Iterable[RecordLine], sources: Sequence[str]
) -> Iterator[tuple[str, Iterable[RecordLine]]]:
    """The splits in a folder that `aide split` wrote; of anything else, one named `train`."""
    folder = Path(sources[0]) if len(sources) == 1 and sources[0] != "-" else None
    if folder is None or not (folder / "train.jsonl").is_file() or (folder / "run.json").exists():
        yield "train", given
        return
    for split in SPLITS:
        file = folder / f"{split}.jsonl"
        if file.is_file() and file.stat().st_size:
            yield split, read_lines((str(file),))


def _card(job: ExportJob, counts: CardCounts) -> Iterator[str]:
    total = sum(counts.splits.values())
    yield from ("---", *([f"license: {job.license}"] if job.license else []))
    yield from ("tags:", "- synthetic", "- aide", "configs:", "- config_name: default", "  data_files:")
    for split in counts.splits:
        yield from (f"  - split: {split}", f"    path: data/{split}-*.parquet")
    yield from ("---", "", MARK, "", f"# {job.name}", "")
    yield f"{total:,} synthetic records, grown from seed examples by aide (AIDE, arXiv 2412.06136)."
    card = job.rendering.card
    if card and card.task:
        yield from ("", f"Task: {_inline(card.task)}")
    yield from ("", "## What was run", "", *_runs(job.sources))
    yield from ("", "## Counts", "", "| | records |", "|---|---|")
    yield from (f"| split {split} | {count:,} |" for split, count in counts.splits.items())
    for name, values in counts.by.items():
        yield from (f"| {name} {_inline(value)} | {count:,} |" for value, count in sorted(values.items()))
    yield from (
        "",
        "## Columns",
        "",
        "`messages` holds the example as chat turns. The other columns are those of",
    )
    yield "the records: `input`, `output` and, where there are any, `choices`; `lineage` says which seed,"
    yield "parent, operation and triple or persona a record came from; `scores` are the grades by a model."
    yield from ("", "## Licence", "", *_licence(job, counts))


def _runs(sources: Sequence[str]) -> Iterator[str]:
    folders = find_run_folders(sources)
    if not folders:
        yield "The records came from files; the run folder that they were made in was not named."
    for folder in folders:
        manifest = folder.read_manifest()
        seeds = ", ".join(f"`{Path(str(each['path'])).name}`" for each in manifest.get("seeds", ()))
        spec = manifest.get("spec", {})
        told = [f"{name} {_told(spec[name])}" for name in _SHOWN if spec.get(name) not in (None, "", [])]
        yield f"- aide {manifest.get('aide', '?')}; seeds: {seeds or 'unknown'}; {', '.join(told)}"


def _licence(job: ExportJob, counts: CardCounts) -> Iterator[str]:
    models = ", ".join(f"`{_inline(model)}`" for model in sorted(counts.by.get("model", ())))
    if job.license:
        yield f"Stated by whoever exported this: {job.license}."
    else:
        yield "None was stated. Whoever publishes this has to choose one that the following allow."
    yield "The records are derived from the seeds, whose licence holds for them, and were written by"
    yield f"{models or 'a model'}, whose terms of use may restrict what its output is used for."


def _told(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _inline(text: str) -> str:
    """Text on one line of Markdown, unable to make markup or a table cell of its own."""
    plain = " ".join(text.split())
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in plain)


__all__ = ["DatasetFolderExporter"]
