"""Rows of text to SQL, in the usual shapes: the schema stays, the question varies, the query answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from aide.dataset.lines import RecordLine
from aide.dataset.seed_sources import NamedSeeds
from aide.exporters.seedshape import SeedShape
from aide.formats import FORMATS, detect_format
from aide.records import Lineage, Record
from aide.seeds import LoadedSeeds, SeedMapping, load_seeds

BOATS = "CREATE TABLE boat (name VARCHAR, length INTEGER)"
ASKED = ("How many boats are there?", "Which boat is the longest?")
QUERIES = ("SELECT COUNT(*) FROM boat", "SELECT name FROM boat ORDER BY length DESC LIMIT 1")


def load(folder: Path, rows: list[dict[str, Any]]) -> LoadedSeeds:
    path = folder / "seeds.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return load_seeds([str(path)])


def make_rows(*columns: str, **more: Any) -> list[dict[str, Any]]:
    """Two rows with question, schema and query in these columns."""
    return [
        {columns[0]: asked, columns[1]: BOATS, columns[2]: query, **more}
        for asked, query in zip(ASKED, QUERIES, strict=True)
    ]


@pytest.mark.parametrize(
    "columns",
    [
        ("question", "context", "answer"),
        ("question", "schema", "query"),
        ("sql_prompt", "sql_context", "sql"),
        ("instruction", "input", "output"),
        ("question", "create_table", "SQL"),
    ],
)
def test_the_schema_is_a_fixed_part_and_comes_out_in_its_own_column(
    tmp_path: Path, columns: tuple[str, ...]
) -> None:
    rows = make_rows(*columns)
    loaded = load(tmp_path, rows)
    assert [seed.draft.input for seed in loaded.seeds] == list(ASKED)
    assert [seed.draft.output for seed in loaded.seeds] == list(QUERIES)
    assert {text for seed in loaded.seeds for _, text in seed.parts.fixed} == {BOATS}
    drafts = [seed.draft for seed in loaded.seeds]
    format = detect_format(drafts)
    assert (format.name, format.start_card(drafts).code) == ("code", "sql")
    shape = SeedShape.learn(NamedSeeds((str(tmp_path / "seeds.jsonl"),), SeedMapping()))
    lineage = Lineage("s", "s", 1, "plain", None, None, False)
    for seed, row in zip(loaded.seeds, rows, strict=True):
        line = Record(seed.id, "t", "code", seed.draft, seed.parts, lineage).as_dict()
        assert shape.make_row(RecordLine(line, b"")) == row


def test_a_database_is_kept_with_its_questions(tmp_path: Path) -> None:
    rows = make_rows(
        "question", "schema", "query", db_id="harbour", query_toks=["SELECT"], sql={"select": []}
    )
    loaded = load(tmp_path, rows)
    assert dict(loaded.seeds[0].parts.fixed) == {"db_id": "harbour", "schema": BOATS}
    alone = [
        {"question": asked, "query": query, "db_id": "harbour"}
        for asked, query in zip(ASKED, QUERIES, strict=True)
    ]
    assert dict(load(tmp_path, alone).seeds[1].parts.fixed) == {"db_id": "harbour"}


@pytest.mark.parametrize(
    "frame",
    [
        "{schema}\n\n{asked}",
        "{asked}\n{schema};\n",
        "### Schema\n{schema}; {schema}\n### Question\n{asked}\n### SQL",
    ],
)
def test_a_schema_within_the_input_is_told_from_the_question(tmp_path: Path, frame: str) -> None:
    texts = [frame.format(schema=BOATS, asked=asked) for asked in ASKED]
    rows = [{"text": text, "sql": query} for text, query in zip(texts, QUERIES, strict=True)]
    for seed, asked, text in zip(load(tmp_path, rows).seeds, ASKED, texts, strict=True):
        assert asked in seed.draft.input
        assert "CREATE" not in seed.draft.input
        assert seed.parts.whole(seed.draft.input) == text.strip()
        assert dict(seed.parts.fixed)["schema"].startswith(BOATS)


@pytest.mark.parametrize(
    "row",
    [
        {"question": "Where is it?", "query": "lost boat", "answer": "In the harbour."},  # a search, no SQL
        {"instruction": "Name it.", "input": "a boat", "output": "SELECT is a good name."},
    ],
)
def test_a_query_that_is_none_is_not_taken_for_sql(tmp_path: Path, row: dict[str, Any]) -> None:
    (seed,) = load(tmp_path, [row]).seeds
    assert seed.draft.output in (row.get("answer"), row.get("output"))
    assert not seed.parts.fixed


def test_a_query_in_a_fence_is_one_and_comes_out_in_a_fence(tmp_path: Path) -> None:
    rows = [
        {"question": asked, "context": BOATS, "answer": f"```sql\n{query}\n```"}
        for asked, query in zip(ASKED, QUERIES, strict=True)
    ]
    (seed, _) = load(tmp_path, rows).seeds
    assert dict(seed.parts.fixed) == {"context": BOATS}
    draft = FORMATS["code"].normalise(seed.draft)
    assert draft.output == QUERIES[0]
    shape = SeedShape.learn(NamedSeeds((str(tmp_path / "seeds.jsonl"),), SeedMapping()))
    lineage = Lineage("s", "s", 1, "plain", None, None, False)
    line = Record(seed.id, "t", "code", draft, seed.parts, lineage).as_dict()
    assert shape.make_row(RecordLine(line, b"")) == rows[0]
