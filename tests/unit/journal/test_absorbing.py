"""One journal takes over what another holds, and every value comes back as it was."""

import asyncio
from dataclasses import replace
from pathlib import Path

from aide.journal import AnsweredCall, Journal, Kind, Outcome
from aide.journal.absorbing import absorb_journal
from aide.records import Usage

LONG = "A prompt that is longer than what is stored as it is, and that begins as all others do. "


def make_call(name: str) -> AnsweredCall:
    return AnsweredCall(
        key=name, node=name, step="synthesize", draw=0, attempt=0, model="m", endpoint="e", answered_by="m",
        system="The system text.", user=f"{LONG}{name}", sent={"model": "m"}, body=f"{LONG}answer {name}".encode(),
        usage=Usage(1, 10, 5), seconds=0.5, at=1.0, cost=0.25,
    )  # fmt: skip


def make_outcome(node: str, kind: Kind = "accepted") -> Outcome:
    return Outcome(node, kind, "seed", "seed", 1, 0, "plain", "", f"{LONG}{node}".encode())


def fill(path: Path, names: str, kind: Kind = "accepted") -> None:
    async def write() -> None:
        with Journal.open(path, pace=0.0) as journal:
            for name in names:
                await journal.record(make_call(name))
                await journal.settle(make_outcome(name, kind))
                journal.decide("thing", name, {"said": f"{LONG}decision {name}"})
            journal.set_meta("fact", names)
            await journal.flush()

    asyncio.run(write())


def check(path: Path, names: str) -> None:
    with Journal.open(path, readonly=True) as journal:
        assert [call.key for call in journal.read_calls()] == list(names)
        for name in names:
            assert journal.recall(name) == make_call(name)
            outcome = journal.get_outcome(name)
            assert outcome is not None and outcome.payload == make_outcome(name).payload
            assert journal.get_decision("thing", name) == {"said": f"{LONG}decision {name}"}
        [(step, _, usage, cost)] = journal.sum_usage()
        assert (step, usage.calls, cost) == ("synthesize", len(names), len(names) / 4)


def test_all_comes_back_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    target, one, other = (tmp_path / name for name in ("target", "one", "other"))
    fill(target, "abcd")
    fill(one, "efghi")
    fill(other, "jklm")
    for source in (one, other, one):
        absorb_journal(target, source, lambda outcome: outcome)
    check(target, "abcdefghijklm")
    with Journal.open(target, readonly=True) as journal:
        assert journal.get_meta("fact") == "abcd"
    fill(target, "nopq")  # it goes on with dictionaries of its own
    check(target, "abcdefghijklmnopq")


def test_what_the_target_has_stays_but_for_what_may_end_otherwise(tmp_path: Path) -> None:
    target, source = tmp_path / "target", tmp_path / "source"
    fill(target, "a", "rejected")
    fill(target, "b", "failed")
    fill(target, "c", "surplus")
    fill(source, "abc", "accepted")
    absorb_journal(target, source, lambda outcome: outcome)
    with Journal.open(target, readonly=True) as journal:
        assert {outcome.node: outcome.kind for outcome in journal.read_outcomes()} == {
            "a": "rejected", "b": "accepted", "c": "accepted",
        }  # fmt: skip


def test_decisions_and_facts_may_be_left_out(tmp_path: Path) -> None:
    target, source = tmp_path / "target", tmp_path / "source"
    fill(source, "ab")
    absorb_journal(
        target, source, lambda outcome: outcome, skip_decisions=("thing",), skip_meta=("schema", "fact")
    )
    with Journal.open(target, readonly=True) as journal:
        assert list(journal.read_decisions("thing")) == []
        assert journal.get_meta("fact") is None
        assert [outcome.node for outcome in journal.read_outcomes()] == ["a", "b"]


def test_a_question_that_both_have_paid_for_is_counted_twice_and_known_once(tmp_path: Path) -> None:
    target, source = tmp_path / "target", tmp_path / "source"
    fill(target, "a")

    async def ask_again() -> None:
        with Journal.open(source, pace=0.0) as journal:
            await journal.record(replace(make_call("a"), at=2.0, body=b"another answer"))

    asyncio.run(ask_again())
    for _ in range(2):
        absorb_journal(target, source, lambda outcome: outcome)
        with Journal.open(target, readonly=True) as journal:
            assert journal.recall("a") == make_call("a")
            [(_, _, usage, cost)] = journal.sum_usage()
            assert (usage.calls, cost) == (2, 0.5)
