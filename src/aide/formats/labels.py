"""Fixed label sets: the label comes first, and the answer has to agree with it blindly."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from aide.errors import InputError, Rejection, Unusable
from aide.formats.base import Format
from aide.formats.comparing import fold_label
from aide.formats.evidence import find_quote
from aide.formats.task import Label, Question, TaskCard
from aide.parsing import parse_json
from aide.records import Ask, Draft, rng

BLIND_DRAWS: Final = 3
"""Equal blind answers that it takes to give an input another label than the one it was written for."""
_LABEL: Final = re.compile(r"\A\W*(?:the )?(?:label|answer)(?: is)?\W+", re.IGNORECASE)

# Pairs of the two answers, affirmative first, as languages write them.
_PAIRS: Final = """
yes/no true/false y/n correct/incorrect ja/nein ja/nee ja/nej ja/nei oui/non sí/no si/no sim/não да/нет так/ні
да/не tak/nie da/ne da/nu ano/ne áno/nie igen/nem kyllä/ei jah/ei jā/nē taip/ne ναι/όχι evet/hayır bəli/xeyr
はい/いいえ 是/否 是/不是 对/错 對/錯 正确/错误 예/아니요 예/아니오 네/아니요 نعم/لا כן/לא هاں/نہیں بله/خیر
हाँ/नहीं হ্যাঁ/না ஆம்/இல்லை ใช่/ไม่ใช่ có/không ya/tidak oo/hindi ndiyo/hapana bai/ez wahr/falsch
richtig/falsch vrai/faux verdadero/falso vero/falso verdadeiro/falso waar/onwaar sant/fals prawda/fałsz
правда/ложь
"""
PAIRS: Final = tuple((yes, no) for yes, _, no in (pair.partition("/") for pair in _PAIRS.split()))


def find_yes_no_pair(outputs: Sequence[str]) -> tuple[str, ...]:
    """The two strings of a yes/no task as the examples write them, yes first; empty where it is none.

    Where all examples give the same answer, the other one is spelled after it.
    """
    seen: dict[str, str] = {}
    for output in outputs:
        seen.setdefault(fold_label(output), output.strip())
    for pair in PAIRS:
        if seen and seen.keys() <= set(pair):
            like = next(iter(seen.values()))
            # A single capital, as in Y and N, is a title as well: of "Y" the other is "N", of "YES" it is "NO".
            spell = str.upper if like.isupper() and len(like) > 1 else str.title if like.istitle() else str
            return tuple(seen.get(word, spell(word)) for word in pair)
    return ()


@dataclass(slots=True)
class LabelPayload:
    """One of `labels`, with a quote in front of it where there are fixed parts: (label, evidence).

    Case and punctuation around a label are forgiven, and so is a label without its JSON.
    """

    labels: tuple[str, ...]
    schema: Mapping[str, Any] | None
    name: str = "label"

    def read(self, text: str) -> tuple[str, str]:
        """The label as the card spells it, and the evidence; raises `Unusable`."""
        try:
            value = parse_json(text)
        except Unusable:
            value = _LABEL.sub("", text)
        said, evidence = value, ""
        if isinstance(value, dict):
            said = value.get("label", next(iter(value.values()), "") if len(value) == 1 else "")
            evidence = str(value.get("evidence") or "")
        # Asked for yes or no as `true` and `false`, a model may write JSON's own.
        label = find_label(self.labels, str(said).lower() if isinstance(said, bool) else str(said))
        if label is None:
            raise Unusable("invalid", f"`label` must be one of: {', '.join(self.labels)}.", said=text)
        return label, evidence


def find_label(labels: Sequence[str], said: str) -> str | None:
    """The label that is meant, as it is spelled among `labels`; case and punctuation around it are forgiven."""
    if said in labels:
        return said
    close = [label for label in labels if fold_label(label) == fold_label(said)]
    return close[0] if len(close) == 1 else None


@lru_cache(maxsize=64)
def make_label_payload(labels: tuple[str, ...], *, evidence: bool) -> LabelPayload:
    """The payload of one label set.

    Its schema lists the labels in one order however they are shuffled in the prompt: servers compile a grammar for each
    schema, and every new one costs a compilation. The quote comes first, so that the label follows from it.
    """
    properties: dict[str, Any] = {"evidence": {"type": "string"}} if evidence else {}
    properties["label"] = {"type": "string", "enum": list(labels)}
    names = list(properties)
    schema = {"type": "object", "properties": properties, "required": names, "additionalProperties": False}
    return LabelPayload(labels, schema)


_SHOWN: Final = 60  # characters of an output in a message


class Classification(Format):
    """One label of a fixed set."""

    name = "classification"
    labelled = True
    comparable = True
    reading = "labels"

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """One label set beside every example, or few short outputs that come again and stand in no input."""
        if find_yes_no_pair([draft.output for draft in drafts]):
            return False
        same = len({frozenset(draft.choices) for draft in drafts}) == 1 < len(drafts)
        return (same and len(drafts[0].choices) > 1) or _are_few(drafts)

    def start_card(self, drafts: Sequence[Draft], labels: Sequence[Label] = ()) -> TaskCard:
        """The labels that a person gave, else those that the examples list or use."""
        outputs = list(dict.fromkeys(draft.output for draft in drafts))
        if not labels:
            listed = [choice for draft in drafts for choice in draft.choices]
            found = dict.fromkeys([*find_yes_no_pair(outputs), *listed, *outputs])
            if len(found) < 2:
                hint = "give all labels with --labels A,B,…"
                raise InputError("all seeds have the same label", hint=hint)
            labels = tuple(map(Label, found))
        names = {label.name for label in labels}
        if unknown := [output for output in outputs if output not in names]:
            said, given = repr(" ".join(unknown[0].split())[:_SHOWN]), ", ".join(sorted(names))
            if len(unknown) == len(outputs) > 1:
                raise InputError(
                    f"no seed has one of the labels that --labels gives; their outputs are such as {said}",
                    hint=f"leave --labels out if the outputs are texts; else name theirs, not {given}",
                )
            raise InputError(
                f"the seeds have the label {said}, which --labels lacks", hint=f"its labels are {given}"
            )
        return TaskCard(format=self.name, labels=tuple(labels))

    def check_card(self, card: TaskCard) -> tuple[str, str] | None:
        """There are two labels and no label twice."""
        enough = len(set(card.label_names)) >= max(2, len(card.labels))
        return None if enough else ("labels", "a fixed label set has at least two labels, all different")

    async def answer(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """The label that blind answers agree on.

        The intended label, said once, is enough: writer and reader are of one mind. Against it stands what the writer
        meant, so any other label needs three equal blind answers, which then relabel the input. No draw is spent once
        that has become impossible.

        Raises:
            errors.Rejection: step `answer`, reason `label_mismatch`.
        """
        draw = BLIND_DRAWS * question.draw
        first = await self._blind(ask, card, replace(question, draw=draw))
        if question.label is None or first.output == question.label:
            return first
        for further in range(1, BLIND_DRAWS):
            other = await self._blind(ask, card, replace(question, draw=draw + further, correction=None))
            if other.output != first.output:
                said = f"{first.output!r}, then {other.output!r}"
                raise Rejection("answer", "label_mismatch", f"meant {question.label!r}, answered {said}")
        return first

    async def _blind(self, ask: Ask, card: TaskCard, question: Question) -> Draft:
        """One answer from the input and the labels alone, shuffled: models lean to what stands first."""
        labels = list(card.labels)
        rng(question.id, str(question.draw)).shuffle(labels)

        def build(said: tuple[str, str]) -> Draft:
            return Draft(question.input, said[0], evidence=find_quote(said[1], question.parts))

        payload = make_label_payload(card.label_names, evidence=bool(question.parts.fixed))
        return await self.ask_draft(ask, card, question, payload, build, labels)

    def check(self, draft: Draft, card: TaskCard) -> str:
        """The output is one of the card's labels."""
        if draft.output in card.label_names:
            return ""
        return f"The label must be one of: {', '.join(card.label_names)}."

    def read_own_answer(self, said: str, draft: Draft, card: TaskCard) -> str:
        """The label as the card spells it; what is none of them stays as it was said."""
        close = [name for name in card.label_names if fold_label(name) == fold_label(said)]
        return close[0] if len(close) == 1 else said.strip()

    def read_second_answer(self, said: str, own_answer: str, card: TaskCard) -> str:
        """Another label of the card: models also say "none", or the first one again."""
        second = self.read_own_answer(said, Draft(""), card)
        return second if second in card.label_names and second != own_answer else ""

    def compare(self, one: str, other: str) -> bool:
        """True for two spellings of one label: `Q1 refund` and `Q1 exchange` share a number and are two."""
        return fold_label(one) == fold_label(other)

    def list_wrong_outputs(self, draft: Draft, labels: Sequence[str]) -> list[str]:
        """All other labels."""
        return [name for name in labels or draft.choices if name != draft.output]

    def render_for_training(self, draft: Draft) -> str:
        """The label alone: the working would give it away before it is said."""
        return draft.output


class YesNo(Classification):
    """Classification with the two strings that the seeds use for yes and no."""

    name = "yes_no"

    @property
    def prompt_names(self) -> tuple[str, ...]:
        """What is said to a classification fits wherever nothing is said to yes and no alone."""
        return (self.name, Classification.name)

    def detect(self, drafts: Sequence[Draft]) -> bool:
        """The outputs are a pair of the list above."""
        return bool(find_yes_no_pair([draft.output for draft in drafts]))


def _are_few(drafts: Sequence[Draft]) -> bool:
    """True when outputs are short and come again, and are not simply taken out of the inputs.

    Short answers look like labels: numbers, names found in a text. Labels repeat more often, at least twice each on
    average where a number or many examples make chance repetitions likely, and stand in few inputs word for word.
    """
    outputs = [fold_label(draft.output) for draft in drafts]
    for draft, output in zip(drafts, outputs, strict=True):
        long = "\n" in draft.output or len(draft.output) > 60 or len(output.split()) > 5
        if long or draft.choices or draft.tests:
            return False
    kinds, examples = len(set(outputs)), len(outputs)
    numeric = sum(any(letter.isdigit() for letter in output) for output in outputs)
    copied = sum(output in fold_label(draft.input) for draft, output in zip(drafts, outputs, strict=True))
    most = 0.5 if numeric * 2 > examples or examples > 20 else 0.8
    return (
        examples > 1
        and kinds <= min(most * examples, 200)
        and (copied * 2 < examples or kinds * 2 <= examples)
    )
