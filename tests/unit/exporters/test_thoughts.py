"""What led to an answer, in each form of an export, and found again in the journal of the run."""

import asyncio
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from aide.dataset.lines import RecordLine
from aide.errors import InputError
from aide.exporters import EXPORTERS, ExampleRenderer, ExportJob
from aide.exporters.rendering import ReasoningForm
from aide.exporters.thoughts import JournaledThoughts, check_form
from aide.formats import TaskCard
from aide.journal import AnsweredCall, Journal
from aide.records import Usage

BARE = {
    "id": "kite", "format": "open", "input": "How long is a line of 3 spools of 40 m?", "output": "120",
    "reasoning": "3 * 40 = 120\n120", "meta": {},
}  # fmt: skip
THOUGHT = {
    **BARE,
    "reasoning": "Spools in a row, so I multiply.",
    "thought": True,
    "working": "3 * 40 = 120\n120",
}


def line(record: dict[str, Any]) -> RecordLine:
    return RecordLine(record, json.dumps(record).encode(), "in.jsonl", 1)


def export(record: dict[str, Any], form: ReasoningForm, to: str, dest: Path) -> dict[str, Any]:
    job = ExportJob(str(dest / f"{to}.jsonl"), ExampleRenderer(reasoning=form))
    assert EXPORTERS[to].write([line(record)], job).count == 1
    written: dict[str, Any] = json.loads((dest / f"{to}.jsonl").read_text())
    return written


@pytest.mark.parametrize(
    ("record", "form", "content", "field"),
    [
        (THOUGHT, "", "<think>\nSpools in a row, so I multiply.\n</think>\n\n120", None),
        (THOUGHT, "think", "<think>\nSpools in a row, so I multiply.\n</think>\n\n120", None),
        (THOUGHT, "field", "120", "Spools in a row, so I multiply."),
        (THOUGHT, "drop", "120", None),
        (BARE, "", "3 * 40 = 120\n120", None),  # a working is written for the reader
        (BARE, "think", "<think>\n3 * 40 = 120\n120\n</think>\n\n120", None),
        (BARE, "field", "120", "3 * 40 = 120\n120"),
        (BARE, "drop", "120", None),
    ],
)
def test_reasoning_goes_where_it_is_wanted(
    tmp_path: Path, record: dict[str, Any], form: ReasoningForm, content: str, field: str | None
) -> None:
    turn = export(record, form, "messages", tmp_path)["messages"][-1]
    assert turn["content"] == content
    assert turn.get("reasoning_content") == field


def test_a_field_stands_beside_the_answer_in_every_target(tmp_path: Path) -> None:
    thoughts = THOUGHT["reasoning"]
    shared = export(THOUGHT, "field", "sharegpt", tmp_path)["conversations"][-1]
    assert shared == {"from": "gpt", "value": "120", "reasoning_content": thoughts}
    alpaca = export(THOUGHT, "field", "alpaca", tmp_path)
    assert (alpaca["output"], alpaca["reasoning_content"]) == ("120", thoughts)
    completion = export(THOUGHT, "field", "prompt-completion", tmp_path)["completion"]
    assert completion == [{"role": "assistant", "content": "120", "reasoning_content": thoughts}]


@pytest.mark.parametrize(
    ("form", "target"),
    [("think", "dpo"), ("drop", "seeds"), ("field", "llama-factory"), ("loud", "messages")],
)
def test_a_form_without_a_place_is_refused(form: str, target: str) -> None:
    with pytest.raises(InputError, match="--reasoning"):
        check_form(form, target)


# --- from a journal ---------------------------------------------------------------------------


def call(step: str, asked: str, said: str, thoughts: str, node: str = "kite") -> AnsweredCall:
    message = {"role": "assistant", "content": said, "reasoning_content": thoughts}
    body = orjson.dumps({"choices": [{"message": message, "finish_reason": "stop"}]})
    return AnsweredCall(
        f"{step} {said} {thoughts}",
        node,
        step,
        0,
        0,
        "m",
        "e",
        "m",
        "",
        asked,
        {},
        body,
        Usage(1, 5, 5),
        0.1,
        1.0,
        None,
    )


def find(
    folder: Path, record: dict[str, Any], *calls: AnsweredCall, card: TaskCard | None = None
) -> dict[str, Any]:
    """The record as an export of the run folder has it, with a journal of these calls."""
    (folder / "run.json").write_text("{}")

    async def keep() -> None:
        journal = Journal.open(folder / "journal.sqlite", pace=0.0)
        for each in calls:
            await journal.record(each)
        journal.close()

    asyncio.run(keep())
    found = JournaledThoughts([str(folder)], card)
    (made,) = found.add_to([line(record)])
    assert found.missing == (0 if "reasoning" in made.record else 1)
    return made.record


ASKED = "How long is a line of 3 spools of 40 m?"
PLAIN = {name: value for name, value in BARE.items() if name != "reasoning"} | {"output": "It is 120 m long."}


def test_thoughts_are_found_in_the_journal_of_a_run_that_kept_none(tmp_path: Path) -> None:
    record = find(tmp_path, PLAIN, call("answer", ASKED, "It is 120 m long.", "Three forties."))
    assert (record["reasoning"], record["thought"]) == ("Three forties.", True)


@pytest.mark.parametrize(
    "other",
    [
        call("answer", ASKED, "It is 80 m long.", "Two forties."),  # another answer than the record's
        call("answer", "How long is it?", "It is 120 m long.", "Three forties."),  # of an earlier text
        call("synthesize", ASKED, "It is 120 m long.", "Five questions."),  # of all that it wrote
        call("answer", ASKED, "It is 120 m long.", "Three.<|im_end|>"),  # would break what it is put into
        call("answer", ASKED, "It is 120 m long.", "Three forties.", node="boat"),
    ],
)
def test_thoughts_that_are_not_those_of_its_answer_are_none(tmp_path: Path, other: AnsweredCall) -> None:
    assert "reasoning" not in find(tmp_path, PLAIN, other)


def test_a_label_and_a_bare_result_are_found_in_the_replies_that_gave_them(tmp_path: Path) -> None:
    quiz = {**PLAIN, "output": "line", "choices": ["line", "spool"]}
    chosen = call("answer", ASKED, '{"label": "line"}', "A spool is no length.")
    other = call("answer", ASKED, '{"label": "line of spools"}', "Both, then.")
    assert find(tmp_path, quiz, other, chosen)["reasoning"] == "A spool is no length."
    worked = call("answer", ASKED, "3 * 40 = 120\n120", "They lie in a row.", node="worked")
    record = find(tmp_path, {**BARE, "id": "worked"}, worked)
    assert (record["reasoning"], record["working"]) == ("They lie in a row.", "3 * 40 = 120\n120")
