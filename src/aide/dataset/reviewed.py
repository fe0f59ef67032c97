"""Records that a person marked good or bad: in a file of records, or by the reviews of a run folder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from aide.dataset.lines import RecordLine, read_lines
from aide.dataset.reviews import FILE, Reviews
from aide.errors import InputError
from aide.journal import Journal
from aide.jsonl import encode_line
from aide.run.folder import RunFolder


def find_reviewed_run(source: str) -> RunFolder | None:
    """The run folder whose reviews are meant: named itself, or by its `reviews.jsonl`; `None` for another file."""
    path = Path(source)
    folder = RunFolder(path.parent if path.name == FILE else path)
    return folder if folder.journal.exists() else None


def read_reviewed_records(sources: Sequence[str]) -> Iterator[RecordLine]:
    """The records of files as they stand; of a run folder those that were reviewed, with their `verdict`.

    A rejected record has the text that the run gave it, an accepted one the text that the person left. Records
    that were pruned since are there too.

    Raises:
        InputError: a file can't be read, or a run folder has no review of a record of its own.
    """
    for source in sources:
        folder = find_reviewed_run(source)
        if folder is None:
            yield from read_lines([source])
        else:
            yield from _reviewed(folder)


def _reviewed(folder: RunFolder) -> Iterator[RecordLine]:
    reviews = Reviews.read(folder.path)
    found = 0
    with Journal.open(folder.journal, readonly=True) as journal:
        for id, review in reviews.decided.items():
            outcome = journal.outcome(id)
            if outcome is None or outcome.kind not in ("accepted", "surplus"):
                continue
            found += 1
            record = orjson.loads(outcome.payload)
            told = {**(reviews.apply(record) or record), "verdict": review["verdict"]}
            yield RecordLine(told, encode_line(told).rstrip(b"\n"), f"{reviews.path}, {id}")
    if not found:
        raise InputError(
            f"{reviews.path} reviews no record of the run"
            if reviews.decided
            else f"there is no review in {reviews.path}",
            hint='one a line, such as {"id": "…", "verdict": "reject"}',
        )


__all__ = ["find_reviewed_run", "read_reviewed_records"]
