"""Answers in JSON through the whole of `aide`: schema, quotes and places, sets of labels, and back to the seeds."""

import json
from pathlib import Path
from typing import Any

import pytest

import runs
from aide.config.spec import RunSpec
from aide.formats import FORMATS, TaskCard
from aide.run.folder_inputs import keep_format
from aide.run.inputs import read_inputs
from cli.shell import SEEDS, SIM, aide

SPANS: list[dict[str, Any]] = [
    {
        "text": "Ada met Bo in Rome last week.",
        "spans": [[0, 3, "PERSON"], [8, 10, "PERSON"], [14, 18, "PLACE"]],
    },
    {"text": "Nobody in Rome had heard of it.", "spans": [[10, 14, "PLACE"]]},
    {"text": "The letter from Cleo came back.", "spans": [[16, 20, "PERSON"]]},
    {"text": "It rained, so we stayed at home.", "spans": []},
]
REMARKS = """text,label
hot and noisy,"hot, loud"
far too warm,hot
you hear it all,loud
fine by me,good
warm but nice,"good, hot"
"""


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def expand(seeds: Path, folder: Path, *more: str | Path) -> list[dict[str, Any]]:
    done = aide("expand", seeds, "--base-url", SIM, "-o", folder, "--target", "12", "--no-exam", *more)
    assert done.returncode == 0, done.stderr
    return list(runs.contents(folder).values())


def test_passages_of_new_texts_stand_where_they_are_said_to(tmp_path: Path) -> None:
    seeds = write(tmp_path / "spans.jsonl", SPANS)
    records = expand(seeds, tmp_path / "run")
    places = [(record["input"], span) for record in records for span in record["output"]]
    assert len(places) >= len(records)
    assert all(text[span["start"] : span["end"]] == span["text"] for text, span in places)
    more = tmp_path / "more.jsonl"
    assert aide("export", tmp_path / "run", "--to", "seeds", "-o", more).returncode == 0
    rows = runs.lines(more)
    assert [list(row) for row in rows] == [["text", "spans"]] * 12
    assert {span[2] for row in rows for span in row["spans"]} <= {"PERSON", "PLACE"}
    assert len(expand(more, tmp_path / "again")) == 12


def test_sets_of_labels_are_those_of_the_seeds_and_go_back_into_one_column(tmp_path: Path) -> None:
    seeds = tmp_path / "remarks.csv"
    seeds.write_text(REMARKS, encoding="utf-8")
    records = expand(seeds, tmp_path / "run", "--labels", "hot,loud,good")
    found = sorted({tuple(record["output"]) for record in records})
    assert found == [("good",), ("good", "hot"), ("hot",), ("hot", "loud"), ("loud",)]
    assert all(record["lineage"]["label"] == json.dumps(record["output"]) for record in records)
    more = tmp_path / "more.csv"
    assert aide("export", tmp_path / "run", "--to", "seeds", "-o", more).returncode == 0
    assert '"hot, loud"' in more.read_text(encoding="utf-8")
    counted = json.loads(aide("stats", tmp_path / "run", "--json").stdout)
    assert set(counted["labels"]) == {"hot", "loud", "good"}


def test_the_schema_can_be_edited_on_the_card(tmp_path: Path) -> None:
    seeds, folder = SEEDS / "table_bookings.jsonl", tmp_path / "run"
    base = ("expand", seeds, "--base-url", SIM, "-o", folder, "--target", "8")
    assert aide(*base, "--card-only").returncode == 0
    card = folder / "task.toml"
    text = card.read_text(encoding="utf-8")
    assert '"minimum": 0' in text
    card.write_text(text.replace('"minimum": 0', '"minimum": 3,\n      "maximum": 9'), encoding="utf-8")
    done = aide(*base)
    assert done.returncode == 0, done.stderr
    guests = [record["output"]["guests"] for record in runs.contents(folder).values()]
    assert len(guests) == 8
    assert all(3 <= each <= 9 for each in guests)


@pytest.mark.parametrize(
    ("schema", "more", "told"),
    [
        ({"type": "object", "properties": {"guests": {"type": "string"}}}, (), "breaks --schema: `guests`: 4 is not"),
        ({"type": "nothing"}, (), "schema.json: is no JSON Schema"),
        (None, ("--agree-on", "table"), "--agree-on table: the answers have no such field"),
        (None, ("--agree-on", "guests", "--format", "free_text"), "--agree-on has no effect on the format free_text"),
    ],
)  # fmt: skip
def test_a_schema_or_field_that_cannot_be_is_told_before_anything_is_spent(
    tmp_path: Path, schema: Any, more: tuple[str, ...], told: str
) -> None:
    if schema is not None:
        path = tmp_path / "schema.json"
        path.write_text(json.dumps(schema), encoding="utf-8")
        more = ("--schema", str(path))
    done = aide("expand", SEEDS / "table_bookings.jsonl", "--base-url", SIM, "-o", tmp_path / "run", *more)
    assert done.returncode == 2
    assert told in done.stderr
    assert not (tmp_path / "run" / "journal.sqlite").exists()


def test_a_persons_schema_is_held(tmp_path: Path) -> None:
    text = {"type": "string"}
    count = {"type": "integer", "minimum": 1, "maximum": 20}
    fields = {
        "guests": count,
        "day": text,
        "time": text,
        "name": text,
        "request": {"type": ["string", "null"]},
    }
    path = tmp_path / "schema.json"
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    path.write_text(json.dumps(schema), encoding="utf-8")
    records = expand(
        SEEDS / "table_bookings.jsonl", tmp_path / "run", "--schema", path, "--agree-on", "guests,day"
    )
    assert all(1 <= record["output"]["guests"] <= 20 for record in records)
    assert all(record["output"]["name"] in record["input"] for record in records), (
        "the seeds show that it is a quote"
    )


def test_a_folder_goes_on_in_the_format_of_its_card(tmp_path: Path) -> None:
    inputs = read_inputs(RunSpec(), [str(SEEDS / "table_bookings.jsonl")])
    assert inputs.format.name == "json"
    kept = keep_format(inputs, TaskCard(format="free_text"))
    assert kept.format is FORMATS["free_text"]
