"""The card of a data set folder, read back as the hub reads it."""

import json
from pathlib import Path
from typing import Any

import pytest

from aide.dataset.lines import RecordLine
from aide.exporters import ExampleRenderer, ExportJob
from aide.exporters.dataset_card import CardCounts, render_card
from aide.formats import TaskCard

huggingface_hub = pytest.importorskip("huggingface_hub")


def write_card(
    *formats: str,
    total: int = 1,
    language: str = "",
    sources: tuple[str, ...] = (),
    name: str = "",
    license: str = "",
) -> str:
    records = [{"format": name, "output": "x", "model": "m"} for name in formats]
    counts = CardCounts({"train": total})
    for record in records:
        list(counts.count_lines([RecordLine(record, b"", "in.jsonl", 1)]))
    rendering = ExampleRenderer(TaskCard(task="Sort.", language_code=language))
    return render_card(ExportJob("set", rendering, sources, name=name, license=license), counts)


def read_head(card: str) -> dict[str, Any]:
    head: dict[str, Any] = huggingface_hub.DatasetCard(card, ignore_metadata_errors=False).data.to_dict()
    return head


@pytest.mark.parametrize(
    ("total", "size"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (99_999, "10K<n<100K"), (10**6, "1M<n<10M"), (10**9, "n>100M")],
)  # fmt: skip
def test_the_category_of_size(total: int, size: str) -> None:
    assert read_head(write_card(total=total))["size_categories"] == [size]


@pytest.mark.parametrize(
    ("formats", "tasks"),
    [
        (("classification", "multi_label"), ["text-classification"]),
        (("multiple_choice", "code"), ["multiple-choice", "text-generation"]),
        (("of somebody else",), ["text-generation"]),
        ((), ["text-generation"]),
    ],
)
def test_the_tasks_of_formats(formats: tuple[str, ...], tasks: list[str]) -> None:
    assert read_head(write_card(*formats))["task_categories"] == tasks


@pytest.mark.parametrize(
    ("code", "languages"), [("no", ["no"]), ("zh-Hant", ["zh"]), ("un", None), ("", None), ("x: y", None)]
)
def test_the_language_is_a_code_of_the_hub_or_left_out(code: str, languages: list[str] | None) -> None:
    assert read_head(write_card(language=code)).get("language") == languages


def test_what_a_person_gave_cannot_break_the_front_matter() -> None:
    card = write_card(name='a "b": c\n- d', license="mine: all\n---\n# rights")
    head = read_head(card)
    assert (head["pretty_name"], head["license"]) == ('a "b": c\n- d', "other")
    assert "mine: all --- \\# rights" in card


def test_how_it_was_made_names_judge_seeds_and_test_sets_without_folders(tmp_path: Path) -> None:
    spec = {
        "model": "big", "steps": {"reflect": {"model": "jud`ge_2"}}, "min_relevance": 7, "min_diversity": 5,
        "avoid": ["/secret/gold_1.jsonl"], "hops": 2,
    }  # fmt: skip
    manifest = {"aide": "9.9", "spec": spec, "seeds": [{"path": "/secret/seeds_1.csv"}]}
    (tmp_path / "run.json").write_text(json.dumps(manifest))
    card = write_card("open", sources=(str(tmp_path),))
    assert "- aide 9.9; seeds: `seeds_1.csv`; hops 2" in card
    assert "graded by `jud'ge_2` (accepted from relevance 7, diversity 5 of 10)" in card
    assert "kept apart from the test sets `gold_1.jsonl`" in card
    assert "/secret" not in card
    (tmp_path / "run.json").write_text(json.dumps({**manifest, "spec": {**spec, "reflection": False}}))
    assert "not graded by a judge" in write_card("open", sources=(str(tmp_path),))
