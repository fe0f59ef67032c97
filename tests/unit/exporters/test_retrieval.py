"""Queries with their passages, as trainers of embedding models read them."""

import json
from pathlib import Path
from typing import Any

import pytest

from aide.dataset.lines import RecordLine, read_lines
from aide.errors import InputError
from aide.exporters import EXPORTERS, ExampleRenderer, ExportJob
from aide.exporters.retrieval import NO_NEGATIVES


def make(id: str, query: str, passage: str, *negatives: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "input": query,
        "output": passage,
        **({"negatives": negatives} if negatives else {}),
        **more,
    }


SALT = make(
    "q1", "where does the salt go?", "Salt goes below.", "Rinse aid goes into the door.", "Filter below."
)
DOOR = make("q2", "door stuck", "The door\topens by hand.\nPull.", "Salt goes below.")
OVEN = make("q3", "oven hot", "Let it cool.")


def lines(*records: dict[str, Any]) -> list[RecordLine]:
    return [
        RecordLine(json.loads(json.dumps(each)), b"", "in.jsonl", at) for at, each in enumerate(records, 1)
    ]


def export(to: str, dest: Path, *records: dict[str, Any]) -> Any:
    return EXPORTERS[to].write(lines(*records), ExportJob(str(dest), ExampleRenderer()))


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(each) for each in path.read_text(encoding="utf-8").splitlines()]


def test_all_rows_have_the_same_columns_and_none_is_empty(tmp_path: Path) -> None:
    result = export("sentence-transformers", tmp_path / "out.jsonl", SALT, DOOR, SALT, OVEN)
    rows = read(tmp_path / "out.jsonl")
    assert [list(row) for row in rows] == [["anchor", "positive", "negative_1", "negative_2"]] * 3
    assert rows[0]["negative_2"] == "Filter below."
    assert rows[1]["negative_1"] == rows[1]["negative_2"] == "Salt goes below."
    assert (result.count, result.skipped) == (3, {NO_NEGATIVES: 1})


def test_without_negatives_rows_are_pairs(tmp_path: Path) -> None:
    assert export("sentence-transformers", tmp_path / "out.jsonl", OVEN).count == 1
    assert read(tmp_path / "out.jsonl") == [{"anchor": "oven hot", "positive": "Let it cool."}]


def test_beir_names_each_passage_once_and_says_which_query_it_answers(tmp_path: Path) -> None:
    assert export("beir", tmp_path / "set", SALT, DOOR).count == 2
    corpus = {row["_id"]: row["text"] for row in read(tmp_path / "set" / "corpus.jsonl")}
    assert sorted(corpus.values()) == sorted({SALT["output"], DOOR["output"], *SALT["negatives"]})
    queries = {row["_id"]: row["text"] for row in read(tmp_path / "set" / "queries.jsonl")}
    assert queries == {"q1": SALT["input"], "q2": DOOR["input"]}
    first, *judged = (tmp_path / "set" / "qrels" / "train.tsv").read_text(encoding="utf-8").splitlines()
    assert first == "query-id\tcorpus-id\tscore"
    found = {query: (corpus[passage], score) for query, passage, score in (row.split("\t") for row in judged)}
    assert found == {"q1": (SALT["output"], "1"), "q2": (DOOR["output"], "1")}


def test_the_parts_of_a_split_are_those_of_beir(tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.mkdir()
    for name, record in (("train", SALT), ("validation", DOOR), ("test", OVEN)):
        (cut / f"{name}.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    job = ExportJob(str(tmp_path / "set"), ExampleRenderer(), (str(cut),))
    assert EXPORTERS["beir"].write(read_lines([str(cut)]), job).count == 3
    parts = {path.name: path.read_text().count("\n") for path in (tmp_path / "set" / "qrels").iterdir()}
    assert parts == {"train.tsv": 2, "dev.tsv": 2, "test.tsv": 2}


def test_what_is_no_query_with_a_passage_is_refused(tmp_path: Path) -> None:
    quiz = make("q4", "Which?", "bee", choices=["ant", "bee"])
    with pytest.raises(InputError, match=r"in.jsonl:1 is no query with its passage"):
        export("sentence-transformers", tmp_path / "out.jsonl", quiz)
