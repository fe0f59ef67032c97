"""The queue, and what decisions do to what every command reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from aide.atomic import write_atomic
from aide.dataset.lines import read_lines
from aide.errors import InputError
from aide.records import digest
from aide.review.decisions import OvertakenError
from aide.run.folder import RunFolder
from unit.review.folders import (
    EVERYTHING,
    SEED,
    SEED_ROW,
    append_records,
    find,
    make_record,
    make_reject,
    open_review,
    read_reviews,
    write_folder,
)


def read_folder(path: Path) -> dict[str, dict[str, Any]]:
    return {line.record["id"]: line.record for line in read_lines([str(path)])}


def test_the_queue_begins_with_the_doubtful_and_says_why(tmp_path: Path) -> None:
    plain = [make_record(f"plain {n}", f"My parcel never came, number {n}") for n in range(12)]
    doubtful = [
        make_record("split", "My parcel never came today", scores={"relevance": 9, "agreement": "2/3"}),
        make_record("low", "My parcel never came there", scores={"relevance": 6, "diversity": 9}),
        make_record("far", "Something wholly different"),
        make_record("rare", "My parcel never came again", "other"),
    ]
    with open_review(write_folder(tmp_path / "run", [*plain, *doubtful])) as review:
        rows = review.list_rows(review.choose({})["numbers"])
        assert {row["id"] for row in rows[:4]} == {line["id"] for line in doubtful}
        told = {row["id"]: row["doubts"] for row in rows}
        reasons = [told[line["id"]] for line in doubtful]
        assert reasons == [("votes 2/3",), ("relevance 6",), ("far from the seeds",), ("rare label",)]
        [number] = review.choose({"doubt": "votes 2/3"})["numbers"]
        assert review.show(number)["id"] == doubtful[0]["id"]


def test_filters_and_search_leave_what_was_asked_for(tmp_path: Path) -> None:
    records = [
        make_record("a", "The Zebra ran", lineage={"operation": "persona", "persona": "a keeper"}),
        make_record("b", "A horse stood", "billing", lineage={"hop": 2}),
    ]
    with open_review(write_folder(tmp_path / "run", records, [make_reject("c", "A mule lay")])) as review:

        def names(**wanted: str) -> list[str]:
            return [
                row["text"] for row in review.list_rows(review.choose({**EVERYTHING, **wanted})["numbers"])
            ]

        assert names() == ["The Zebra ran", "A horse stood", "A mule lay"]
        assert names(text="zebra RAN") == names(persona="a keeper") == names(operation="persona")
        assert names(label="billing") == ["A horse stood", "A mule lay"]
        assert names(hop="2") == ["A horse stood"]
        assert names(kind="reject") == ["A mule lay"]
        assert names(seed=SEED) == names()
        review.decide(0, "accept", 0)
        assert names(state="to do", kind="record") == ["A horse stood"]
        facets = review.start()["facets"]
        assert dict(facets["label"]) == {"billing": 2, "delivery": 1}
        with pytest.raises(InputError, match="'colour' is no filter"):
            review.choose({"colour": "red"})


def test_an_edit_keeps_the_original_and_drops_its_grades(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "run", [make_record("a", "Wher is it?"), make_record("b", "Bill me")])
    before = (folder.shards / "part-00000.jsonl").read_bytes()
    with open_review(folder) as review:
        row = find(review, "a")
        review.decide(row["n"], "accept", 0, edits={"input": "Where is it?", "output": "delivery"})
        shown = review.show(row["n"])
        assert (shown["record"]["input"], shown["original"]["input"]) == ("Where is it?", "Wher is it?")
        assert shown["state"] == "edited"
        assert shown["edits"] == {"input": "Where is it?"}  # what equals the original is no edit
        review.decide(row["n"], "accept", 1)  # accepted once more: the edit stands
    read = read_folder(folder.path)
    assert (read[row["id"]]["input"], read[row["id"]]["scores"]) == ("Where is it?", {})
    assert read[digest("record", "b")]["scores"] != {}
    assert (folder.shards / "part-00000.jsonl").read_bytes() == before


def test_a_refused_record_leaves_the_reading_and_undo_brings_it_back(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "run", [make_record("a", "One"), make_record("b", "Two")])
    with open_review(folder) as review:
        row = find(review, "a")
        review.decide(row["n"], "accept", 0, edits={"input": "One more"})
        review.decide(row["n"], "reject", 1, reason="off task")
        assert set(read_folder(folder.path)) == {digest("record", "b")}
        assert find(review, "a")["reason"] == "off task"
        review.take_back(row["n"], 2, 1)
        assert read_folder(folder.path)[row["id"]]["input"] == "One more"
        review.take_back(row["n"], 3, 0)
        assert find(review, "a")["state"] == "to do"
    assert read_folder(folder.path)[row["id"]]["input"] == "One"
    assert [line["verdict"] for line in read_reviews(folder)] == ["accept", "reject", "accept", "open"]


def test_a_part_is_edited_and_the_whole_input_follows(tmp_path: Path) -> None:
    seed = {**SEED_ROW, "fixed": [["law", "No dogs."]], "varying": "question", "frame": "{law}\n\n{question}"}
    parts = {"law": "No dogs.", "question": "May I brng a cat?"}
    line = make_record("a", "No dogs.\n\nMay I brng a cat?", "yes", parts=parts, varying="question")
    folder = write_folder(tmp_path / "run", [line], [make_reject("c", "And a wolf?")], seed)
    with open_review(folder) as review:
        edits = {"parts": {**parts, "question": "May I bring a cat?"}}
        review.decide(find(review, "a")["n"], "accept", 0, edits=edits)
        review.decide(find(review, "c")["n"], "accept", 0, edits={"input": "And a wolf?", "output": "no"})
    read = read_folder(folder.path)
    assert read[line["id"]]["input"] == "No dogs.\n\nMay I bring a cat?"
    added = read[digest("record", "c")]
    assert added["input"] == "No dogs.\n\nAnd a wolf?"
    assert added["parts"] == {"law": "No dogs.", "question": "And a wolf?"}


def test_a_reject_is_accepted_anyway_once_it_has_an_answer(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "run", [make_record("a", "One")], [make_reject("c", "A bill twice")])
    with open_review(folder) as review:
        row = find(review, "c")
        with pytest.raises(InputError, match="has no answer that was kept"):
            review.decide(row["n"], "accept", 0)
        review.decide(row["n"], "accept", 0, edits={"input": "A bill, twice", "output": "billing"})
        assert find(review, "c")["state"] == "accepted"
        assert review.changes(0)["agreement"]["added"] == 1
    added = read_folder(folder.path)[row["id"]]
    assert (added["input"], added["output"], added["task"], added["format"]) == (
        "A bill, twice", "billing", "mail", "classification",
    )  # fmt: skip
    with open_review(folder) as review:
        review.take_back(row["n"], 1, 0)
    assert row["id"] not in read_folder(folder.path)


def test_values_and_turns_are_edited_as_what_they_are(tmp_path: Path) -> None:
    records = [make_record("json", "Ann is 5", {"name": "Ann", "age": 5}, format="json")]
    folder = write_folder(tmp_path / "run", records)
    with open_review(folder) as review:
        review.decide(find(review, "json")["n"], "accept", 0, edits={"output": {"name": "Ann", "age": 6}})
        with pytest.raises(InputError, match="unusable output"):
            review.decide(find(review, "json")["n"], "accept", 1, edits={"output": "six"})
    assert read_folder(folder.path)[records[0]["id"]]["output"] == {"name": "Ann", "age": 6}


CHAT: list[dict[str, Any]] = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Yes?"},
    {"role": "user", "content": "Are you opn?"},
    {"role": "assistant", "content": "Until six."},
]


def test_the_input_and_the_answer_of_a_chat_follow_its_turns(tmp_path: Path) -> None:
    line = make_record("chat", "Hi\nAre you opn?", "Until six.", turns=CHAT, format="chat")
    folder = write_folder(tmp_path / "run", [line])
    mended = [*CHAT[:2], {**CHAT[2], "content": "Are you open?"}, {**CHAT[3], "content": "Until seven."}]
    with open_review(folder) as review:
        for edits, words in (
            ({"output": "No."}, "changes a chat without its turns"),
            ({"turns": mended[:3]}, "leaves a chat without an answer"),
            ({"turns": [{"content": "no role"}]}, "unusable turn"),
        ):
            with pytest.raises(InputError, match=words):
                review.decide(0, "accept", 0, edits=edits)
        review.decide(0, "accept", 0, edits={"turns": mended})
    read = read_folder(folder.path)[line["id"]]
    assert (read["input"], read["output"]) == ("Hi\nAre you open?", "Until seven.")
    assert read["turns"] == mended


def test_a_reject_of_a_chat_is_completed_turn_by_turn(tmp_path: Path) -> None:
    line = make_record("chat", "Hi\nAre you opn?", "Until six.", turns=CHAT, format="chat")
    seed = {**SEED_ROW, "turns": CHAT, "tools": [{"type": "function"}], "system": "Be kind."}
    folder = write_folder(tmp_path / "run", [line], [make_reject("c", "Hi\nAnd on Sunday?")], seed)
    turns = [
        *CHAT[:2],
        {"role": "user", "content": "And on Sunday?"},
        {"role": "assistant", "content": "No."},
    ]
    with open_review(folder) as review:
        review.decide(find(review, "c")["n"], "accept", 0, edits={"turns": turns})
    added = read_folder(folder.path)[digest("record", "c")]
    assert (added["input"], added["output"], added["system"]) == ("Hi\nAnd on Sunday?", "No.", "Be kind.")
    assert (added["turns"], added["tools"]) == (turns, [{"type": "function"}])


def test_sets_of_labels_are_filtered_by_each_and_completed_as_a_list(tmp_path: Path) -> None:
    record = make_record("a", "Loud", ["noise", "staff"], format="multi_label")
    reject = make_reject("c", "Cold soup")
    reject["lineage"] = {**reject["lineage"], "label": '["food", "staff"]'}
    folder = write_folder(tmp_path / "run", [record], [reject])
    with open_review(folder) as review:
        assert review.choose({"label": "staff", "order": "grown"})["numbers"] == [0, 1]
        assert review.choose({"label": "food"})["numbers"] == [1]
        with pytest.raises(InputError, match="no JSON object or array"):
            review.decide(1, "accept", 0, edits={"output": "food"})
        review.decide(1, "accept", 0, edits={"output": '["food"]'})
    assert read_folder(folder.path)[reject["id"]]["output"] == ["food"]


def test_edits_that_do_not_fit_are_refused_in_a_sentence(tmp_path: Path) -> None:
    line = make_record("a", "Which?", "x", format="multiple_choice", choices=["x", "y"])
    folder = write_folder(tmp_path / "run", [line])
    with open_review(folder) as review:
        for edits, words in (
            ({"output": "z"}, "none of the choices"),
            ({"input": "  "}, "would be empty"),
            ({"lineage": {}}, "can't be edited"),
        ):
            with pytest.raises(InputError, match=words):
                review.decide(0, "accept", 0, edits=edits)
        review.decide(0, "accept", 0, edits={"output": "y"})
    assert read_folder(folder.path)[line["id"]]["output"] == "y"


def test_progress_and_agreement_with_the_judge(tmp_path: Path) -> None:
    records = [make_record(f"r{n}", f"Text {n}", scores={"relevance": 7 + n}) for n in range(3)]
    with open_review(write_folder(tmp_path / "run", records, [make_reject("c", "Mule")])) as review:
        review.decide(0, "accept", 0)
        review.decide(1, "reject", 0)
        review.decide(2, "accept", 0, edits={"input": "Text two"})
        told = review.decide(3, "reject", 0)
    assert (told["records"], told["left"]) == (3, 0)
    sum = told["agreement"]
    assert (sum["same"], sum["of"]) == (2, 4)  # kept as it is; left refused
    assert (sum["accepted"], sum["edited"], sum["refused"]) == (1, 1, 1)
    assert sum["grades"] == [[9, 0, 1], [8, 0, 1], [7, 1, 0]]


def test_two_reviews_on_one_folder_hear_of_each_other(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "run", [make_record("a", "One"), make_record("b", "Two")])
    with open_review(folder) as one, open_review(folder) as other:
        one.decide(0, "reject", 0)
        with pytest.raises(OvertakenError):
            other.decide(0, "accept", 0)
        told = other.changes(0)
        assert [(row["n"], row["state"]) for row in told["changed"]] == [(0, "refused")]


def test_a_folder_that_grows_and_is_pruned_meanwhile(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "run", [make_record("a", "One"), make_record("b", "Two")])
    with open_review(folder) as review:
        part = folder.shards / "part-00000.jsonl"
        append_records(folder, [make_record("c", "Three")], end=b"")  # the run is writing it
        assert review.changes(0)["entries"] == 2
        with part.open("ab") as file:
            file.write(b"\n")
        assert review.changes(0)["entries"] == 3
        rest = part.read_bytes().split(b"\n", 1)[1]
        write_atomic(part, [rest])  # as a prune does
        assert [row["text"] for row in review.list_rows(review.choose(EVERYTHING)["numbers"])] == [
            "Two",
            "Three",
        ]
        assert review.show(find(review, "b")["n"])["record"]["input"] == "Two"
        assert review.changes(0)["records"] == 2


def test_lines_that_are_no_records_are_passed_over(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "run", [make_record("a", "One")])
    with (folder.shards / "part-00000.jsonl").open("ab") as file:
        file.write(b'{"id": 5}\n[]\nnonsense\n' + json.dumps(make_record("b", "\ud800 Two")).encode() + b"\n")
    with open_review(folder) as review:
        assert len(review.choose(EVERYTHING)["numbers"]) == 2


def test_a_run_that_has_only_begun_is_empty_and_then_fills(tmp_path: Path) -> None:
    done = write_folder(tmp_path / "done", [make_record("a", "My parcel is late")])
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.write_manifest({"spec": {}, "origins": {}, "seeds": []})
    with open_review(folder) as review:
        assert review.start()["records"] == 0
        done.journal.rename(folder.journal)
        done.shards.rename(folder.shards)
        assert review.start()["records"] == 1
        assert review.show(0)["seed"]["input"] == SEED_ROW["input"]


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no run folder"), open_review(RunFolder(tmp_path)):
        pass
