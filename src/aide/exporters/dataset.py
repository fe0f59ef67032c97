"""A data set folder for the Hugging Face hub: Parquet files by split, and a card that says what they are."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aide.atomic import write_atomic
from aide.config.spec import rename_settings
from aide.dataset.lines import RecordLine, make_folder, read_lines
from aide.dataset.record_content import is_labelled
from aide.dataset.seed_sources import find_run_folders
from aide.errors import InputError
from aide.exporters.base import ExportJob, ExportResult
from aide.exporters.tables import add_messages, write_parquet
from aide.records import read_output

CARD: Final = "README.md"

MARK: Final = "<!-- written by aide export -->"
"""Stands in our own cards, so that one written by a person is never replaced."""

SPLITS: Final = ("train", "validation", "test")
_SETTINGS: Final = (
    "hops", "target", "per_seed", "attributes", "operations", "personas", "min_relevance", "min_diversity",
    "random_seed",
)  # fmt: skip


@dataclass(slots=True)
class CardCounts:
    """Records as the card counts them."""

    splits: dict[str, int] = field(default_factory=dict)
    fields: dict[str, Counter[str]] = field(default_factory=dict)
    """Records by the values of some fields."""

    def count_lines(self, lines: Iterable[RecordLine]) -> Iterator[RecordLine]:
        """The same lines, counted as they pass."""
        for line in lines:
            record = line.record
            lineage = record.get("lineage") or {}
            self._count("hop", lineage.get("hop"))
            self._count("operation", lineage.get("operation"))
            self._count("format", record.get("format"))
            self._count("model", record.get("model"))
            if is_labelled(record):
                self._count("label", read_output(record))
            yield line

    def _count(self, name: str, value: Any) -> None:
        if value not in (None, ""):
            self.fields.setdefault(name, Counter())[str(value)] += 1


@dataclass(frozen=True, slots=True)
class DatasetFolderExporter:
    """A folder that `datasets.load_dataset` reads, locally or from the hub."""

    streams: bool = False

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write the splits and the card; a card that somebody else wrote is not replaced."""
        folder = Path(job.dest)
        card = folder / CARD
        if card.exists() and MARK not in card.read_text(encoding="utf-8", errors="replace"):
            raise InputError(f"{card} was not written by aide export", hint="name another folder with -o")
        make_folder(folder / "data")
        counts = CardCounts()
        for split, rows in _read_splits(lines, job.sources):
            path = folder / "data" / f"{split}-00000-of-00001.parquet"
            counts.splits[split] = write_parquet(str(path), add_messages(counts.count_lines(rows), job))
        write_atomic(card, render_card(job, counts))
        return ExportResult(sum(counts.splits.values()))


def _read_splits(
    lines: Iterable[RecordLine], sources: Sequence[str]
) -> Iterator[tuple[str, Iterable[RecordLine]]]:
    """The splits of a folder that `aide split` wrote; of any other source one split, `train`."""
    folder = Path(sources[0]) if len(sources) == 1 and sources[0] != "-" else None
    # A run folder may hold a train.jsonl of the person's own.
    if folder is None or not (folder / "train.jsonl").is_file() or (folder / "run.json").exists():
        yield "train", lines
        return
    for split in SPLITS:
        file = folder / f"{split}.jsonl"
        if file.is_file() and file.stat().st_size:
            yield split, read_lines((str(file),))


def render_card(job: ExportJob, counts: CardCounts) -> str:
    """The card in Markdown, with the front matter that the hub reads."""
    import jinja2

    templates = jinja2.Environment(  # Markdown, not HTML: `inline` keeps foreign text from being markup
        loader=jinja2.PackageLoader("aide.exporters"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(commas=lambda number: f"{number:,}", inline=_escape_inline)
    return templates.get_template("dataset_card.md").render(
        mark=MARK,
        name=job.name,
        license=job.license,
        task=job.rendering.card.task if job.rendering.card else "",
        splits=counts.splits,
        total=sum(counts.splits.values()),
        counts=counts.fields,
        runs=list(_describe_runs(job.sources)),
        models=", ".join(f"`{_escape_inline(model)}`" for model in sorted(counts.fields.get("model", ()))),
    )


def _describe_runs(sources: Sequence[str]) -> Iterator[dict[str, str]]:
    for folder in find_run_folders(sources):
        manifest = folder.read_manifest()
        spec = rename_settings(manifest.get("spec", {}))
        given = {name: spec[name] for name in _SETTINGS if spec.get(name) not in (None, "", [])}
        seeds = ", ".join(f"`{Path(str(each['path'])).name}`" for each in manifest.get("seeds", ()))
        yield {
            "version": manifest.get("aide", "?"),
            "seeds": seeds or "unknown",
            "settings": ", ".join(
                f"{name} {', '.join(map(str, value)) if isinstance(value, list) else value}"
                for name, value in given.items()
            ),
        }


def _escape_inline(text: str) -> str:
    """Text on one line of Markdown, unable to become markup or a table cell."""
    plain = " ".join(text.split())
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in plain)
