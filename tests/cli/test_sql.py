"""Text to SQL from seeds to records and back, in real processes."""

import json
from pathlib import Path

import pytest

from aide.errors import InputError
from aide.sandbox.isolation import Sandbox
from cli.shell import aide

SCHEMAS = (
    "CREATE TABLE boat (name VARCHAR, length INTEGER)",
    "CREATE TABLE pier (id INTEGER, town VARCHAR); CREATE TABLE berth (pier_id INTEGER, price REAL)",
)
ROWS = [
    {"question": "How many boats are longer than 12 m?", "schema": SCHEMAS[0],
     "query": "SELECT COUNT(*) FROM boat WHERE length > 12"},
    {"question": "What is the name of the longest boat?", "schema": SCHEMAS[0],
     "query": "SELECT name FROM boat ORDER BY length DESC LIMIT 1"},
    {"question": "What does a berth in Brest cost?", "schema": SCHEMAS[1],
     "query": "SELECT price FROM berth JOIN pier ON id = pier_id WHERE town = 'Brest'"},
    {"question": "In how many towns are there piers?", "schema": SCHEMAS[1],
     "query": "SELECT COUNT(DISTINCT town) FROM pier"},
]  # fmt: skip


def test_queries_are_run_and_come_out_beside_their_own_schema(tmp_path: Path) -> None:
    try:
        Sandbox.find().close()
    except InputError:
        pytest.skip("no isolation works here")
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    run = (
        "expand",
        seeds,
        "-o",
        tmp_path / "out",
        "--base-url",
        "sim:?wrong=0.2&near=0",
        "--target",
        "6",
        "--run-code",
    )
    done = aide(*run)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in aide("records", tmp_path / "out", "--json").stdout.splitlines()]
    assert {record["scores"]["query"] for record in records} == {"ran"}
    assert all(record["scores"]["agreement"] in ("2/2", "2/3") for record in records)
    shown = aide("export", tmp_path / "out", "--to", "seeds").stdout.splitlines()
    for row in map(json.loads, shown):
        assert list(row) == ["question", "schema", "query"]
        assert row["schema"] in SCHEMAS
        assert row["query"].startswith("SELECT")
    assert "nothing to do" in aide(*run).stderr
