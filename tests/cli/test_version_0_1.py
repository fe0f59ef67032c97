"""Run folders of version 0.1: a finished one is finished, a stopped one goes on, and every reader reads them.

`tests/fixtures/README.md` says how the folders were made. Prompts may have changed since then: `--adopt` goes on
with the new ones, and nothing that stands in the journal may be paid for again.
"""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from aide.journal import Journal
from runs import ROOT, aide, lines, paid, query, reconciles, records, rejects, shard_bytes
from unit.report.test_report import unpacked

SHAPE = ("--base-url", "sim:", "--graph-triples", "0", "--personas", "1")
FINISHED = (
    "expand", "support_tickets_de.jsonl", *SHAPE, "--embeddings", "sim-embed", "--attributes", "1",
    "--target", "14", "-o", "finished.aide",
)  # fmt: skip
STOPPED = (
    "expand", "contract_questions.jsonl", *SHAPE, "--attributes", "2", "--target", "16", "-o", "stopped.aide",
)  # fmt: skip
RECORD_STEPS = ("synthesize", "answer", "check", "reflect", "revise")
ATTRIBUTE_STEPS = ("extract", "expand_graph", "personas")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the two run folders and their seed files."""
    with tarfile.open(ROOT / "tests/fixtures/version_0_1.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


def read_calls(folder: Path) -> dict[str, tuple[Any, ...]]:
    """The answered calls by key; a key that was paid for twice is a failure."""
    with Journal.open(folder / "journal.sqlite", readonly=True) as journal:
        calls = list(journal.read_calls())
    by_key = {
        call.key: (call.node, call.step, call.draw, call.attempt, call.seconds, call.user, call.body)
        for call in calls
    }
    assert len(by_key) == len(calls), "a call was paid for twice"
    return by_key


def test_a_finished_folder_is_finished(place: Path) -> None:
    folder = place / "finished.aide"
    calls, written = read_calls(folder), shard_bytes(folder)
    aide(*FINISHED, cwd=place)
    aide(*FINISHED, "--adopt", cwd=place)
    assert read_calls(folder) == calls
    assert shard_bytes(folder) == written


def test_a_finished_folder_is_restored_without_a_call_where_a_prompt_has_changed(place: Path) -> None:
    """The run is gone through again, seeds and embeddings included, and finds every answer in the journal."""
    folder = place / "finished.aide"
    calls, written = read_calls(folder), shard_bytes(folder)
    packaged = ROOT / "prompts" / "reflect" / "blind.md"
    mine = place / "prompts" / packaged.relative_to(ROOT / "prompts")
    mine.parent.mkdir(parents=True)
    mine.write_text(f"{packaged.read_text(encoding='utf-8')}\nGrade with care.\n", encoding="utf-8")
    assert "prompts/" in aide(*FINISHED, "--prompts", place / "prompts", cwd=place, code=2)
    aide(*FINISHED, "--prompts", place / "prompts", "--adopt", cwd=place)
    assert read_calls(folder) == calls
    assert shard_bytes(folder) == written


def test_a_stopped_folder_goes_on_and_pays_for_nothing_twice(place: Path) -> None:
    folder = place / "stopped.aide"
    before, written, refused = read_calls(folder), shard_bytes(folder), rejects(folder)
    settled = query(folder, "SELECT kind, node FROM outcomes")
    assert "format" not in json.loads((folder / "run.json").read_text(encoding="utf-8"))
    aide(*STOPPED, "--adopt", cwd=place)
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["format"] == 1
    after = read_calls(folder)
    assert {key: after[key] for key in before} == before
    assert shard_bytes(folder).startswith(written)
    assert rejects(folder)[: len(refused)] == refused
    assert len(records(folder)) == 16
    assert reconciles(folder)
    assert paid(folder) == len(after)
    # Nothing is asked for a settled node, whatever its prompt would be today.
    asked = {row[:2] for key, row in after.items() if key not in before}
    for kind, node in settled:
        steps = ATTRIBUTE_STEPS if kind == "planted" else RECORD_STEPS
        assert not [step for step in steps if (node, step) in asked]


def test_the_records_are_read_by_the_commands_that_read(place: Path) -> None:
    for name, own_parts in (("finished.aide", False), ("stopped.aide", True)):
        found = records(place / name)
        assert all(("parts" in record) == own_parts and "varying" not in record for record in found)
        stats = json.loads(aide("stats", name, "--json", cwd=place))
        assert stats["records"] == len(found)
        exported = [
            json.loads(line) for line in aide("export", name, "--to", "messages", cwd=place).splitlines()
        ]
        assert [turn["messages"][-1]["content"] for turn in exported] == [
            record["output"] for record in found
        ]
        deepest = max(found, key=lambda record: record["lineage"]["hop"])
        way = json.loads(aide("trace", name, deepest["id"], "--json", cwd=place))["way"]
        assert [step["kind"] for step in way] == ["seed", "accepted", "accepted"]
        assert way[-1]["id"] == deepest["id"]
        aide("report", name, "-o", place / "report.html", cwd=place)
        assert deepest["id"] in json.dumps(unpacked((place / "report.html").read_text(encoding="utf-8")))
        reread = aide("filter", name, "--where", "lineage.hop > 0", cwd=place)
        assert (
            [json.loads(line) for line in reread.splitlines()]
            == found
            == lines(place / name / "shards" / "part-00000.jsonl")
        )
