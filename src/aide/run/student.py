"""How hard a record is for a student: the share of the student's own answers that differ from the record's.

A student is a small model behind an endpoint, mostly the one that the records are to train. It answers each input
several times at a temperature, with the prompts of a run, and the format compares what it says with the record's output
as it compares any two answers. TAPIR (Yue et al., Findings of EMNLP 2024, arXiv 2405.13448) trains on what a student
fails at, and ARTE (Liu et al., 2024, arXiv 2406.19227) has the student's own answers say what suits it. Here right
answers are counted, and no judge is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from aide.config.spec import RunSpec
from aide.errors import InputError, Rejection, Unusable
from aide.formats import Question, TaskCard
from aide.formats.base import Format
from aide.records import Ask, Draft
from aide.run.inputs import PreparedInputs, count_inputs_card
from aide.verify.answers import rename_step

STEP: Final = "check"
"""The step whose temperature a student samples at: that of answers which are to differ where they are unsure."""


@dataclass(frozen=True, slots=True)
class StudentTrial:
    """What a student answered to one input."""

    answers: tuple[str, ...]
    """What each draw came down to; empty where it was no answer in the task's form."""
    right: int
    """How many of them agree with the record."""

    @property
    def difficulty(self) -> float:
        """The share of wrong answers, from 0 (always right) to 1 (never)."""
        return round(1 - self.right / len(self.answers), 4)

    def as_dict(self) -> dict[str, Any]:
        """The trial as it stands beside a record."""
        return {"draws": len(self.answers), "right": self.right, "answers": list(self.answers)}


def choose_student_card(spec: RunSpec, inputs: PreparedInputs, known: TaskCard | None) -> TaskCard:
    """The task card for a student: that of the run behind the records, else what is counted from the examples.

    A student is not asked what the task is.

    Raises:
        errors.InputError: answers of this task can't be compared by code.
    """
    counted = count_inputs_card(spec, inputs)
    card = known if known is not None and known.format == counted.format else counted
    if not inputs.format.is_comparable(card):
        raise InputError(
            f"answers of the format {inputs.format.name} can't be compared by code, so none can be told wrong",
            hint="--student is for labels, options, numbers, and JSON with fields that must agree; "
            "or say what the outputs are with --format",
        )
    return card


async def try_student(
    ask: Ask, format: Format, card: TaskCard, question: Question, draft: Draft, draws: int
) -> StudentTrial:
    """So many answers of the student to the input of `draft`, each held against its output.

    A draw that is no answer in the task's form, after one more try, counts as wrong.

    Raises:
        errors.NodeError: the endpoint can't serve this input.
    """
    wanted = format.extract_final_answer(draft, card)
    # Draw 0 would be the answer of a run: it is cold, and all draws of a student are alike.
    answers = [
        await _draw(rename_step(STEP, ask), format, card, replace(question, draw=number), draft)
        for number in range(1, draws + 1)
    ]
    right = sum(bool(said) and format.compare(wanted, said) for said in answers)
    return StudentTrial(tuple(answers), right)


async def _draw(ask: Ask, format: Format, card: TaskCard, question: Question, draft: Draft) -> str:
    try:
        return format.extract_final_answer(await format.answer_again(ask, card, question, draft), card)
    except (Unusable, Rejection):
        return ""


def describe_trials(difficulties: Sequence[float]) -> str:
    """How hard the records were, in one line; empty where none was tried."""
    if not difficulties:
        return ""
    mean = sum(difficulties) / len(difficulties)
    always, never = difficulties.count(0.0), difficulties.count(1.0)
    return (
        f"difficulty {mean:.2f} on average; always right {always:,}, sometimes "
        f"{len(difficulties) - always - never:,}, never {never:,}"
    )
