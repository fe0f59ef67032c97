"""The precheck of a run: seeds read in folds, definitions of labels mended once, each result journaled."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aide.card import card_to_toml
from aide.errors import BudgetSpent, EndpointUnusable
from aide.formats import FORMATS, Label, TaskCard
from aide.journal import Journal, Outcome
from aide.judging.precheck import MAX_SEEDS, Precheck, SeedCheck
from aide.judging.verdict import Thresholds
from aide.records import Payload, Seed
from aide.run.folder import RunFolder
from aide.run.judge_groups import GroupedJudge
from aide.run.precheck import DECISION, enforce_min_share, fix_thresholds, run_precheck
from aide.run.task_card import DESCRIBED
from aide.stop import StopSwitch
from unit.run.prepared import make_card, make_inputs, make_seed, make_seeds, make_spec

SOUND = {
    "on_task": True,
    "in_style": True,
    "plausible": True,
    "answerable": True,
    "gives_away": False,
    "relevance": 8,
}
MIXED = "card_arrival"


class Bench:
    """A session as far as the precheck needs it. The judge mixes two labels up until their definitions say more."""

    def __init__(self, journal: Journal, folder: Path, seeds: Sequence[Seed] | None = None,
                 format: str = "classification", size: int = 2, **spec: Any) -> None:  # fmt: skip
        self.journal = journal
        self.seeds = make_seeds() if seeds is None else tuple(seeds)
        self.inputs = make_inputs(self.seeds, format)
        self.size = size
        self.calls: list[dict[str, Any]] = []
        self.confused = False
        """Whether texts of `cash_fee` are taken for cards."""
        self.mended = "a charge for taking out money"
        """What the model defines `cash_fee` as when it is asked again."""
        self.heals = True
        """Whether that helps."""
        self.fault: Exception | None = None
        self.session: Any = SimpleNamespace(
            journal=journal,
            spec=make_spec(**spec),
            ask_for=self.ask_for,
            sandbox=None,
            folder=RunFolder(folder),
        )
        labels = tuple(
            Label(name, "what it says") for name in dict.fromkeys(seed.draft.output for seed in self.seeds)
        )
        self.card = make_card(self.seeds, format, **({"labels": labels} if FORMATS[format].labelled else {}))
        journal.set_meta("card", card_to_toml(self.card))
        journal.set_meta(DESCRIBED, card_to_toml(self.card))

    def judge_for(self, card: TaskCard) -> GroupedJudge:
        return GroupedJudge(
            self.journal, StopSwitch(), card, self.inputs.format, self.seeds,
            lambda node: self.ask_for(node, SimpleNamespace(card=card)), size=lambda: self.size,
            note_size=lambda wanted, got: None, count_open=lambda: 0, whole=False,
        )  # fmt: skip

    def ask_for(self, node: str, prompts: Any = None) -> Any:
        async def ask(step: str, payload: Payload[Any], /, *, template: str, **context: Any) -> Any:
            self.calls.append({"node": node, "step": step, "template": template, **context})
            if self.fault is not None:
                raise self.fault
            return payload.read(
                json.dumps(self._answer(step, template, context, getattr(prompts, "card", None)))
            )

        return ask

    def _answer(self, step: str, template: str, context: dict[str, Any], card: TaskCard | None) -> Any:
        if step == "card":
            words = {"cash_fee": self.mended, MIXED: "a card that has not come by post"}
            return {label.name: {"definition": words[label.name], "near": []} for label in context["labels"]}
        if template == "reflect/beside":
            rights = [
                pair["answer"] in {seed.draft.output for seed in self.seeds} for pair in context["pairs"]
            ]
            return {"verdicts": [
                {"n": n, "fault": "", "correct": right, "residue": False, "diversity": 8}
                for n, right in enumerate(rights, start=1)
            ]}  # fmt: skip
        if step == "answer":
            return {"label": self._read(context["question"], card)}
        return {"verdicts": [
            {"n": n, "answer": self._read(text["shown"], card), **SOUND}
            for n, text in enumerate(context["texts"], start=1)
        ]}  # fmt: skip

    def _read(self, text: str, card: TaskCard | None) -> str:
        own = {seed.draft.input: seed.draft.output for seed in self.seeds}[text]
        known = {label.name: label.description for label in card.labels} if card else {}
        healed = self.heals and known.get("cash_fee") == self.mended
        return MIXED if self.confused and not healed and own == "cash_fee" else own

    async def run(self) -> tuple[TaskCard, Precheck]:
        return await run_precheck(self.session, self.inputs, self.card, self.judge_for)

    @property
    def readings(self) -> list[list[str]]:
        return [[text["shown"] for text in call["texts"]] for call in self.calls if "texts" in call]


def play(folder: Path, scene: Callable[[Bench], Awaitable[None]], **how: Any) -> None:
    async def run() -> None:
        with Journal.open(folder / "journal.sqlite", pace=0.0) as journal:
            await scene(Bench(journal, folder, **how))

    asyncio.run(run())


def test_seeds_are_read_in_folds_beside_examples_that_are_not_among_them(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        card, precheck = await bench.run()
        assert (precheck.right, precheck.takes_right) == ((6, 6), (6, 6))
        assert card == bench.card
        assert sorted(map(len, bench.readings)) == [2, 2, 2]
        for call, texts in zip(bench.calls, bench.readings, strict=True):
            assert not {demo.input for demo in call["demos"]} & {*texts}
            assert len(call["demos"]) == 4

    play(tmp_path, scene)


def test_at_least_half_of_the_seeds_are_left_for_examples(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        await bench.run()
        assert sorted(map(len, bench.readings)) == [3, 3]

    play(tmp_path, scene, size=8)


def test_a_seed_that_was_tried_is_not_tried_again(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        _, first = await bench.run()
        bench.calls.clear()
        _, again = await bench.run()
        assert again == first
        assert bench.calls == []

    play(tmp_path, scene)

    async def later(bench: Bench) -> None:
        _, precheck = await bench.run()
        assert bench.readings == [["One more card?"]]
        assert len(precheck.seeds) == 7

    play(tmp_path, later, seeds=[*make_seeds(), make_seed("One more card?", "card_arrival")])


def test_decisions_of_version_0_1_are_read(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        for seed in bench.seeds:
            old = {
                "name": seed.name,
                "expected": "a",
                "said": "a",
                "right": True,
                "takes_right": True,
                "takes_wrong": False,
            }
            bench.journal.decide(DECISION, seed.id, old)
        _, precheck = await bench.run()
        assert (precheck.right, precheck.grades, bench.calls) == ((6, 6), (), [])

    play(tmp_path, scene)


def test_of_many_seeds_a_hundred_are_tried_and_always_the_same(tmp_path: Path) -> None:
    seeds = [
        make_seed(f"Where is card {n}?", ("card_arrival", "cash_fee")[n % 2]) for n in range(MAX_SEEDS + 40)
    ]

    async def scene(bench: Bench) -> None:
        _, first = await bench.run()
        assert len(first.seeds) == MAX_SEEDS
        bench.calls.clear()
        await bench.run()
        assert bench.calls == []

    play(tmp_path, scene, seeds=seeds, size=40)


# --- definitions of labels ----------------------------------------------------------------------------------


def test_definitions_with_which_seeds_go_wrong_are_written_again(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.confused = True
        card, precheck = await bench.run()
        assert precheck.right == (6, 6)
        assert {label.name: label.description for label in card.labels}["cash_fee"] == bench.mended
        assert bench.journal.get_meta("card") == bench.journal.get_meta(DESCRIBED) == card_to_toml(card)
        assert (tmp_path / "task.toml").exists()
        (asked,) = [call for call in bench.calls if call["step"] == "card"]
        assert {(mistake.right, mistake.given) for mistake in asked["mistakes"]} == {("cash_fee", MIXED)}

    play(tmp_path, scene)


def test_definitions_that_help_no_more_are_not_taken(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.confused, bench.heals = True, False
        card, precheck = await bench.run()
        assert card == bench.card
        assert precheck.right == (4, 6)
        assert bench.journal.get_meta("card") == card_to_toml(bench.card)
        assert sum(call["step"] == "card" for call in bench.calls) == 1, "once is enough"

    play(tmp_path, scene)


def test_a_card_that_a_person_edited_is_left_alone(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.confused = True
        bench.journal.set_meta("card", "edited")
        card, precheck = await bench.run()
        assert (card, precheck.right) == (bench.card, (4, 6))
        assert not any(call["step"] == "card" for call in bench.calls)

    play(tmp_path, scene)


def test_definitions_that_a_person_gave_are_never_touched(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.confused = True
        given = (Label("cash_fee", "a person's own words"), Label("card_arrival"))
        bench.inputs = make_inputs(bench.seeds)
        object.__setattr__(bench.inputs, "labels", given)
        bench.card = make_card(bench.seeds, labels=(*given, Label("transfer_pending", "x")))
        bench.journal.set_meta("card", card_to_toml(bench.card))
        bench.journal.set_meta(DESCRIBED, card_to_toml(bench.card))
        card, _ = await bench.run()
        assert {label.name: label.description for label in card.labels}["cash_fee"] == "a person's own words"

    play(tmp_path, scene)


def test_once_there_are_records_the_card_stays_whatever_later_seeds_say(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.confused = True
        await bench.journal.settle(Outcome("record", "accepted", "seed", "seed", 1, 0, "plain", "", b"{}"))
        card, precheck = await bench.run()
        assert (card, precheck.right) == (bench.card, (4, 6))

    play(tmp_path, scene)


# --- answers that no code can compare -------------------------------------------------------------------------


def test_the_judge_is_shown_a_right_and_a_wrong_answer_and_never_both_in_one_call(tmp_path: Path) -> None:
    seeds = [make_seed(f"Why number {n}?", f"Because of reason {n}.") for n in range(5)]

    async def scene(bench: Bench) -> None:
        _, precheck = await bench.run()
        assert precheck.right == (0, 0)
        assert (precheck.takes_right[1], precheck.takes_wrong[1]) == (5, 5)
        for call in bench.calls:
            texts = [pair["text"] for pair in call.get("pairs", ())]
            assert len(texts) == len(set(texts))

    play(tmp_path, scene, seeds=seeds, format="free_text", size=4)


# --- without a judge ------------------------------------------------------------------------------------------


def test_without_a_judge_the_solver_answers_the_seeds(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.confused = True
        _, precheck = await bench.run()
        assert precheck.right == (4, 6)
        assert precheck.grades == ()
        assert {call["step"] for call in bench.calls} == {"answer"}
        assert all(call["question"] not in {demo.input for demo in call["demos"]} for call in bench.calls)

    play(tmp_path, scene, reflection=False)


def test_a_fault_of_the_run_ends_the_precheck_and_keeps_nothing_half(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        bench.fault = BudgetSpent("no more calls")
        with pytest.raises(BudgetSpent):
            await bench.run()
        assert list(bench.journal.read_decisions(DECISION)) == []

    play(tmp_path, scene)


# --- what follows -----------------------------------------------------------------------------------------------


def make_precheck(*grades: int, right: int = 10) -> Precheck:
    return Precheck(tuple(
        SeedCheck(str(n), "a", "a", n < right, True, None, grade) for n, grade in enumerate(grades)
    ))  # fmt: skip


def test_the_least_relevance_is_that_of_the_first_seeds(tmp_path: Path) -> None:
    async def scene(bench: Bench) -> None:
        assert fix_thresholds(bench.journal, make_precheck(*[6] * 10), Thresholds()).min_relevance == 6
        later = make_precheck(*[9] * 10)
        assert fix_thresholds(bench.journal, later, Thresholds()).min_relevance == 6
        assert fix_thresholds(bench.journal, later, Thresholds(min_relevance=4)).min_relevance == 4

    play(tmp_path, scene)


@pytest.mark.parametrize(("least", "right", "enough"), [(None, 0, True), (0.8, 8, True), (0.8, 7, False)])
def test_a_share_that_was_asked_for_is_held_to(least: float | None, right: int, enough: bool) -> None:
    spec = make_spec(min_exam=least)
    if enough:
        enforce_min_share(spec, make_precheck(*[8] * 10, right=right))
    else:
        with pytest.raises(EndpointUnusable, match=r"7 of 10 seeds right, below --min-exam 0\.8"):
            enforce_min_share(spec, make_precheck(*[8] * 10, right=right))
