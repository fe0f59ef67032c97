"""What new records take over from a seed's row beside the example, and what they must not."""

import json
from pathlib import Path
from typing import Any

import pytest

from aide.errors import InputError
from aide.seeds import LoadedSeeds, SeedMapping, load_seeds

WORDS = ("kettle", "ladder", "marble", "needle")


def load(folder: Path, rows: list[dict[str, Any]], **mapping: Any) -> LoadedSeeds:
    path = folder / "seeds.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return load_seeds([str(path)], SeedMapping(**mapping))


def make_rows(**columns: Any) -> list[dict[str, Any]]:
    """Four rows; a column is a value for all of them, or a function of a row's number and word."""
    return [
        {
            "input": f"What is a {word}?", "output": f"A {word} is a thing.",
            **{name: value(n, word) if callable(value) else value for name, value in columns.items()},
        }
        for n, word in enumerate(WORDS)
    ]  # fmt: skip


def test_what_all_seeds_have_in_common_goes_along(tmp_path: Path) -> None:
    loaded = load(tmp_path, make_rows(source="shop", tags=["a", "b"], history=[]))
    assert [dict(seed.meta) for seed in loaded.seeds] == [
        {"source": "shop", "tags": ["a", "b"], "history": []}
    ] * 4
    assert (loaded.left_out, loaded.notes) == ((), [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_tokens", lambda n, word: 7 + n),
        ("category", lambda n, word: "odd" if n % 2 else "even"),
        ("rejected", "No."),  # the same in all, and yet the wrong answer to another question
        ("negatives", ["Something else."]),
        ("token_count", 12),
        ("note", lambda n, word: {"of": word}),
    ],
)
def test_what_tells_of_one_seed_stays_with_it(tmp_path: Path, name: str, value: Any) -> None:
    loaded = load(tmp_path, make_rows(**{name: value, "source": "shop"}))
    assert loaded.left_out == (name,)
    assert {tuple(seed.meta) for seed in loaded.seeds} == {("source",)}
    assert all(tuple(seed.own) == (name,) for seed in loaded.seeds)
    assert loaded.notes[-1].startswith(f"left out of new records: {name},")


def test_a_column_that_only_some_rows_have_stays_with_them(tmp_path: Path) -> None:
    rows = make_rows()
    rows[1]["checked_by"] = "Ann"
    assert load(tmp_path, rows).left_out == ("checked_by",)


def test_of_a_single_seed_only_the_content_tells(tmp_path: Path) -> None:
    row = {"input": "What is tar?", "output": "A pitch.", "log": "Q: What is tar?", "source": "shop"}
    loaded = load(tmp_path, [row])
    assert (loaded.left_out, loaded.seeds[0].meta) == (("log",), {"source": "shop"})


def test_a_person_says_which_column_goes_along_and_its_values_become_of_one_type(tmp_path: Path) -> None:
    rows = make_rows(level=lambda n, word: n or "none", grade=lambda n, word: n / 2 if n % 2 else n)
    loaded = load(tmp_path, rows, meta=("level", "grade"))
    assert [seed.meta["level"] for seed in loaded.seeds] == ["none", "1", "2", "3"]
    assert [repr(seed.meta["grade"]) for seed in loaded.seeds] == ["0.0", "0.5", "2.0", "1.5"]


def test_a_column_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--meta topic: no seed has such a column") as fault:
        load(tmp_path, make_rows(source="shop"), meta=("topic",))
    assert "source" in (fault.value.hint or "")


def test_a_text_around_the_example_has_a_template(tmp_path: Path) -> None:
    rows = make_rows(text=lambda n, word: f"<q>What is a {word}?</q>A {word} is a thing.")
    loaded = load(tmp_path, rows)
    assert loaded.left_out == ("text",)
    made = loaded.templates["text"].fill({"input": "Why (really)?", "output": r"So\1."})
    assert made == r"<q>Why (really)?</q>So\1."
    assert loaded.notes == ["made anew by `aide export --to seeds`, from each record's own texts: text"]


def test_each_way_of_filling_the_columns_has_a_template_of_its_own(tmp_path: Path) -> None:
    def make(asked: str, given: str, said: str) -> dict[str, str]:
        about = f"[{given}]" if given else "(nothing)"
        return {"instruction": asked, "input": given, "output": said, "text": f"{asked} {about} -> {said}"}

    rows = [make("Add.", "1, 2", "Three."), make("Greet.", "", "Hello."), make("Halve.", "8", "Four.")]
    template = load(tmp_path, rows).templates["text"]
    assert template.fill({"instruction": "Go.", "input": "", "output": "Yes."}) == "Go. (nothing) -> Yes."
    assert template.fill({"instruction": "Go.", "input": "now", "output": "Yes."}) == "Go. [now] -> Yes."
    assert template.fill({"instruction": "", "input": "now", "output": "Yes."}) is None


@pytest.mark.parametrize(
    "value",
    [
        lambda n, word: f"{word}: What is a {word}?",  # something of the seed stands in it that is no column
        lambda n, word: f"What is a {word}? What is a {word}?",
        lambda n, word: f"number {n}",
        lambda n, word: n,
    ],
)
def test_what_no_template_makes_is_left_out(tmp_path: Path, value: Any) -> None:
    loaded = load(tmp_path, make_rows(text=value))
    assert (loaded.left_out, loaded.templates) == (("text",), {})


def test_thoughts_before_outputs_are_taken_apart_and_told(tmp_path: Path) -> None:
    rows = make_rows()
    said = rows[0]["output"]
    rows[0]["output"] = f"<think>A kettle, then.</think>{said}"
    loaded = load(tmp_path, rows)
    assert (loaded.seeds[0].draft.thoughts, loaded.seeds[0].draft.output) == ("A kettle, then.", said)
    (note,) = loaded.notes
    assert note.startswith("1 output comes with thoughts; those of the model are kept with new answers")


@pytest.mark.parametrize(
    "row",
    [
        {"question": "Tea or coffee?", "answer": "Tea.", "reasoning_content": "It is late."},
        {"question": "Tea or coffee?", "answer": "[THINK]It is late.[/THINK]Tea."},
        {"question": "Tea or coffee?", "answer": "It is late.\n</think>\nTea."},  # its opening stood in a prompt
        {"messages": [
            {"role": "user", "content": "Tea or coffee?"},
            {"role": "assistant", "content": "Tea.", "reasoning_content": "It is late."},
        ]},
        {"conversations": [
            {"from": "human", "value": "Tea or coffee?"},
            {"from": "gpt", "value": "<think>\nIt is late.\n</think>\n\nTea."},
        ]},
        {"question": "Tea or coffee?", "options": ["Tea", "Coffee"], "answer": "<think>It is late.</think>A"},
    ],
)  # fmt: skip
def test_thoughts_are_found_wherever_a_row_has_them(tmp_path: Path, row: dict[str, Any]) -> None:
    (seed,) = load(tmp_path, [row]).seeds
    assert (seed.draft.thoughts, seed.draft.output.rstrip(".")) == ("It is late.", "Tea")
    assert seed.meta == {}
