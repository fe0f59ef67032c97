"""The journal as its users see it: what was acknowledged is there, nothing is reversed, others may read."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aide.errors import AideError, FolderHeld, InputError
from aide.journal import AnsweredCall, Journal, Outcome
from aide.journal.database import SCHEMA
from aide.records import Usage, digest
from disks import no_file_larger_than

Open = Callable[..., Journal]


def call(number: int, **changes: Any) -> AnsweredCall:
    base = AnsweredCall(
        key=digest("call", str(number)),
        node=f"node-{number % 3}",
        step="synthesize",
        draw=0,
        attempt=0,
        model="asked-for",
        endpoint="http://localhost/v1",
        answered_by="answered-2026",
        system="You write questions.",
        user="Demonstrations that all prompts share. " * 20 + f"Question {number}",
        sent={"temperature": 1.0, "max_tokens": 300},
        body=b'{"choices": [{"message": {"content": "answer %d"}}]}' % number,
        usage=Usage(1, 100, 10, 40, 3, 0),
        seconds=0.5,
        at=1_800_000_000.0 + number,
        cost=0.25,
    )
    return replace(base, **changes)


def outcome(node: str, kind: Any = "accepted", payload: bytes = b"{}") -> Outcome:
    return Outcome(node, kind, "seed", "parent", 1, 7, "constraint", "", payload)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


# `unix-dotfile` is a file layer that has no shared memory, as network disks have none.
@pytest.fixture(params=["", "unix-dotfile"], ids=["shared", "alone"])
def opened(request: pytest.FixtureRequest, path: Path) -> Open:
    def start(**options: Any) -> Journal:
        return Journal.open(path, pace=0.0, vfs=request.param, **options)

    return start


def test_a_recorded_call_comes_back_as_it_was(opened: Open) -> None:
    one = call(1, system="", user="plain", body=b"\xff\x00 not even text", cost=None, reused=True)

    async def work() -> None:
        with opened() as journal:
            assert journal.recall_body(one.key) is None
            assert journal.recall(one.key) is None
            await journal.record(one)
            assert journal.recall_body(one.key) == (one.body, "answered-2026")
            assert journal.recall(one.key) == one

    asyncio.run(work())
    with opened() as journal:
        assert journal.recall(one.key) == one


def test_prompts_that_begin_alike_come_back_whole(opened: Open) -> None:
    front = "ä demonstration. " * 40
    users = [
        "short",
        front + "one",
        front + "two",
        front + "two and more",
        "odd",
        front[:-3] + "ü",
        front,
        "",
        front + "x",
    ]
    calls = [call(n, user=user, step=("answer", "reflect")[n % 2]) for n, user in enumerate(users * 2)]

    async def work() -> None:
        with opened() as journal:
            for each in calls:
                await journal.record(each)

    asyncio.run(work())
    with opened() as journal:
        assert list(journal.read_calls()) == calls


def test_the_first_answer_to_a_key_stays(opened: Open) -> None:
    async def work() -> None:
        with opened() as journal:
            async with asyncio.TaskGroup() as group:
                for number in range(3):
                    group.create_task(journal.record(replace(call(1), body=b"%d" % number)))
            await journal.record(call(2))
            assert [each.body for each in journal.read_calls()] == [b"0", call(2).body]

    asyncio.run(work())


def test_text_that_is_no_unicode_is_kept(opened: Open) -> None:
    odd = call(1, system="\ud83d", user="half a smile \ude00", answered_by="m\ud800", sent={"stop": "\udfff"})

    async def work() -> AnsweredCall | None:
        with opened() as journal:
            await journal.record(odd)
            return journal.recall(odd.key)

    assert asyncio.run(work()) == replace(odd, answered_by="m?")


def test_thousands_of_calls_stream_in_order_and_by_node(opened: Open) -> None:
    async def work() -> None:
        with opened() as journal:
            async with asyncio.TaskGroup() as group:
                for number in range(700):
                    group.create_task(journal.record(call(number)))
            assert [each.at - 1_800_000_000 for each in journal.read_calls()] == list(range(700))
            of_node = [each.key for each in journal.read_calls(node="node-1")]
            assert of_node == [call(number).key for number in range(1, 700, 3)]

    asyncio.run(work())


def test_usage_is_summed_by_step_and_model_and_reused_calls_stand_apart(opened: Open) -> None:
    async def work() -> None:
        with opened() as journal:
            await journal.record(call(1))
            await journal.record(call(2))
            await journal.record(call(3, step="answer", cost=None))
            await journal.record(call(4, step="answer"))
            await journal.record(call(5, reused=True))
            assert journal.sum_usage() == [
                ("answer", "asked-for", Usage(2, 200, 20, 80, 6, 0), None),
                ("synthesize", "asked-for", Usage(2, 200, 20, 80, 6, 0), 0.5),
            ]
            assert journal.sum_usage(reused=True) == [
                ("synthesize", "asked-for", Usage(1, 100, 10, 40, 3, 0), 0.25)
            ]

    asyncio.run(work())


def test_a_decision_is_seen_at_once_and_never_reversed(opened: Open) -> None:
    async def work() -> None:
        with opened() as journal:
            journal.decide("duplicate", "b", {"of": "a", "by": 0.5})
            journal.decide("duplicate", "b", {"by": 0.5, "of": "a"})
            assert journal.get_decision("duplicate", "b") == {"of": "a", "by": 0.5}
            with pytest.raises(ValueError, match="can't become"):
                journal.decide("duplicate", "b", {"of": "c"})
            await journal.flush()
            with pytest.raises(ValueError, match="can't become"):
                journal.decide("duplicate", "b", False)
            journal.decide("refill", "b", False)
            assert journal.get_decision("refill", "b") is False
            assert journal.get_decision("refill", "nothing") is None

    asyncio.run(work())
    with opened() as journal:
        assert journal.get_decision("duplicate", "b") == {"of": "a", "by": 0.5}


def test_nothing_is_no_decision(opened: Open) -> None:
    with opened() as journal, pytest.raises(ValueError, match="nothing is decided"):
        journal.decide("duplicate", "b", None)


def test_decisions_come_in_the_order_they_fell_queued_ones_last(opened: Open) -> None:
    keys = [digest(str(n)) for n in range(600)]

    async def work() -> None:
        with opened() as journal:
            for key in keys[:500]:
                journal.decide("order", key, key)
                journal.decide("other", key, 1)
            await journal.flush()
            for key in keys[500:]:
                journal.decide("order", key, key)
            assert list(journal.read_decisions("order")) == [(key, key) for key in keys]

    asyncio.run(work())
    with opened() as journal:
        assert list(journal.read_decisions("order")) == [(key, key) for key in keys]


def test_a_decision_is_durable_before_what_is_queued_after_it(opened: Open, path: Path) -> None:
    """Whatever another connection sees of the calls, it sees the decisions that went before."""

    async def work() -> None:
        with opened() as journal:
            for number in range(50):
                journal.decide("before", str(number), 1)
                await journal.record(call(number))
                assert [key for key, _ in journal.read_decisions("before")] == [
                    str(n) for n in range(number + 1)
                ]
                assert journal._queued == {}

    asyncio.run(work())


def test_facts_of_the_run_can_change_and_are_seen_at_once(opened: Open) -> None:
    with opened() as journal:
        assert journal.get_meta("target") is None
        journal.set_meta("target", {"n": 10})
        journal.set_meta("target", {"n": 20})
        assert journal.get_meta("target") == {"n": 20}
        with pytest.raises(ValueError, match="own"):
            journal.set_meta("schema", 9)
    with opened() as journal:
        assert journal.get_meta("target") == {"n": 20}


def test_outcomes_come_in_the_order_they_settled(opened: Open) -> None:
    nodes = [digest(str(n)) for n in range(600)]

    async def work() -> None:
        with opened() as journal:
            async with asyncio.TaskGroup() as group:
                for number, node in enumerate(nodes):
                    kind = "accepted" if number % 2 else "rejected"
                    group.create_task(journal.settle(outcome(node, kind, b"%d" % number)))
            assert [each.payload for each in journal.read_outcomes()] == [b"%d" % n for n in range(600)]
            assert [each.node for each in journal.read_outcomes("accepted")] == nodes[1::2]
            assert {each.payload for each in journal.read_outcomes("accepted", payload=False)} == {b""}
            assert journal.count_outcomes() == {"accepted": 300, "rejected": 300}
            assert journal.get_outcome(nodes[3]) == outcome(nodes[3], "accepted", b"3")
            assert journal.get_outcome("nobody") is None

    asyncio.run(work())


@pytest.mark.parametrize(
    ("first", "then", "kept"),
    [
        ("surplus", "accepted", "new"),
        ("failed", "accepted", "new"),
        ("failed", "rejected", "new"),
        ("failed", "failed", "new"),
        ("accepted", "accepted", "old"),
        ("surplus", "surplus", "old"),
        ("accepted", "rejected", None),
        ("rejected", "accepted", None),
        ("accepted", "surplus", None),
        ("surplus", "failed", None),
    ],
)
def test_what_may_become_of_a_settled_node(path: Path, first: str, then: str, kept: str | None) -> None:
    async def work() -> None:
        with Journal.open(path, pace=0.0) as journal:
            await journal.settle(outcome("a", first, b"old"))
            await journal.settle(outcome("b"))
            if kept is None:
                with pytest.raises(ValueError, match=f"is {first}"):
                    await journal.settle(outcome("a", then, b"new"))
            else:
                await journal.settle(outcome("a", then, b"new"))
            found = journal.get_outcome("a")
            assert found is not None
            assert found.payload == (kept or "old").encode()
            order = [each.node for each in journal.read_outcomes()]
            assert order == (["b", "a"] if kept == "new" else ["a", "b"])

    asyncio.run(work())


def test_a_refused_outcome_does_not_harm_its_group(path: Path) -> None:
    async def work() -> None:
        with Journal.open(path) as journal:
            await journal.settle(outcome("a", "accepted"))
            waiting = [
                asyncio.ensure_future(journal.record(call(1))),
                asyncio.ensure_future(journal.settle(outcome("a", "rejected"))),
                asyncio.ensure_future(journal.settle(outcome("b", "rejected"))),
            ]
            await asyncio.wait(waiting)
            assert [type(each.exception()) for each in waiting] == [type(None), ValueError, type(None)]
            assert journal.count_outcomes() == {"accepted": 1, "rejected": 1}
            assert journal.recall(call(1).key) == call(1)

    asyncio.run(work())


def test_a_record_can_be_planted_too(opened: Open) -> None:
    async def work() -> None:
        with opened() as journal:
            await journal.settle(outcome("a", "accepted", b"record"))
            await journal.settle(outcome("a", "planted", b"triples"))
            await journal.settle(outcome("a", "planted", b"other triples"))
            accepted, planted = journal.get_outcome("a"), journal.get_outcome("a", planted=True)
            assert accepted is not None
            assert planted is not None
            assert (accepted.payload, planted.payload) == (b"record", b"triples")

    asyncio.run(work())


def test_many_waiting_calls_share_a_commit(path: Path) -> None:
    commits: list[str] = []

    async def work() -> None:
        with Journal.open(path) as journal:
            await journal.flush()
            assert journal._database.write is not None
            journal._database.write.set_trace_callback(
                lambda sql: commits.append(sql) if sql == "COMMIT" else None
            )
            async with asyncio.TaskGroup() as group:
                for number in range(200):
                    group.create_task(journal.record(call(number)))

    asyncio.run(work())
    assert len(commits) < 20


def test_a_cancelled_wait_loses_no_answer(opened: Open) -> None:
    async def work() -> None:
        with opened() as journal:
            waiting = asyncio.create_task(journal.record(call(1)))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])

    asyncio.run(work())
    with opened() as journal:
        assert journal.recall(call(1).key) == call(1)


def test_closing_drains_what_is_queued_even_after_the_loop_is_gone(opened: Open) -> None:
    journal = opened()

    async def work() -> None:
        waiting = [asyncio.ensure_future(journal.record(call(n))) for n in range(100)]
        await asyncio.sleep(0)
        assert len(waiting) == 100

    asyncio.run(work())
    journal.decide("last", "word", True)
    journal.close()
    journal.close()
    with opened() as journal:
        assert len(list(journal.read_calls())) == 100
        assert journal.get_decision("last", "word") is True


def test_a_reader_sees_what_is_committed_while_the_run_goes_on(path: Path) -> None:
    async def work() -> None:
        with Journal.open(path, pace=0.0) as journal:
            await journal.record(call(1))
            with Journal.open(path, readonly=True) as reader:
                assert reader.recall(call(1).key) == call(1)
                assert reader.recall(call(2).key) is None
                await journal.record(call(2))
                await journal.settle(outcome("a"))
                assert reader.recall(call(2).key) == call(2)
                assert reader.count_outcomes() == {"accepted": 1}
                await reader.flush()
                with pytest.raises(RuntimeError, match="for reading"):
                    reader.decide("a", "b", 1)
                with pytest.raises(RuntimeError, match="for reading"):
                    await reader.record(call(3))

    asyncio.run(work())


def test_where_the_file_can_not_be_shared_a_reader_is_told(path: Path) -> None:
    async def work() -> None:
        with Journal.open(path, vfs="unix-dotfile") as journal:
            await journal.record(call(1))
            assert journal._database.alone
            with pytest.raises(FolderHeld) as caught:
                Journal.open(path, readonly=True, vfs="unix-dotfile")
            assert "progress.json" in caught.value.hint

    asyncio.run(work())
    with Journal.open(path, readonly=True, vfs="unix-dotfile") as reader:
        assert reader.recall(call(1).key) == call(1)


def test_a_journal_moves_between_file_systems_with_and_without_sharing(path: Path) -> None:
    for number, vfs in enumerate(["", "unix-dotfile", "", "unix-dotfile"]):
        with Journal.open(path, pace=0.0, vfs=vfs) as journal:
            assert journal._database.alone == bool(vfs)
            asyncio.run(journal.record(call(number)))
            assert list(journal.read_calls()) == [call(n) for n in range(number + 1)]


@pytest.mark.skipif(os.geteuid() == 0, reason="to the superuser every folder is writable")
def test_a_finished_journal_in_a_folder_that_may_not_be_written_can_be_read(path: Path) -> None:
    with Journal.open(path) as journal:
        asyncio.run(journal.record(call(1)))
    path.parent.chmod(0o555)
    try:
        with Journal.open(path, readonly=True) as reader:
            assert reader.recall(call(1).key) == call(1)
    finally:
        path.parent.chmod(0o755)


def test_a_journal_of_a_newer_version_is_refused(path: Path) -> None:
    Journal.open(path).close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE meta SET value = ? WHERE name = 'schema'", (b"%d" % (SCHEMA + 1),))
    other.close()
    for readonly in (False, True):
        with pytest.raises(InputError, match="newer aide") as caught:
            Journal.open(path, readonly=readonly)
        assert "pip install" in caught.value.hint


def test_another_database_or_any_other_file_is_no_journal(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    other.close()
    (tmp_path / "text").write_text("once upon a time " * 100)
    for name in ("other.sqlite", "text"):
        for readonly in (False, True):
            with pytest.raises(InputError, match="no journal"):
                Journal.open(tmp_path / name, readonly=readonly)


def test_a_missing_file_or_folder_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no journal"):
        Journal.open(tmp_path / "journal.sqlite", readonly=True)
    with pytest.raises(InputError):
        Journal.open(tmp_path / "no" / "such" / "journal.sqlite")


def test_a_full_disk_is_told_to_everyone_and_what_was_acknowledged_stays(path: Path) -> None:
    acknowledged: list[AnsweredCall] = []

    async def work() -> None:
        journal = Journal.open(path, pace=0.0)
        with no_file_larger_than(400_000), pytest.raises(AideError) as caught:
            for number in range(1000):
                await journal.record(call(number, body=b"x" * 5000))
                acknowledged.append(call(number, body=b"x" * 5000))
        assert caught.value.scope == "run"
        assert caught.value.hint
        assert str(path) in str(caught.value)
        with pytest.raises(AideError):
            await journal.record(call(2000))
        with pytest.raises(AideError):
            journal.decide("after", "all", 1)
        assert journal.get_decision("after", "all") is None
        journal.close()

    asyncio.run(work())
    assert acknowledged
    with Journal.open(path) as journal:
        assert list(journal.read_calls()) == acknowledged


def test_decisions_that_were_lost_unnoticed_are_told_on_closing(path: Path) -> None:
    journal = Journal.open(path)
    with no_file_larger_than(1000):
        journal.decide("big", "one", "x" * 50_000)
        with pytest.raises(AideError):
            journal.close()
    journal.close()


def test_the_size_is_that_of_the_closed_file(path: Path) -> None:
    with Journal.open(path, pace=0.0) as journal:
        asyncio.run(journal.record(call(1, body=Random(1).randbytes(100_000))))
        asyncio.run(journal.record(call(2, body=Random(2).randbytes(10))))
        measured = journal.measure_size()
        assert measured > 100_000
    assert path.stat().st_size == measured
