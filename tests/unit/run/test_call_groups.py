"""Calls that several records share: composed and journaled first, told to each alone, the same after a stop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from aide.errors import BudgetSpent, NodeError
from aide.journal import Journal
from aide.run.call_groups import DECISION, CallGroups, Item
from aide.stop import StopSwitch


class Bench:
    """Groups over a journal; the model says each text in capitals, but for those that it leaves out."""

    def __init__(self, journal: Journal, size: int = 3) -> None:
        self.journal = journal
        self.stop = StopSwitch()
        self.size = size
        self.last = False
        self.calls: list[tuple[str, list[str]]] = []
        """Id and texts of each call."""
        self.left_out: set[str] = set()
        """Texts that the model leaves out where there are others."""
        self.faults: list[BaseException] = []
        self.gate: asyncio.Event | None = None
        self.groups: CallGroups[str] = CallGroups(
            "test", journal, self.stop, self._answer, size=lambda: self.size, is_last=lambda: self.last
        )

    async def _answer(self, id: str, items: Sequence[Item]) -> Sequence[str | None]:
        texts = [item["text"] for item in items]
        self.calls.append((id, texts))
        if len(texts) > 1:
            # Composed before it is sent: what is asked here can be asked again after a kill.
            kept = self.journal.get_decision(DECISION, id)
            assert kept is not None
            assert kept["items"] == items
        if self.gate is not None:
            await self.gate.wait()
        if self.faults:
            raise self.faults.pop(0)
        return [None if len(texts) > 1 and text in self.left_out else text.upper() for text in texts]

    def ask(self, text: str, **how: Any) -> "asyncio.Task[str]":
        item = {"id": f"record {text}", "text": text, "document": ""}
        return asyncio.create_task(self.groups.ask(item, **how))

    async def ask_all(self, texts: str, **how: Any) -> list[str]:
        return await finish(*[self.ask(text, **how) for text in texts])

    @property
    def texts(self) -> list[str]:
        """The texts of each call."""
        return ["".join(texts) for _, texts in self.calls]


async def settle() -> None:
    """Let everything that can go on do so: nothing here waits for the world outside."""
    for _ in range(50):
        await asyncio.sleep(0)


async def finish(*tasks: "asyncio.Task[str]") -> list[str]:
    """The results of tasks that nothing keeps from ending any more."""
    await settle()
    assert all(task.done() for task in tasks), "somebody waits for ever"
    return [task.result() for task in tasks]


def play(folder: Path, scene: Callable[[Bench], Awaitable[None]], size: int = 3) -> None:
    async def run() -> None:
        with Journal.open(folder / "journal.sqlite", pace=0.0) as journal:
            await scene(Bench(journal, size))

    asyncio.run(run())


def test_each_hears_its_own_answer_of_a_shared_call(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        assert await bench.ask_all("abc") == ["A", "B", "C"]
        assert bench.texts == ["abc"]

    play(tmp_path, scene)


def test_where_one_is_the_most_each_asks_alone_under_its_own_id(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        assert await bench.ask_all("ab") == ["A", "B"]
        assert bench.calls == [("record a", ["a"]), ("record b", ["b"])]

    play(tmp_path, scene, size=1)


def test_who_wants_to_be_alone_is(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        assert await bench.ask_all("ab", alone=True) == ["A", "B"]
        assert bench.texts == ["a", "b"]

    play(tmp_path, scene)


def test_the_rest_is_sent_once_nothing_could_join_it(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        tasks = [bench.ask("a"), bench.ask("b")]
        await settle()
        assert bench.calls == []
        assert bench.groups.waiting == 2
        bench.last = True
        bench.groups.send_full()
        assert await finish(*tasks) == ["A", "B"]
        assert bench.texts == ["ab"]

    play(tmp_path, scene)


def test_an_announced_group_shares_a_call_whatever_else_waits(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.groups.announce("g", 3)
        other = bench.ask("x")
        tasks = [bench.ask(text, group="g") for text in "ab"]
        await settle()
        assert bench.calls == []
        bench.groups.withdraw("g")
        assert await finish(*tasks) == ["A", "B"]
        assert sorted(bench.texts[0]) == ["a", "b"]
        bench.last = True
        bench.groups.send_full()
        assert await finish(other) == ["X"]

    play(tmp_path, scene)


def test_a_call_of_an_announced_group_is_the_same_however_its_items_come(tmp_path: Path) -> None:
    calls = []
    for name, texts in (("one", "abc"), ("other", "cab")):

        async def scene(bench: Bench, texts: str = texts) -> None:
            bench.groups.announce("g", 3)
            await bench.ask_all(texts, group="g")
            calls.append(bench.calls)

        (tmp_path / name).mkdir()
        play(tmp_path / name, scene)
    assert calls[0] == calls[1]


# --- what a call leaves out, or can't bear ------------------------------------------------------------


def test_what_a_call_left_out_is_asked_again_alone(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.left_out = {"b"}
        assert await bench.ask_all("abc") == ["A", "B", "C"]
        assert bench.texts == ["abc", "b"]
        assert bench.groups.left_out == 1

    play(tmp_path, scene)


def test_where_a_call_comes_to_nothing_each_is_asked_alone(tmp_path: Path) -> None:
    """One text that a filter refuses must not cost its neighbours."""

    async def scene(bench: Bench) -> None:
        bench.faults = [NodeError("filtered", "refused")]
        assert await bench.ask_all("abc") == ["A", "B", "C"]
        assert bench.texts == ["abc", "a", "b", "c"]

    play(tmp_path, scene)


def test_a_text_of_which_nothing_can_be_read_costs_itself_alone(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.left_out = {"b"}
        tasks = [bench.ask(text) for text in "abc"]
        await settle()
        bench.calls.clear()

        async def nothing(id: str, items: Sequence[Item]) -> Sequence[str | None]:
            return [None for _ in items]

        bench.groups._ask = nothing
        with pytest.raises(NodeError, match="could not be read") as fault:
            await finish(bench.ask("d", alone=True))
        assert fault.value.reason == "unreadable"
        assert [task.result() for task in tasks] == ["A", "B", "C"]

    play(tmp_path, scene)


def test_a_fault_of_the_run_is_heard_by_all_who_share_the_call(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.faults = [BudgetSpent("no more calls")]
        tasks = [bench.ask(text) for text in "abc"]
        for task in tasks:
            with pytest.raises(BudgetSpent):
                await finish(task)
        assert bench.texts == ["abc"]

    play(tmp_path, scene)


@pytest.mark.parametrize("count", [1, 3])
def test_a_fault_that_nobody_foresaw_is_raised_as_it_is(tmp_path: Path, count: int) -> None:
    async def scene(bench: Bench) -> None:
        bench.faults = [ZeroDivisionError("ours")]
        bench.last = count == 1
        tasks = [bench.ask(text) for text in "abc"[:count]]
        for task in tasks:
            with pytest.raises(ZeroDivisionError):
                await finish(task)

    play(tmp_path, scene)


def test_a_call_that_is_cancelled_takes_along_who_waits_for_it(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.faults = [asyncio.CancelledError()]
        with pytest.raises(asyncio.CancelledError):
            await bench.ask_all("abc")

    play(tmp_path, scene)


# --- a stop -------------------------------------------------------------------------------------------


def test_a_stop_fails_those_who_wait_for_company(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.groups.announce("g", 2)
        tasks = [bench.ask("a"), bench.ask("b", group="g")]
        await settle()
        bench.stop.request(BudgetSpent("enough"))
        for task in tasks:
            with pytest.raises(BudgetSpent):
                await finish(task)
        assert bench.calls == []

    play(tmp_path, scene)


@pytest.mark.parametrize("group", ["", "g"])
def test_nobody_begins_to_wait_after_a_stop(tmp_path: Path, group: str) -> None:
    """Its answer was on the wire when the run was stopped: now it comes for its reading, which nobody would send."""

    async def scene(bench: Bench) -> None:
        bench.groups.announce("g", 2)
        bench.stop.request(BudgetSpent("enough"))
        with pytest.raises(BudgetSpent):
            await finish(bench.ask("a", group=group))
        assert bench.calls == []

    play(tmp_path, scene)


def test_what_is_on_the_wire_at_a_stop_is_heard(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.gate = asyncio.Event()
        tasks = [bench.ask(text) for text in "abc"]
        await settle()
        bench.stop.request(BudgetSpent("enough"))
        bench.gate.set()
        assert await finish(*tasks) == ["A", "B", "C"]

    play(tmp_path, scene)


# --- resuming -----------------------------------------------------------------------------------------


def begin(folder: Path, texts: str, **how: Any) -> list[tuple[str, list[str]]]:
    """An earlier invocation that composed a call for these and was killed; the calls that it made."""
    calls = []

    async def scene(bench: Bench) -> None:
        if how:
            bench.groups.announce(how["group"], len(texts))
        bench.last = len(texts) < bench.size
        await bench.ask_all(texts, **how)
        calls.extend(bench.calls)

    play(folder, scene)
    return calls


def test_a_resume_asks_the_same_calls(tmp_path: Path) -> None:
    before = begin(tmp_path, "abc")

    async def scene(bench: Bench) -> None:
        bench.groups.restore({"record b"})
        assert await bench.ask_all("ca") == ["C", "A"]
        assert bench.calls == before, "one call for both, with the settled one still in it"

    play(tmp_path, scene)


def test_who_was_asked_for_alone_is_again_whatever_company_there_is(tmp_path: Path) -> None:
    before = begin(tmp_path, "a")
    assert before == [("record a", ["a"])]

    async def scene(bench: Bench) -> None:
        bench.groups.restore(())
        tasks = [bench.ask(text) for text in "abcd"]
        assert await finish(*tasks) == ["A", "B", "C", "D"]
        assert sorted(bench.texts) == ["a", "bcd"]
        assert before[0] in bench.calls

    play(tmp_path, scene)


def test_another_text_of_the_same_record_is_another_question(tmp_path: Path) -> None:
    begin(tmp_path, "abc")

    async def scene(bench: Bench) -> None:
        bench.groups.restore(())
        bench.last = True
        revised = {"id": "record a", "text": "z", "document": ""}
        assert await bench.groups.ask(revised) == "Z"
        assert bench.texts == ["z"]

    play(tmp_path, scene)


def test_what_a_call_left_out_is_asked_alone_after_a_resume_too(tmp_path: Path) -> None:
    begin(tmp_path, "abc")

    async def scene(bench: Bench) -> None:
        bench.left_out = {"a"}
        bench.groups.restore(())
        assert await bench.ask_all("ab") == ["A", "B"]
        assert bench.texts == ["abc", "a"]

    play(tmp_path, scene)


def test_the_rest_of_an_announced_group_need_not_wait_for_those_whose_call_is_composed(
    tmp_path: Path,
) -> None:
    """Of a group too large for one call the first was composed before a kill, and the second was not."""
    begin(tmp_path, "abc", group="g")

    async def scene(bench: Bench) -> None:
        bench.groups.restore(())
        bench.groups.announce("g", 5)
        assert sorted(await bench.ask_all("abcde", group="g")) == [*"ABCDE"]
        assert sorted("".join(sorted(texts)) for texts in bench.texts) == ["abc", "de"]

    play(tmp_path, scene)


def test_calls_of_which_all_is_settled_are_not_remembered(tmp_path: Path) -> None:
    begin(tmp_path, "abc")

    async def scene(bench: Bench) -> None:
        bench.groups.restore({f"record {text}" for text in "abc"})
        bench.last = True
        assert await finish(bench.ask("a")) == ["A"]
        assert bench.texts == ["a"]

    play(tmp_path, scene)


def test_calls_of_another_kind_are_not_remembered(tmp_path: Path) -> None:
    begin(tmp_path, "abc")

    async def scene(bench: Bench) -> None:
        other: CallGroups[str] = CallGroups(
            "other", bench.journal, bench.stop, bench._answer, size=lambda: 3, is_last=lambda: True
        )
        other.restore(())
        assert await other.ask({"id": "record a", "text": "a", "document": ""}) == "A"
        assert bench.texts == ["a"]

    play(tmp_path, scene)


def test_a_fault_while_a_composed_call_is_asked_again_is_heard_by_all(tmp_path: Path) -> None:
    begin(tmp_path, "abc")

    async def scene(bench: Bench) -> None:
        bench.groups.restore(())
        bench.faults = [BudgetSpent("no more calls")]
        for task in [bench.ask(text) for text in "ab"]:
            with pytest.raises(BudgetSpent):
                await finish(task)

    play(tmp_path, scene)
