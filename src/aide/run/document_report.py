"""How many records each document has."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from aide.documents import Chunk
from aide.journal import Journal
from aide.records import DOCUMENT


def count_documents(
    journal: Journal, chunks: Sequence[Chunk], out: Collection[str] = ()
) -> dict[str, dict[str, int]]:
    """What `summary.json` holds as `documents`: by file, its chunks and the accepted records but those in `out`.

    Empty for a run without documents.
    """
    found = {
        file: {"chunks": count, "records": 0} for file, count in Counter(each.file for each in chunks).items()
    }
    for outcome in journal.read_outcomes("accepted") if found else ():
        file = name_document(orjson.loads(outcome.payload))
        if outcome.node not in out and file in found:
            found[file]["records"] += 1
    return found


def name_document(line: Mapping[str, Any]) -> str:
    """The file of the document that a record is about; empty where it is about none."""
    source = line["meta"].get(DOCUMENT)
    return str(source.get("file", "")) if isinstance(source, Mapping) else ""
