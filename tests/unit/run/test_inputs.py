"""What a run reads from files before its first call, and when it reads them again."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aide.errors import InputError
from aide.run import inputs as module
from aide.run.context import keeps_thoughts
from aide.run.inputs import READINGS, SeedSource, count_inputs_card, read_inputs
from unit.run.prepared import MESSAGES, make_spec

ROWS = [{"input": text, "output": label} for text, label in MESSAGES]


def write(path: Path, rows: Sequence[dict[str, Any]] = ROWS) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_seeds_their_format_and_their_task_are_found(tmp_path: Path) -> None:
    read = read_inputs(make_spec(), [write(tmp_path / "bank.jsonl")])
    assert [seed.draft.input for seed in read.seeds] == [text for text, _ in MESSAGES]
    assert (read.format.name, read.loaded.task) == ("classification", "bank")
    assert read.fixed_parts is False
    card = count_inputs_card(make_spec(task="Sort it."), read)
    assert card.task == "Sort it."
    assert {label.name for label in card.labels} == {label for _, label in MESSAGES}


def test_what_is_given_is_not_looked_for(tmp_path: Path) -> None:
    labels = ("card_arrival", "cash_fee", "transfer_pending", "nobody")
    spec = make_spec(format="free_text")
    assert read_inputs(spec, [write(tmp_path / "a.jsonl")]).format.name == "free_text"
    read = read_inputs(make_spec(labels=labels), [write(tmp_path / "a.jsonl")])
    assert tuple(label.name for label in read.labels) == labels


def test_a_seed_that_stands_twice_is_one(tmp_path: Path) -> None:
    files = [write(tmp_path / "a.jsonl"), write(tmp_path / "b.jsonl", ROWS[:2])]
    assert len(read_inputs(make_spec(), files).seeds) == len(ROWS)


def test_fixed_parts_contexts_and_human_examples_come_along(tmp_path: Path) -> None:
    rows = [
        {"context": f"Contract {n}.", "question": f"May I sublet in case {n}?", "answer": "No."}
        for n in range(3)
    ]
    (tmp_path / "contexts.txt").write_text("Another contract.", encoding="utf-8")
    human = tmp_path / "human.jsonl"
    write(human, [{**row, "question": f"By people: {row['question']}"} for row in rows])
    spec = make_spec(contexts=[tmp_path / "contexts.txt"], human=[human], format="free_text")
    read = read_inputs(spec, [write(tmp_path / "a.jsonl", rows)])
    assert read.fixed_parts
    assert read.contexts == ("Another contract.",)
    assert len(read.human) == 3
    assert all("By people: " in seed.draft.input for seed in read.human)
    assert not {seed.id for seed in read.human} & {seed.id for seed in read.seeds}


# --- what is refused before anything is spent -----------------------------------------------------------------


def test_a_seed_that_is_a_test_item_is_refused_by_its_name(tmp_path: Path) -> None:
    items = Path(write(tmp_path / "items.jsonl", [{"question": MESSAGES[0][0].upper()}]))
    rows = [{"id": f"row-{n}", **row} for n, row in enumerate(ROWS)]
    with pytest.raises(InputError, match=r"seed row-0 is the test item .*items\.jsonl:1"):
        read_inputs(make_spec(avoid=[items]), [write(tmp_path / "a.jsonl", rows)])
    read = read_inputs(make_spec(avoid=[items]), [write(tmp_path / "a.jsonl", rows[1:])])
    assert read.avoid is not None
    assert read.avoid.find(MESSAGES[0][0]) is not None


def test_answers_can_only_be_taken_from_the_folder_of_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it has no journal"):
        read_inputs(make_spec(reuse=tmp_path), [write(tmp_path / "a.jsonl")])


def test_an_operation_without_a_prompt_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="translate"):
        read_inputs(make_spec(operations=["constraint", "translate"]), [write(tmp_path / "a.jsonl")])


# --- reading twice --------------------------------------------------------------------------------------------


def test_files_that_have_not_changed_are_not_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl")
    source = SeedSource(make_spec(), [path])
    first = source.read()
    assert source.read_again() is first
    assert [*first.hashes] == [path]


def test_what_was_appended_in_between_is_part_of_the_run(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", ROWS[:5])
    source = SeedSource(make_spec(), [path])
    first = source.read()
    write(tmp_path / "a.jsonl")
    again = source.read_again()
    assert (len(first.seeds), len(again.seeds)) == (5, len(ROWS))
    assert first.hashes != again.hashes
    assert source.read_again() is again


def test_standard_input_is_read_once_and_kept() -> None:
    given = io.BytesIO("".join(json.dumps(row) + "\n" for row in ROWS).encode())
    source = SeedSource(make_spec(), ["-"], given)
    first = source.read()
    assert given.read() == b""
    assert len(first.seeds) == len(source.read().seeds) == len(ROWS)
    assert first.hashes == {"-": ""}


def test_a_file_that_grows_while_it_is_read_is_read_until_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, count = tmp_path / "a.jsonl", 1
    write(path, ROWS[:1])

    def grow_and_read(*arguments: Any) -> Any:
        nonlocal count
        read = read_inputs(*arguments)
        count = min(len(ROWS), count + 2)
        write(path, ROWS[:count])
        return read

    monkeypatch.setattr(module, "read_inputs", grow_and_read)
    spec = make_spec(format="classification")
    read = SeedSource(spec, [str(path)]).read()
    assert len(read.seeds) == len(ROWS)
    assert read.hashes == SeedSource(spec, [str(path)])._hash_files(), "of the very bytes that were read"


def test_a_file_that_never_stands_still_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    tries: list[int] = []

    def change_and_read(*arguments: Any) -> Any:
        tries.append(len(tries))
        read = read_inputs(*arguments)
        write(path, [*ROWS, {"input": f"the {len(tries)}th message", "output": "cash_fee"}])
        return read

    write(path)
    monkeypatch.setattr(module, "read_inputs", change_and_read)
    with pytest.raises(InputError, match=r"a\.jsonl changes while it is read"):
        SeedSource(make_spec(), [str(path)]).read()
    assert len(tries) == READINGS


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"agreement": "2/3", "format": "free_text"}, "--agreement 2/3 has no effect"),
        ({"contexts": ("leases.txt",)}, "--contexts has no effect"),
    ],
)
def test_what_would_have_no_effect_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("leases.txt").write_text("The rent is due on the first.")
    with pytest.raises(InputError, match=told):
        read_inputs(make_spec(**asked), [write(tmp_path / "a.jsonl")])


@pytest.mark.parametrize(
    ("row", "reasoning", "kept"),
    [
        ({}, "auto", False),
        ({}, "keep", True),
        ({"answer": "<think>Blue and yellow.</think>They make green, {} of them."}, "auto", True),
        ({"reasoning_content": "Blue and yellow."}, "auto", True),
        ({"reasoning_content": "Blue and yellow."}, "drop", False),
        ({"reasoning": "Blue and yellow."}, "auto", True),
        ({"explanation": "Blue and yellow."}, "auto", False),  # for the reader, and no way to the answer
        ({"answer": "{}", "reasoning": "Each is one: {}"}, "auto", False),  # answers bring such a working
    ],
)
def test_thoughts_are_kept_where_the_seeds_have_some_or_a_person_says_so(
    tmp_path: Path, row: dict[str, Any], reasoning: str, kept: bool
) -> None:
    usual = {"question": "What do {} pots of paint make?", "answer": "They make green, all {} of them."}
    rows = [{name: text.format(n) for name, text in {**usual, **row}.items()} for n in (2, 3, 5)]
    spec = make_spec(reasoning=reasoning)
    read = read_inputs(spec, [write(tmp_path / "paint.jsonl", rows)])
    assert keeps_thoughts(spec, read, count_inputs_card(spec, read)) is kept


TABLES = "CREATE TABLE boat (name VARCHAR, length INTEGER)"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"schema": TABLES, "query": "SELECT {} FROM boat"}, ""),
        ({"db_id": "boats", "query": "SELECT {} FROM boat"}, "no query is run"),
        (
            {"code": "const f{} = (a) => a + 1;\nmodule.exports = f;"},
            "the outputs are in javascript, so nothing is run",
        ),
        ({"code": "def f{}(a):\n    return a"}, ""),
    ],
)
def test_what_run_code_cannot_run_is_said_once(tmp_path: Path, row: dict[str, str], told: str) -> None:
    rows = [
        {"question": f"How is number {n} made?", **{name: text.format(n) for name, text in row.items()}}
        for n in "123"
    ]
    path = write(tmp_path / "programs.jsonl", rows)
    notes = [note for note in read_inputs(make_spec(run_code=True), [path]).notes if "--run-code" in note]
    assert len(notes) == bool(told)
    assert all(told in note for note in notes)
    assert not any("--run-code" in note for note in read_inputs(make_spec(), [path]).notes)


def test_votes_on_queries_can_be_asked_for_where_they_are_run(tmp_path: Path) -> None:
    rows = [
        {"question": f"Which are {n}?", "schema": TABLES, "query": f"SELECT {n} FROM boat"} for n in (1, 2)
    ]
    path = write(tmp_path / "boats.jsonl", rows)
    assert read_inputs(make_spec(run_code=True, agreement="2/2"), [path]).format.name == "code"
    with pytest.raises(InputError, match="has no effect"):
        read_inputs(make_spec(agreement="2/2"), [path])
