"""The judge of a run: readings and comparisons of different records share calls, real texts among them unmarked."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from aide.card import make_demonstration
from aide.errors import NodeError
from aide.formats import Demonstration, Format, TaskCard
from aide.journal import Journal
from aide.judging.passage import cut_passage
from aide.judging.verdict import (
    ReadingReply,
    VerdictsPayload,
    make_comparison_payload,
    make_reading_payload,
    to_comparison,
    to_reading,
)
from aide.llm.usage import estimate_tokens
from aide.records import WHOLE, Ask, Comparison, Draft, Hop, Parts, Point, Reading, Seed, digest, rng
from aide.run.call_groups import AskTogether, CallGroups, Item
from aide.run.group_sizes import JUDGED, GroupSizes, note_size
from aide.run.inputs import PreparedInputs
from aide.run.session import Session
from aide.stop import StopSwitch
from aide.text.structure import write_structure

R = TypeVar("R")

REAL: Final = "real reading"
"""Kind of the decision that keeps how the judge read a real text."""
ABOUT_DOCUMENT: Final = "reflect/beside.document"
"""The prompt that holds answers against the document that was put beside their seed."""
EXAMPLES: Final = 8
"""Real examples that the judge sees: enough to show how they differ, few enough to be paid for with every call."""
EXAMPLE_TOKENS: Final = 1200
LEAST_SEEDS: Final = 4
"""From so many seeds on, one of them stands unmarked among the texts, and is not among the examples."""


@dataclass(slots=True)
class _Announced:
    """A group whose members are known beforehand, and go together."""

    open: int
    """Members that have not ended."""
    read: set[str] = field(default_factory=set)
    """Those that asked for a reading or withdrew, by id."""
    compared: set[str] = field(default_factory=set)
    """The same for a comparison."""

    def note(self, id: str, came: set[str]) -> bool:
        """True for the first time that a member comes."""
        if id in came:
            return False
        came.add(id)
        return True


class GroupedJudge:
    """A `recipes.Judge` whose calls are shared."""

    def __init__(
        self,
        journal: Journal,
        stop: StopSwitch,
        card: TaskCard,
        format: Format,
        seeds: Sequence[Seed],
        ask_for: Callable[[str], Ask],
        *,
        size: Callable[[], int],
        note_size: Callable[[int, int], None],
        count_open: Callable[[], int],
        whole: bool,
    ) -> None:
        """`ask_for` gives the `Ask` of a call; `size` the most texts of one now, and `note_size` hears how many of how
        many came back; `whole` says that groups are announced, and depend on nothing that finished before.
        """
        self._journal = journal
        self._size = size
        self._card = card
        self._format = format
        self._seeds = seeds
        self._ask_for = ask_for
        self._note_size = note_size
        self._whole = whole
        self._documents: dict[str, Parts] = {}
        self._announced: dict[str, _Announced] = {}
        self._count_open = count_open
        self.readings: CallGroups[Reading] = CallGroups(
            "reading", journal, stop, self._ask_readings, size=size, is_last=self._is_last,
            mix=format.labelled and not whole,
        )  # fmt: skip
        self.comparisons: CallGroups[Comparison] = CallGroups(
            "comparison", journal, stop, self._ask_comparisons, size=size, is_last=self._is_last
        )

    @property
    def size(self) -> int:
        """The most texts of one call now."""
        return max(1, self._size())

    def restore(self, settled: Collection[str]) -> None:
        """Calls that were composed before a stop."""
        self.readings.restore(settled)
        self.comparisons.restore(settled)

    def send_full(self) -> None:
        """Send what no open candidate could still join; ask it whenever one has ended."""
        self.readings.send_full()
        self.comparisons.send_full()

    def _is_last(self) -> bool:
        return self.readings.waiting + self.comparisons.waiting >= self._count_open()

    # --- recipes.Judge --------------------------------------------------------------------------------

    def announce(self, group: str, count: int) -> None:
        """See `recipes.Judge`."""
        if self._whole:
            self._announced[group] = _Announced(count)
            self.readings.announce(group, count)
            self.comparisons.announce(group, count)

    def withdraw(self, hop: Hop) -> None:
        """See `recipes.Judge`; what it has asked for is not withdrawn."""
        if (announced := self._announced.get(hop.group)) is None:
            return
        if announced.note(hop.id, announced.read):
            self.readings.withdraw(hop.group)
        if announced.note(hop.id, announced.compared):
            self.comparisons.withdraw(hop.group)
        announced.open -= 1
        if not announced.open:
            del self._announced[hop.group]

    async def read(self, hop: Hop, draft: Draft) -> Reading:
        """See `recipes.Judge`."""
        item = self._make_item(hop.id, draft, hop.parent.parts)
        announced = self._announced.get(hop.group)
        group = hop.group if announced and announced.note(hop.id, announced.read) else ""
        # Of a whole tree nothing goes with what happens to wait: what is read again is read alone.
        alone = self._whole and not group
        return await self.readings.ask(item, kind=hop.label or hop.parent.id, group=group, alone=alone)

    async def compare(self, hop: Hop, draft: Draft) -> Comparison:
        """See `recipes.Judge`."""
        format = self._format
        item = {
            "id": hop.id,
            "parent": "" if hop.starts_anew else format.show_input(hop.parent.draft),
            "text": format.show_input(draft),
            "answer": format.render(draft) if format.shows_answer(self._card) else "",
            **self._name_document(draft, hop.parent),
        }
        announced = self._announced.get(hop.group)
        group = hop.group if announced and announced.note(hop.id, announced.compared) else ""
        return await self.comparisons.ask(item, group=group, alone=self._whole and not group)

    # --- calls ----------------------------------------------------------------------------------------

    def _make_item(self, id: str, draft: Draft, parts: Parts) -> dict[str, Any]:
        if self._format.chats:
            whole, passage = self._format.list_fixed(draft, parts), ""
        else:
            whole, passage = cut_passage(parts, draft.evidence)
        document = digest("document", *(text for _, text in whole.fixed)) if whole.fixed else ""
        self._documents[document] = whole
        return {
            "id": id,
            "shown": self._format.show_to_judge(draft),
            "document": document,
            "passage": passage,
            "choices": list(draft.choices),
        }

    def _name_document(self, draft: Draft, parent: Point | None = None) -> dict[str, str]:
        """What a comparison has to be shown besides; texts with fixed parts of the seeds are compared without them."""
        if self._format.chats:
            return {"document": self._make_item("", draft, WHOLE)["document"]}
        if parent and parent.source:
            return {"document": self._make_item("", draft, parent.parts)["document"]}
        return {}

    async def read_real(self, seeds: Sequence[Seed], name: str) -> list[Reading | None]:
        """How the judge reads real texts that are not among its examples: the measure for its grades of others."""
        examples = self._choose_examples(name, seeds)
        by_document: dict[str, list[dict[str, Any]]] = {}
        for seed in seeds:
            item = self._item_of(seed)
            by_document.setdefault(item["document"], []).append(item)
        found: dict[str, Reading | None] = {}
        for document, items in by_document.items():
            readings = await _ask_patiently(
                lambda id, some: self._ask_texts(id, some, examples), digest("real", name, document), items
            )
            found |= {item["id"]: reading for item, reading in zip(items, readings, strict=True)}
        return [found[seed.id] for seed in seeds]

    async def compare_answers(self, drafts: Sequence[Draft], name: str) -> list[Comparison | None]:
        """Whether the judge takes these answers for right, of texts that have no parent."""
        by_document: dict[str, list[tuple[int, Item]]] = {}
        for place, draft in enumerate(drafts):
            item = {
                "parent": "",
                "text": self._format.show_input(draft),
                "answer": self._format.render(draft),
            }
            item |= self._name_document(draft)
            by_document.setdefault(item.get("document", ""), []).append((place, item))
        found: dict[int, Comparison | None] = {}
        for document, placed in by_document.items():
            id = digest("answers", name, *([document] if document else []))
            replies = await _ask_patiently(self._ask_comparisons, id, [item for _, item in placed])
            found |= dict(zip([place for place, _ in placed], replies, strict=True))
        return [found[place] for place in range(len(drafts))]

    async def _ask_readings(self, id: str, items: Sequence[Item]) -> Sequence[Reading | None]:
        """Readings of some texts, a real one among them where there are seeds to spare and company to hide in."""
        hidden = self._hide_real(id, items[0]["document"]) if len(items) > 1 else None
        examples = self._choose_examples(id, [hidden] if hidden else [])
        if hidden is None:
            return await self._ask_texts(id, items, examples)
        place = rng("real", id).randrange(len(items) + 1)
        found = list(
            await self._ask_texts(id, [*items[:place], self._item_of(hidden), *items[place:]], examples)
        )
        if (reading := found.pop(place)) is not None:
            self._journal.decide(
                REAL, id, {"seed": hidden.id, "relevance": reading.relevance, "fault": reading.fault}
            )
        return found

    def _hide_real(self, id: str, document: str) -> Seed | None:
        seeds = [each for each in self._seeds if not document or self._item_of(each)["document"] == document]
        return rng("hidden", id).choice(seeds) if seeds and len(self._seeds) >= LEAST_SEEDS else None

    def _item_of(self, seed: Seed) -> dict[str, Any]:
        return self._make_item(seed.id, seed.draft, seed.parts)

    async def _ask_texts(
        self, id: str, items: Sequence[Item], examples: Sequence[Demonstration]
    ) -> Sequence[Reading | None]:
        format, card = self._format, self._card
        schema = format.make_reading_schema(card)
        payload = make_reading_payload(
            format.reading, card.label_names, len(items), write_structure(schema) if schema else ""
        )
        working = card.max_answer_tokens if format.reading in ("worked", "text", "object") else 0
        replies = await self._ask_judge(
            id, payload, template=format.judge_prompt, demos=examples,
            max_output=200 + len(items) * (200 + working),
            parts=self._documents[items[0]["document"]],
            texts=[{"shown": item["shown"], "passage": item["passage"]} for item in items], reading=format.reading,
        )  # fmt: skip
        return [
            None if reply is None else self._to_reading(reply, item)
            for item, reply in zip(items, replies, strict=True)
        ]

    def _to_reading(self, reply: ReadingReply, item: Item) -> Reading:
        format, card = self._format, self._card
        own = format.read_own_answer(reply.answer, Draft("", choices=tuple(item["choices"])), card)
        return to_reading(reply, own, format.read_second_answer(reply.second, own, card))

    async def _ask_comparisons(self, id: str, items: Sequence[Item]) -> Sequence[Comparison | None]:
        answers = self._format.shows_answer(self._card)
        payload = make_comparison_payload(answers, len(items))
        document = items[0].get("document", "")
        about = bool(document) and not self._format.chats
        replies = await self._ask_judge(
            id,
            payload,
            template=ABOUT_DOCUMENT if about else self._format.compare_prompt,
            max_output=200 + 120 * len(items),
            parts=self._documents.get(document, WHOLE),
            pairs=items,
            answers=answers,
        )
        return [None if reply is None else to_comparison(reply) for reply in replies]

    async def _ask_judge(self, id: str, payload: VerdictsPayload, **how: Any) -> list[Any]:
        try:
            replies = await self._ask_for(id)("reflect", payload, **how)
        except NodeError:
            self._note_size(payload.count, 0)
            raise
        self._note_size(payload.count, sum(reply is not None for reply in replies))
        return replies

    def _choose_examples(self, id: str, hidden: Sequence[Seed]) -> tuple[Demonstration, ...]:
        """Real examples for one call, of every label in turn; never those that stand among the texts."""
        away = {seed.id for seed in hidden}
        seeds = [seed for seed in self._seeds if seed.id not in away]
        rng("judge examples", id).shuffle(seeds)
        chosen: list[Demonstration] = []
        left = EXAMPLE_TOKENS * self._format.room
        for seed in seeds:
            example = make_demonstration(seed.draft, self._format)
            size = estimate_tokens(example.input) + estimate_tokens(example.answer)
            if size <= left and len(chosen) < EXAMPLES:
                chosen.append(example)
                left -= size
        return tuple(chosen)


async def _ask_patiently(ask: AskTogether[R], id: str, items: Sequence[Item]) -> list[R | None]:
    """The answers to some items: what a shared call leaves out is asked alone; `None` where that is in vain, too."""

    async def try_to_ask(id: str, some: Sequence[Item]) -> list[R | None]:
        try:
            return list(await ask(id, some))
        except NodeError:
            return [None] * len(some)

    found = await try_to_ask(id, items)
    for place, item in enumerate(items):
        if found[place] is None and len(items) > 1:
            found[place : place + 1] = await try_to_ask(digest(id, str(place)), [item])
    return found


def make_judge(
    session: Session,
    inputs: PreparedInputs,
    card: TaskCard,
    sizes: GroupSizes,
    *,
    count_open: Callable[[], int],
) -> GroupedJudge:
    """The judge of a run whose card is `card`; `count_open` counts the candidates that may still join a call."""
    prompts = inputs.make_prompts(session.spec, card=card)
    return GroupedJudge(
        session.journal, session.stop, card, inputs.format, inputs.seeds, lambda node: session.ask_for(node, prompts),
        size=lambda: sizes.most(JUDGED), note_size=partial(note_size, session, sizes, JUDGED), count_open=count_open,
        whole=session.spec.compute_target(len(inputs.seeds)) is None,
    )  # fmt: skip


def count_real(decisions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How the judge read real texts, unmarked among the others: what its grades are worth."""
    grades = sorted(int(each["relevance"]) for each in decisions)
    if not grades:
        return {}
    faulted = sum(bool(each["fault"]) for each in decisions)
    return {"read": len(grades), "relevance": round(sum(grades) / len(grades), 2), "faulted": faulted}
