"""Queries with their passages, for trainers of embedding models (sentence-transformers) and for BEIR.

The input of a record is the query, its output the passage that answers it, its `negatives` passages that look as if
they did.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aide.dataset.lines import RecordLine, make_folder, open_output, write_lines
from aide.dataset.record_content import name_record, read_draft
from aide.errors import InputError
from aide.exporters.base import ExportJob, ExportResult
from aide.exporters.dataset import read_splits
from aide.records import Draft, digest

NO_NEGATIVES: Final = "it has no negatives, as the others do"
_QRELS: Final = b"query-id\tcorpus-id\tscore\n"
_SPLITS: Final = {"train": "train", "validation": "dev", "test": "test"}


@dataclass(frozen=True, slots=True)
class TriplesExporter:
    """`anchor`, `positive`, `negative_1` and so on, one record a line: columns as the losses of sentence-transformers
    read them.

    All rows have as many negatives as most records; one with fewer repeats its own, for a row with an empty column
    would train on an empty text.
    """

    streams: bool = True

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write the rows."""
        drafts = [_read(line) for line in lines]
        counts = Counter(len(draft.negatives) for draft in drafts if draft.negatives)
        width = max(counts, key=lambda count: (counts[count], count), default=0)
        result = ExportResult()
        result.count = write_lines(job.dest, _make_triples(drafts, width, result))
        return result


def _make_triples(drafts: Iterable[Draft], width: int, result: ExportResult) -> Iterator[dict[str, Any]]:
    for draft in drafts:
        if width and not draft.negatives:
            result.skipped[NO_NEGATIVES] += 1
            continue
        negatives = (draft.negatives[at % len(draft.negatives)] for at in range(width))
        numbered = {f"negative_{at}": text for at, text in enumerate(negatives, start=1)}
        yield {"anchor": draft.input, "positive": draft.output, **numbered}


@dataclass(frozen=True, slots=True)
class BeirExporter:
    """A folder as BEIR has it: `corpus.jsonl`, `queries.jsonl`, `qrels/train.tsv`; of a folder that `aide split` wrote
    `dev.tsv` and `test.tsv` as well.

    The corpus is every passage that a record has as its answer or as a negative; a passage's id is the hash of its
    text, so that folders of several runs can be put together.
    """

    streams: bool = False

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write passages, queries, and which passage answers which query."""
        folder = Path(job.dest)
        make_folder(folder / "qrels")
        passages: dict[str, str] = {}
        queries: dict[str, str] = {}
        files = ["corpus.jsonl", "queries.jsonl"]
        for split, rows in read_splits(lines, job.sources):
            files.append(f"qrels/{_SPLITS[split]}.tsv")
            with open_output(str(folder / files[-1])) as out:
                out.write(_QRELS)
                for line in rows:
                    draft, query = _read(line), name_record(line)
                    for text in (draft.output, *draft.negatives):
                        passages.setdefault(_name_passage(text), text)
                    queries[query] = draft.input
                    out.write(f"{query}\t{_name_passage(draft.output)}\t1\n".encode())
        corpus = ({"_id": id, "title": "", "text": text} for id, text in passages.items())
        write_lines(str(folder / "corpus.jsonl"), corpus)
        asked = ({"_id": id, "text": text} for id, text in queries.items())
        return ExportResult(write_lines(str(folder / "queries.jsonl"), asked), files=tuple(files))


def _name_passage(text: str) -> str:
    return digest("passage", text)


def _read(line: RecordLine) -> Draft:
    draft = read_draft(line)
    if draft.turns or draft.choices:
        raise InputError(
            f"{line.where} is no query with its passage",
            hint="these exports take the records of --recipe retrieval",
        )
    return draft
