"""The judge of a run: what it sees and does not see, and real texts among those that it reads."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from aide.errors import Unusable
from aide.formats import FORMATS
from aide.journal import Journal
from aide.records import PLAIN, Comparison, Draft, Hop, Parts, Payload, Point, Reading, Seed, Triple
from aide.run.judge_groups import EXAMPLE_TOKENS, EXAMPLES, LEAST_SEEDS, REAL, GroupedJudge, count_real
from aide.stop import StopSwitch
from unit.run.prepared import MESSAGES, make_card, make_seed, make_seeds

READING = {
    "on_task": True,
    "in_style": True,
    "plausible": True,
    "answerable": True,
    "gives_away": False,
    "relevance": 8,
}


class Asked:
    """An `Ask` that grades every text alike, and keeps what each call was shown."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.answers: dict[str, str] = {}
        """What it answers to a text, else the first label."""
        self.left_out: set[str] = set()
        self.broken = False

    def ask_for(self, node: str) -> Any:
        async def ask(step: str, payload: Payload[Any], /, *, template: str, **context: Any) -> Any:
            self.calls.append({"node": node, "step": step, "template": template, **context})
            return self._answer(payload, template, context)

        return ask

    def _answer(self, payload: Payload[Any], template: str, context: dict[str, Any]) -> Any:
        if self.broken:
            raise Unusable("invalid", "no JSON")
        if template.startswith("reflect/beside"):
            rows: list[dict[str, Any]] = [
                {"n": n, "residue": False, "diversity": 6} for n in range(1, len(context["pairs"]) + 1)
            ]
        else:
            rows = [
                {"n": n, "answer": self.answers.get(text["shown"], "card_arrival"), **READING}
                for n, text in enumerate(context["texts"], start=1)
                if text["shown"] not in self.left_out
            ]
        return payload.read(json.dumps({"verdicts": rows}))

    @property
    def shown(self) -> list[list[str]]:
        """The texts of each reading."""
        return [[text["shown"] for text in call["texts"]] for call in self.calls if "texts" in call]

    @property
    def pairs(self) -> list[list[Any]]:
        return [call["pairs"] for call in self.calls if "pairs" in call]


class Bench:
    """A judge over a journal, a stop switch and an `Asked`."""

    def __init__(
        self, journal: Journal, *, seeds: Sequence[Seed] | None = None, format: str = "classification",
        size: int = 3, whole: bool = False,
    ) -> None:  # fmt: skip
        self.journal = journal
        self.stop = StopSwitch()
        self.seeds = make_seeds() if seeds is None else tuple(seeds)
        self.card = make_card(self.seeds, format, options=3)
        self.asked = Asked()
        self.open = 100
        self.sizes: list[tuple[int, int]] = []
        self.judge = GroupedJudge(
            journal, self.stop, self.card, FORMATS[format], self.seeds, self.asked.ask_for, size=lambda: size,
            note_size=lambda wanted, got: self.sizes.append((wanted, got)), count_open=lambda: self.open, whole=whole,
        )  # fmt: skip

    def hop(
        self, n: int, *, plain: bool = False, label: str | None = "card_arrival", group: str = "g"
    ) -> Hop:
        seed = self.seeds[n % len(self.seeds)]
        parent = Point(seed.id, seed.draft, seed.parts, 0)
        if plain:
            return Hop(seed, parent, 1, PLAIN, label=label, pool="1", ordinal=n, group=group)
        return Hop(seed, parent, 1, "reasoning", Triple("t", "r", str(n)), label=label, group=group)

    def read(self, n: int, **how: Any) -> "asyncio.Task[Reading]":
        draft = how.pop("draft", Draft(f"text {n}", "cash_fee"))
        return asyncio.create_task(self.judge.read(self.hop(n, **how), draft))

    def compare(self, n: int, **how: Any) -> "asyncio.Task[Comparison]":
        return asyncio.create_task(self.judge.compare(self.hop(n, **how), Draft(f"text {n}", "its answer")))


async def finish(*tasks: "asyncio.Task[Any]") -> list[Any]:
    for _ in range(50):
        await asyncio.sleep(0)
    assert all(task.done() for task in tasks), "somebody waits for ever"
    return [task.result() for task in tasks]


def play(folder: Path, scene: Callable[[Bench], Awaitable[None]], **how: Any) -> None:
    async def run() -> None:
        with Journal.open(folder / "journal.sqlite", pace=0.0) as journal:
            await scene(Bench(journal, **how))

    asyncio.run(run())


def real_texts(bench: Bench) -> set[str]:
    return {FORMATS[bench.card.format].show_to_judge(seed.draft) for seed in bench.seeds}


# --- part one -------------------------------------------------------------------------------------------


def test_the_judge_sees_a_text_and_neither_its_answer_nor_what_it_was_meant_for(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.open = 1
        await finish(bench.read(0, draft=Draft("a new text", "the answer", reasoning="because")))
        (call,) = bench.asked.calls
        seen = json.dumps([call["texts"], call["reading"], call["template"]])
        for hidden in ("the answer", "because", "card_arrival", bench.seeds[0].draft.input):
            assert hidden not in seen
        assert call["template"] == "reflect/blind"

    play(tmp_path, scene)


def test_several_texts_share_a_call_and_each_hears_its_own_reading(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.asked.answers = {"text 1": "cash_fee"}
        bench.open = 3
        found = await finish(*(bench.read(n) for n in range(3)))
        assert [reading.own_answer for reading in found] == ["card_arrival", "cash_fee", "card_arrival"]
        assert len(bench.asked.calls) == 1

    play(tmp_path, scene)


def test_a_second_label_is_told_unless_it_is_the_first_again(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.open = 1
        assert (await finish(bench.read(0)))[0].second_answer == ""
        READING_AGAIN = {**READING, "second": "Card_Arrival"}
        bench.asked._answer = lambda payload, *_: payload.read(  # type: ignore[method-assign]
            json.dumps({"verdicts": [{"n": 1, "answer": "card_arrival", **READING_AGAIN}]})
        )
        assert (await finish(bench.read(1)))[0].second_answer == ""

    play(tmp_path, scene)


@pytest.mark.parametrize("labels", [True, False])
def test_texts_of_one_label_stand_side_by_side_only_where_there_are_no_others(
    tmp_path: Path, labels: bool
) -> None:
    async def scene(bench: Bench) -> None:
        kinds = ["card_arrival"] * 3 + ["cash_fee"] * 2 + ["transfer_pending"]
        tasks = [bench.read(n, label=kind if labels else None) for n, kind in enumerate(kinds)]
        for _ in range(50):
            await asyncio.sleep(0)
        first = [int(text.split()[1]) for text in bench.asked.shown[0] if text.startswith("text ")]
        assert first == ([0, 3, 5] if labels else [0, 1, 2])
        bench.open = 3
        bench.judge.send_full()
        await finish(*tasks)

    play(tmp_path, scene, format="classification" if labels else "free_text")


# --- real texts among them --------------------------------------------------------------------------------


def test_a_real_text_stands_unmarked_among_the_others_and_is_no_example(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        places = set()
        for first in range(0, 60, 3):
            bench.open = 3
            await finish(*(bench.read(n) for n in range(first, first + 3)))
            call, texts = bench.asked.calls[-1], bench.asked.shown[-1]
            assert len(texts) == 4
            (real,) = [text for text in texts if text in real_texts(bench)]
            assert real not in {demo.input for demo in call["demos"]}
            places.add(texts.index(real))
        assert places == {0, 1, 2, 3}

    play(tmp_path, scene)


def test_how_real_texts_were_read_is_kept(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.open = 3
        await finish(*(bench.read(n) for n in range(3)))
        ((_, kept),) = bench.journal.read_decisions(REAL)
        assert kept["relevance"] == 8
        assert kept["seed"] in {seed.id for seed in bench.seeds}

    play(tmp_path, scene)


def test_a_text_that_is_read_alone_has_no_company_to_hide_a_real_one_in(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.open = 1
        await finish(bench.read(0))
        assert bench.asked.shown == [["text 0"]]
        assert list(bench.journal.read_decisions(REAL)) == []

    play(tmp_path, scene)


def test_of_few_seeds_all_are_examples(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.open = 3
        await finish(*(bench.read(n) for n in range(3)))
        assert bench.asked.shown == [["text 0", "text 1", "text 2"]]
        assert len(bench.asked.calls[0]["demos"]) == LEAST_SEEDS - 1

    play(tmp_path, scene, seeds=make_seeds(MESSAGES[: LEAST_SEEDS - 1]))


def test_a_real_text_that_was_left_out_is_no_finding_and_costs_nobody_else(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.asked.left_out = real_texts(bench)
        bench.open = 3
        found = await finish(*(bench.read(n) for n in range(3)))
        assert len(found) == 3
        assert len(bench.asked.calls) == 1
        assert list(bench.journal.read_decisions(REAL)) == []

    play(tmp_path, scene)


def test_what_was_left_out_is_read_alone(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        answer = bench.asked._answer

        def forget(payload: Any, template: str, context: dict[str, Any]) -> Any:
            bench.asked.left_out = {"text 1"} if len(context["texts"]) > 1 else set()
            return answer(payload, template, context)

        bench.asked._answer = forget  # type: ignore[method-assign]
        bench.open = 3
        await finish(*(bench.read(n) for n in range(3)))
        assert bench.asked.shown[1:] == [["text 1"]]
        assert bench.sizes == [(4, 3), (1, 1)]

    play(tmp_path, scene)


def test_real_readings_are_summed_up() -> None:
    decisions = [
        {"relevance": 8, "fault": ""},
        {"relevance": 5, "fault": "Odd."},
        {"relevance": 9, "fault": ""},
    ]
    assert count_real(decisions) == {"read": 3, "relevance": 7.33, "faulted": 1}
    assert count_real([]) == {}


# --- examples -------------------------------------------------------------------------------------------


def test_calls_differ_by_their_examples_and_show_some(tmp_path: Path) -> None:
    seeds = [make_seed(f"Question number {n} of a customer?", MESSAGES[n % 6][1]) for n in range(40)]

    async def scene(bench: Bench) -> None:
        for first in range(0, 12, 3):
            bench.open = 3
            await finish(*(bench.read(n) for n in range(first, first + 3)))
        shown = [tuple(demo.input for demo in call["demos"]) for call in bench.asked.calls]
        assert {len(demos) for demos in shown} == {EXAMPLES}
        assert len({frozenset(demos) for demos in shown}) == 4

    play(tmp_path, scene, seeds=seeds)


def test_long_examples_are_fewer(tmp_path: Path) -> None:
    seeds = [make_seed(f"{n} " + "word " * (EXAMPLE_TOKENS // 2), "card_arrival") for n in range(6)]

    async def scene(bench: Bench) -> None:
        bench.open = 1
        await finish(bench.read(0))
        assert len(bench.asked.calls[0]["demos"]) == 1

    play(tmp_path, scene, seeds=seeds)


def test_seeds_are_read_beside_others_and_never_beside_themselves(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        found = await bench.judge.read_real(bench.seeds[:3], "fold")
        assert [reading.own_answer for reading in found if reading] == ["card_arrival"] * 3
        (call,) = bench.asked.calls
        assert not {demo.input for demo in call["demos"]} & {*bench.asked.shown[0]}
        assert len(bench.asked.shown[0]) == 3
        assert list(bench.journal.read_decisions(REAL)) == []
        bench.asked.calls.clear()
        await bench.judge.read_real(bench.seeds, "all of them")
        assert bench.asked.calls[0]["demos"] == ()

    play(tmp_path, scene)


def test_a_judge_that_says_nothing_usable_of_the_seeds_raises_nothing(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.asked.broken = True
        assert await bench.judge.read_real(bench.seeds[:3], "fold") == [None] * 3
        assert await bench.judge.compare_answers([Draft("a"), Draft("b")], "fold") == [None] * 2

    play(tmp_path, scene)


# --- fixed parts ------------------------------------------------------------------------------------------


def test_texts_about_one_document_share_a_call_that_shows_it_once(tmp_path: Path) -> None:
    parts = [
        Parts((("contract", f"Flat {n} costs {n} euros."),), "question", "{contract} {question}")
        for n in range(2)
    ]
    seeds = [
        make_seed(f"What does flat {n % 2} cost, asked {n}?", "It says so.", parts[n % 2]) for n in range(6)
    ]

    async def scene(bench: Bench) -> None:
        bench.open = 4
        for first in range(0, 40, 4):
            await finish(*(bench.read(n, label=None) for n in range(first, first + 4)))
        assert len(bench.asked.calls) == 20
        for call in bench.asked.calls:
            texts = [text["shown"] for text in call["texts"]]
            flat = call["parts"].fixed[0][1].split()[1]
            assert {int(text.split()[1]) % 2 for text in texts if text.startswith("text ")} == {int(flat)}
            assert all(f"flat {flat}" in text for text in texts if not text.startswith("text "))

    play(tmp_path, scene, seeds=seeds, format="free_text")


# --- part two -------------------------------------------------------------------------------------------


def test_part_two_shows_the_parent_and_where_code_cannot_compare_the_answer(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.open = 2
        found = await finish(bench.compare(0), bench.compare(1, plain=True))
        assert [each.diversity for each in found] == [6, 6]
        ((guided, plain),) = bench.asked.pairs
        assert (guided["parent"], guided["answer"]) == (bench.seeds[0].draft.input, "its answer")
        assert (plain["parent"], plain["text"]) == ("", "text 1")

    play(tmp_path, scene, format="free_text")
    (tmp_path / "labels").mkdir()

    async def labels(bench: Bench) -> None:
        bench.open = 1
        await finish(bench.compare(0))
        ((pair,),) = bench.asked.pairs
        assert pair["answer"] == ""

    play(tmp_path / "labels", labels)


def test_answers_about_a_document_beside_a_seed_are_held_against_it(tmp_path: Path) -> None:
    def compare(bench: Bench, n: int, depth: int) -> "asyncio.Task[Comparison]":
        parts = Parts((("document", f"Rule {n % 2}."),), "question", "{document} {question}")
        parent = Point(f"root {n}", bench.seeds[0].draft, parts, depth, {"file": "rules.md"})
        hop = Hop(bench.seeds[0], parent, depth + 1, "ask", Triple("t", "r", str(n)), group="g")
        return asyncio.create_task(bench.judge.compare(hop, Draft(f"text {n}", "its answer")))

    async def scene(bench: Bench) -> None:
        bench.open = 4
        await finish(*(compare(bench, n, n // 2) for n in range(4)))
        calls = {call["parts"].fixed_text: call for call in bench.asked.calls}
        assert {call["template"] for call in bench.asked.calls} == {"reflect/beside.document"}
        for place, rule in enumerate(("Rule 0.", "Rule 1.")):
            pairs = calls[rule]["pairs"]
            assert [pair["text"] for pair in pairs] == [f"text {place}", f"text {place + 2}"]
            # A seed lends its manner alone, a record is what the next one has to differ from.
            assert [pair["parent"] for pair in pairs] == ["", bench.seeds[0].draft.input]

    play(tmp_path, scene, format="free_text")


# --- the whole tree -----------------------------------------------------------------------------------------


def test_of_the_whole_tree_a_group_is_read_together_and_compared_together(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.judge.announce("g", 3)
        bench.judge.announce("h", 2)
        tasks = [bench.read(0), bench.read(3, group="h"), bench.read(1)]
        for _ in range(50):
            await asyncio.sleep(0)
        assert bench.asked.calls == []
        bench.judge.withdraw(bench.hop(2))  # its text was a duplicate
        await finish(tasks[0], tasks[2])
        assert {text for text in bench.asked.shown[0] if text.startswith("text ")} == {"text 0", "text 1"}
        bench.judge.withdraw(bench.hop(4, group="h"))
        await finish(tasks[1])
        assert bench.asked.shown[1] == ["text 3"]
        comparing = bench.compare(0)
        for _ in range(50):
            await asyncio.sleep(0)
        assert bench.asked.pairs == []
        bench.judge.withdraw(bench.hop(1))  # refused after its reading
        await finish(comparing)
        assert [pair["text"] for pair in bench.asked.pairs[0]] == ["text 0"]

    play(tmp_path, scene, whole=True)


def test_of_the_whole_tree_what_is_read_again_is_read_alone(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.judge.announce("g", 2)
        await finish(bench.read(0), bench.read(1))
        bench.asked.calls.clear()
        await finish(bench.read(0, draft=Draft("text 0, revised")))
        assert bench.asked.shown == [["text 0, revised"]]
        first, second = bench.compare(0), bench.compare(1)
        await finish(first, second)
        assert len(bench.asked.pairs) == 1
        await finish(bench.compare(0))
        assert len(bench.asked.pairs) == 2

    play(tmp_path, scene, whole=True)


def test_calls_of_the_whole_tree_are_the_same_whatever_comes_first(tmp_path: Path) -> None:
    calls = []
    for name, order in (("one", (0, 1, 2)), ("other", (2, 0, 1))):

        async def scene(bench: Bench, order: tuple[int, ...] = order) -> None:
            bench.judge.announce("g", 3)
            await finish(*(bench.read(n) for n in order))
            await finish(*(bench.compare(n) for n in order))
            calls.append(bench.asked.calls)

        (tmp_path / name).mkdir()
        play(tmp_path / name, scene, whole=True)
    assert calls[0] == calls[1]


def test_with_a_target_nothing_is_announced(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.judge.announce("g", 3)
        bench.open = 1
        await finish(bench.read(0))
        bench.judge.withdraw(bench.hop(0))
        assert bench.asked.shown == [["text 0"]]

    play(tmp_path, scene)


# --- resuming -----------------------------------------------------------------------------------------------


def test_a_resume_shows_the_judge_the_same(tmp_path: Path) -> None:
    calls = []
    for invocation in range(2):

        async def scene(bench: Bench, invocation: int = invocation) -> None:
            bench.judge.restore({bench.hop(1).id} if invocation else ())
            bench.open = 3
            await finish(*(bench.read(n) for n in range(3) if not invocation or n != 1))
            calls.append(bench.asked.calls)

        play(tmp_path, scene)
    assert calls[0] == calls[1]
