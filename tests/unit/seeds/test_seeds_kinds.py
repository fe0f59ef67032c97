"""Files and shapes of every day: archives, workbooks, what pandas writes, and columns under their usual names."""

import bz2
import io
import json
import lzma
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from aide.dataset.lines import RecordLine
from aide.dataset.seed_sources import NamedSeeds
from aide.errors import InputError
from aide.exporters import EXPORTERS, ExampleRenderer, ExportJob
from aide.seeds import LoadedSeeds, SeedMapping, load_seeds

ROWS = [
    {"question": "Is tar black?", "answer": "Yes, as a rule."},
    {"question": "Is chalk?", "answer": "No."},
]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
TABLE = b'question,answer\nIs tar black?,"Yes, as a rule."\nIs chalk?,No.\n'
FOUND = [(row["question"], row["answer"]) for row in ROWS]


def load(folder: Path, name: str, data: bytes, **mapping: Any) -> LoadedSeeds:
    (folder / name).write_bytes(data)
    return load_seeds([str(folder / name)], SeedMapping(**mapping))


def pairs(loaded: LoadedSeeds) -> list[tuple[str, str]]:
    return [(seed.draft.input, seed.draft.output) for seed in loaded.seeds]


def pack(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def build_workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# --- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl.bz2", bz2.compress(LINES)),
        ("a.csv.xz", lzma.compress(TABLE)),
        ("a.zip", pack({"a.jsonl": LINES})),
        ("a.zip", pack({"data/a.csv": TABLE, "README.md": b"nothing", "__MACOSX/a.csv": b"x"})),
        ("a.zip", pack({"train.jsonl": LINES, "test.jsonl": b'{"question": "x", "answer": "y"}'})),
        ("a.zip", pack({"a.jsonl.xz": lzma.compress(LINES)})),
        ("whatever", pack({"a.jsonl": LINES})),
    ],
)
def test_compressed_files_and_archives(tmp_path: Path, name: str, data: bytes) -> None:
    loaded = load(tmp_path, name, data)
    assert (pairs(loaded), loaded.task) == (FOUND, name.partition(".")[0])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"%PDF-1.7\n%", "is a PDF"),
        (pickle.dumps(ROWS), "is a pickle"),
        (b"\x89PNG\r\n", "is an image"),
        (b"SQLite format 3\x00", "is an SQLite database"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old Excel or Word file"),
        (b"<!DOCTYPE html><html></html>", "is a web page"),
        (pack({"word/document.xml": b"<x/>"}), "is a Word document"),
        (pack({"notes.txt": b"hm"}), "holds no data"),
        (b"PK\x03\x04 broken", "is a broken zip archive"),
        (bz2.compress(LINES)[:20], "can't be read to its end"),
    ],
)
def test_what_is_not_read_is_named_as_what_it_is(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load(tmp_path, "a.jsonl", data)


def test_a_workbook_comes_in_and_goes_out(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Question", "Answer", None],
        ["Is tar black?", "Yes, as a rule."],
        [None, None],
        ["How many?", 12.0],
    ]
    loaded = load(tmp_path, "a.xlsx", build_workbook(("Data", rows), ("Empty", [])))
    assert pairs(loaded) == [("Is tar black?", "Yes, as a rule."), ("How many?", "12")]
    assert loaded.notes == [f"{tmp_path}/a.xlsx: its first row is a header: Question, Answer"]
    records = [RecordLine({"id": "1", "input": "Who?", "output": "Me."}, b"")]
    more = tmp_path / "more.xlsx"
    named = NamedSeeds((str(tmp_path / "a.xlsx"),), SeedMapping())
    EXPORTERS["seeds"].write(records, ExportJob(str(more), ExampleRenderer(), seeds=named))
    assert pairs(load_seeds([str(more)])) == [("Who?", "Me.")]


def test_of_several_sheets_one_is_named(tmp_path: Path) -> None:
    book = build_workbook(
        ("One", [["input", "output"], ["a b", "c"]]), ("Two", [["input", "output"], ["d e", "f"]])
    )
    with pytest.raises(InputError, match="several sheets: One, Two") as fault:
        load(tmp_path, "a.xlsx", book)
    assert "--sheet" in (fault.value.hint or "")
    assert pairs(load(tmp_path, "a.xlsx", book, sheet="Two")) == [("d e", "f")]
    with pytest.raises(InputError, match="no sheet 'Three'"):
        load(tmp_path, "a.xlsx", book, sheet="Three")


# --- JSON around the rows -----------------------------------------------------------------------------------

SQUAD = {
    "version": "2.0",
    "data": [{"title": "Tar", "paragraphs": [{"context": "Tar is black. Chalk is not.", "qas": [
        {"id": "1", "question": "What is black?", "answers": [{"text": "Tar", "answer_start": 0}]},
        {"id": "2", "question": "What is not?", "answers": [{"text": "Chalk", "answer_start": 14}]},
    ]}]}],
}  # fmt: skip


@pytest.mark.parametrize(
    "whole",
    [
        {"columns": ["question", "answer"], "index": [0, 1], "data": [list(row.values()) for row in ROWS]},
        {str(n): row for n, row in enumerate(ROWS)},
        {name: {str(n): row[name] for n, row in enumerate(ROWS)} for name in ("question", "answer")},
        {"schema": {"fields": [{"name": "question"}]}, "data": ROWS},
        {"train": {str(n): row for n, row in enumerate(ROWS)}, "test": {"0": ROWS[0], "1": ROWS[0]}},
    ],
    ids=["split", "index", "columns", "table", "splits by index"],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_what_pandas_writes(tmp_path: Path, whole: Any, indent: int | None) -> None:
    assert pairs(load(tmp_path, "a.json", json.dumps(whole, indent=indent).encode())) == FOUND


def test_nested_questions_are_rows_with_their_paragraph(tmp_path: Path) -> None:
    loaded = load(tmp_path, "a.json", json.dumps(SQUAD).encode())
    assert pairs(loaded) == [
        ("What is black?", '{"answer": "Tar", "occurrence": 1}'),
        ("What is not?", '{"answer": "Chalk", "occurrence": 1}'),
    ]
    assert {seed.parts.fixed for seed in loaded.seeds} == {(("context", "Tar is black. Chalk is not."),)}
    assert [seed.name for seed in loaded.seeds] == ["1", "2"]


def test_a_nested_question_without_an_answer_has_none(tmp_path: Path) -> None:
    asked = {"id": "3", "question": "Why?", "answers": [], "is_impossible": True}
    whole = json.loads(json.dumps(SQUAD))
    whole["data"][0]["paragraphs"][0]["qas"].append(asked)
    assert pairs(load(tmp_path, "a.json", json.dumps(whole).encode()))[2] == ("Why?", '{"answer": null}')


# --- columns ------------------------------------------------------------------------------------------------

TURNS = [{"from": "human", "value": "Is tar black?"}, {"from": "ai", "value": "Yes."}]


@pytest.mark.parametrize(
    ("row", "input", "output"),
    [
        ({"document": "Tar is black.", "summary": "Tar."}, "Tar is black.", "Tar."),
        ({"article": "Tar is black.", "highlights": "Tar."}, "Tar is black.", "Tar."),
        ({"dialogue": "A: Tar? B: Black.", "summary": "Tar."}, "A: Tar? B: Black.", "Tar."),
        ({"premise": "Tar is black.", "hypothesis": "It is dark.", "label": "entailment"},
         "premise: Tar is black.\nhypothesis: It is dark.", "entailment"),
        ({"sentence1": "Tar.", "sentence2": "Pitch.", "label": "same"}, "sentence1: Tar.\nsentence2: Pitch.", "same"),
        ({"ctx": "He takes the tar and", "endings": ["sings.", "paints."], "label": "1"},
         "He takes the tar and", "paints."),
        ({"conversation": TURNS}, "Is tar black?", "Yes."),
        ({"conversations": TURNS}, "Is tar black?", "Yes."),
        ({"messages": json.dumps([{"role": "user", "content": "Is tar black?"},
                                  {"role": "assistant", "content": "Yes."}])}, "Is tar black?", "Yes."),
    ],
)  # fmt: skip
def test_usual_names_of_columns_come_in_and_go_out(
    tmp_path: Path, row: dict[str, Any], input: str, output: str
) -> None:
    loaded = load(tmp_path, "a.jsonl", json.dumps(row).encode())
    (seed,) = loaded.seeds
    assert (seed.draft.input, seed.draft.output) == (input, output)
    record = {"id": "1", "input": input, "output": output, "choices": list(seed.draft.choices)}
    named = NamedSeeds((str(tmp_path / "a.jsonl"),), SeedMapping())
    more = tmp_path / "more.jsonl"
    EXPORTERS["seeds"].write([RecordLine(record, b"")], ExportJob(str(more), ExampleRenderer(), seeds=named))
    assert json.loads(more.read_text()) == row
