"""Chains of instructions: a record asks what its parent asks, and one thing more that needs the answer.

Hayati et al., *Chain-of-Instructions*, 2024 (arXiv 2402.11532): the output of one instruction is the input of the next;
pairs are checked for composability, composed into one instruction, and answered in their order. The two ways are those
by which TaskCraft (Shi et al., 2025, arXiv 2506.10055) extends a task: in depth by a further step on the answer, in
width by a second question, joined to the first so that both answers are needed.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Final, TypeVar

from pydantic import Field

from aide.config.spec import RunSpec
from aide.errors import InputError, NodeError
from aide.frontier import PlantWork, TreeShape
from aide.parsing import ModelPayload, ReplyModel, set_counts
from aide.recipes.contract import Found, RecipeInputs
from aide.recipes.written import WrittenRecipe
from aide.records import Ask, Draft, Hop, Payload, Point, Record, Seed

T = TypeVar("T")

DEPTH: Final = "depth"
WIDTH: Final = "width"
STEPS: Final = "steps"
QUESTIONS: Final = "questions"
FORMATS: Final = ("open", "free_text", "code")
"""Formats whose answers can be built one on the other."""
ANSWERS: Final = (*FORMATS, "sql", "program")
"""Prompts by which these formats ask for an answer; `prompts/recipes/chain/answer/` has a file for each."""
SPARE: Final = 1
"""So many more steps and questions are proposed than are wanted: some don't pass the check."""
_LETTERS: Final = 400


class _Question(ReplyModel):
    question: str
    join: str


class _Proposals(ReplyModel):
    steps: list[str] = Field(default_factory=list)
    questions: list[_Question] = Field(default_factory=list)


class _Check(ReplyModel):
    n: int
    problem: str = ""
    fits: bool


class _Checks(ReplyModel):
    checks: list[_Check] = Field(min_length=1)


@cache
def make_proposals_payload(steps: int, questions: int) -> ModelPayload[_Proposals, dict[str, list[Any]]]:
    """So many further steps and second questions at most, as they stand in the ways of records."""

    def convert(said: _Proposals) -> dict[str, list[Any]]:
        one_line = [_tidy(step) for step in said.steps]
        pairs = dict.fromkeys((_tidy(each.question), _tidy(each.join)) for each in said.questions)
        found: dict[str, list[Any]] = {
            STEPS: [{"step": step} for step in dict.fromkeys(one_line) if step][:steps],
            QUESTIONS: [dict(zip(("question", "join"), pair, strict=True)) for pair in pairs if all(pair)][
                :questions
            ],
        }
        if not any(found.values()):
            raise ValueError("Write the steps and questions that were asked for.")
        return found

    payload = ModelPayload("proposals", _Proposals, convert)
    payload.schema = set_counts(payload.schema, {STEPS: steps, QUESTIONS: questions})
    return payload


@cache
def make_checks_payload(count: int) -> ModelPayload[_Checks, frozenset[int]]:
    """The places, from 0, of those that make sense. What was not spoken of is not among them."""

    def convert(said: _Checks) -> frozenset[int]:
        return frozenset(check.n - 1 for check in said.checks if check.fits)

    payload = ModelPayload("composability", _Checks, convert)
    payload.schema = set_counts(payload.schema, {"checks": count})
    return payload


class Chain(WrittenRecipe):
    """A child asks for its parent's answer and, on it, for one thing more."""

    name = "chain"
    summary = "Each record takes its parent's answer as its input: a further step on it, or a question joined to it."
    source = (
        "Hayati et al., Chain-of-Instructions, 2024 (arXiv 2402.11532); TaskCraft, 2025 (arXiv 2506.10055)"
    )
    needs = "seeds whose answers are prose, worked solutions or code"
    settings = frozenset({"hops", "attributes", "min_diversity"})
    # A chain says what its parent says, and more.
    defaults: ClassVar[Mapping[str, Any]] = {
        "plain_share": 0.0, "residual": "off", "steer": False, "min_diversity": 1, "answer": "separate",
    }  # fmt: skip
    draws_traits = False
    deals_topics = False
    typical: ClassVar[Mapping[str, str]] = {
        "steps": "Take that result and say what follows from it for the next one in line {}.",
        "question": "What is to be said of another matter of the same kind, which is given in a sentence {}?",
        "join": "say which of both results is the greater {}",
        "problem": "",
    }

    @classmethod
    def shape(cls, spec: RunSpec, inputs: RecipeInputs) -> TreeShape:
        """As many steps as questions."""
        matters = {STEPS: spec.attributes, QUESTIONS: spec.attributes}
        return cls.make_shape(spec, matters, {DEPTH: STEPS, WIDTH: QUESTIONS})

    @classmethod
    def check(cls, spec: RunSpec, inputs: RecipeInputs) -> None:
        """The answers can be built one on the other, and there is something to add."""
        if inputs.format.name not in FORMATS:
            raise InputError(
                f"the recipe chain makes nothing of outputs of the format {inputs.format.name}",
                hint=f"an answer must serve as the input of the next question: {', '.join(FORMATS)}",
            )
        if not spec.attributes:
            raise InputError("--attributes 0 leaves nothing to add", hint="--attributes 3 is usual")
        super().check(spec, inputs)

    @classmethod
    def allow_length(cls, spec: RunSpec) -> float:
        """A chain of n instructions may be n times as long as one, and so may its answer."""
        return 1 + spec.hops

    @classmethod
    def make_typical(cls, matter: str, number: int) -> Any:
        """A step, or a question with what joins it."""
        if matter == STEPS:
            return {"step": cls.typical["steps"].format(number)}
        return {name: cls.typical[name].format(number) for name in ("question", "join")}

    async def plant(self, seed: Seed, point: Point, work: PlantWork, ask: Ask) -> Found:
        """What may be added to a parent: proposed by one call, checked for composability by a second one."""
        steps, questions = (count and count + SPARE for count in work.wanted)
        shared: dict[str, Any] = {
            "text": point.draft.input,
            "said": self._show_answer(point),
            "parts": point.parts,
        }
        found = await ask(
            "extract", make_proposals_payload(steps, questions), template="recipes/chain/propose", demos=(),
            max_output=150 + 80 * steps + 120 * questions, steps=steps, questions=questions, **shared,
        )  # fmt: skip
        listed = [(matter, way) for matter, ways in found.items() for way in ways]
        fitting = await ask(
            "extract", make_checks_payload(len(listed)), template="recipes/chain/check", demos=(),
            max_output=100 + 60 * len(listed), ways=[describe_way(way) for _, way in listed], **shared,
        )  # fmt: skip
        fit = [each for place, each in enumerate(listed) if place in fitting]
        kept = {
            matter: [way for own, way in fit if own == matter][:count]
            for matter, count in zip((STEPS, QUESTIONS), work.wanted, strict=True)
        }
        if not any(kept.values()):
            raise NodeError("not_composable", "nothing that was proposed takes its answer as an input")
        return Found("", kept)

    def find_template(self, hop: Hop) -> str:
        """One prompt for both ways."""
        return "recipes/chain/write"

    def find_revision(self) -> str:
        """A chain is rewritten by rules of its own: it is not to differ from its parent."""
        return "recipes/chain/revise"

    def describe(self, hop: Hop, *, answered: bool = False) -> str:
        """What is added to the parent."""
        return describe_way(hop.way)

    def list_values(self, hops: Sequence[Hop]) -> dict[str, Any]:
        """The parent's answer."""
        return {"said": self._show_answer(hops[0].parent)}

    async def finish(self, hop: Hop, draft: Draft, ask: Ask) -> Record:
        """As any written record, but that its answer goes on from its parent's."""
        return await super().finish(hop, draft, self._go_on_from_parent(hop, ask))

    def _go_on_from_parent(self, hop: Hop, ask: Ask) -> Ask:
        """`ask` that shows, wherever the chain is answered, the answer to its first part."""
        templates = [f"answer/{name}" for name in ANSWERS]
        shown: dict[str, Any] = {
            "first": hop.parent.draft.input, "said": self._show_answer(hop.parent), "added": describe_way(hop.way),
        }  # fmt: skip

        async def chained(step: str, payload: Payload[T], /, *, template: str = "", **how: Any) -> T:
            if template not in templates:
                return await ask(step, payload, template=template, **how)
            return await ask(step, payload, template=f"recipes/chain/{template}", **shown, **how)

        return chained

    def _show_answer(self, point: Point) -> str:
        return self.context.format.render(point.draft)


def describe_way(way: Mapping[str, Any]) -> str:
    """What is added to a parent, in one line."""
    if "step" in way:
        return f"A further step: {_close(way['step'])}"
    return f"A second question: {_close(way['question'])} Joined to the first: {_close(way['join'])}"


def _close(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _tidy(text: str) -> str:
    return " ".join(text.split())[:_LETTERS]
