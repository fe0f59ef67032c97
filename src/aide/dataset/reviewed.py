"""Records that a person judged good or bad: in a file of records, or by the reviews of a run folder.

The records of a run folder are read from its journal, which is a layer below: the shards no longer hold those
that the person rejected, or those that were pruned since.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from aide.dataset.lines import RecordLine, make_line, read_lines
from aide.dataset.reviews import FILE, Reviews
from aide.errors import InputError
from aide.journal import Journal
from aide.run.folder import RunFolder
from aide.run.pruning import read_pruned


def find_reviewed_run(source: str) -> RunFolder | None:
    """The run folder that is meant by its own path or by that of its `reviews.jsonl`; `None` for another file."""
    path = Path(source)
    folder = RunFolder(path.parent if path.name == FILE else path)
    return folder if folder.journal.exists() else None


def read_reviewed_records(sources: Sequence[str]) -> Iterator[RecordLine]:
    """The records of files unchanged; of a run folder the reviewed ones, with their `verdict`.

    A rejected record has the text that the run gave it, an accepted one the text that the person left.

    Raises:
        InputError: a file can't be read, or a run folder has no review of a record of its own.
    """
    for source in sources:
        folder = find_reviewed_run(source)
        if folder is None:
            yield from read_lines([source])
        else:
            yield from _read_run(folder)


def summarize_reviews(folder: RunFolder, accepted: int) -> dict[str, int]:
    """How many decisions stand in a run folder, by kind, and how many records the commands that read it get.

    `accepted` are the records in its shards. Empty where nobody has reviewed anything.

    Raises:
        InputError: the reviews or the journal can't be read.
    """
    reviews = Reviews.read(folder.path)
    if not reviews.decided:
        return {}
    counts, refused, standing = reviews.count(), reviews.list_refused(), 0
    if refused and folder.journal.exists():
        with Journal.open(folder.journal, readonly=True) as journal:
            pruned = read_pruned(journal)
            outcomes = [journal.get_outcome(id) for id in refused if id not in pruned]
            standing = sum(outcome is not None and outcome.kind == "accepted" for outcome in outcomes)
    return {**asdict(counts), "records": accepted - standing + counts.added}


def _read_run(folder: RunFolder) -> Iterator[RecordLine]:
    reviews = Reviews.read(folder.path)
    found = 0
    with Journal.open(folder.journal, readonly=True) as journal:
        for id, review in reviews.decided.items():
            outcome = journal.get_outcome(id)
            if outcome is None:
                continue
            record = review.get("record")  # of a reject that was accepted anyway
            if outcome.kind in ("accepted", "surplus"):
                record = orjson.loads(outcome.payload)
            elif record is None:  # the person agrees with the judge: there is no answer to show it again
                continue
            found += 1
            reviewed = {**(reviews.apply(record) or record), "verdict": review["verdict"]}
            yield make_line(reviewed, f"{reviews.path}, {id}")
    if not found:
        raise InputError(
            f"{reviews.path} reviews no record of the run"
            if reviews.decided
            else f"there is no review in {reviews.path}",
            hint='each line is one, such as {"id": "…", "verdict": "reject"}',
        )
