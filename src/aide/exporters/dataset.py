"""A data set folder for the Hugging Face hub: Parquet files by split, and a card that says what they are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aide.atomic import write_atomic
from aide.dataset.lines import RecordLine, make_folder, read_lines
from aide.errors import InputError
from aide.exporters.base import ExportJob, ExportResult
from aide.exporters.dataset_card import CARD, MARK, CardCounts, render_card
from aide.exporters.tables import add_messages, write_parquet

SPLITS: Final = ("train", "validation", "test")


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
        counts, files = CardCounts(), list[str]()
        for split, rows in read_splits(lines, job.sources):
            table = f"data/{split}-00000-of-00001.parquet"
            rows = counts.count_lines(rows)
            counts.splits[split] = write_parquet(str(folder / table), add_messages(rows, job))
            files.append(table)
        write_atomic(card, render_card(job, counts))
        return ExportResult(sum(counts.splits.values()), files=(CARD, *files))


def read_splits(
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
