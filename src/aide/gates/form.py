"""What code can check of an input before its answer is paid for, and of an answer before it is judged.

Every check but that of length is fitted to the seeds first: a check that people's own texts don't pass is off, for
what the seeds do is the way of the task. Length is held to the card, which a person may have edited, because the
prompts name the same bounds.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aide.card.traits import Traits, check_traits, join_turns
from aide.dedup.contamination import Contamination
from aide.formats import TaskCard
from aide.gates.answers import AnswerGate
from aide.gates.fault import GateFault
from aide.gates.language import LanguageCheck
from aide.gates.leftovers import Leftovers
from aide.gates.turns import TurnGate, pair_turns
from aide.records import USER, Draft
from aide.text.length import measure_length
from aide.text.shingles import compute_features, measure_jaccard
from aide.text.words import fold_words

# Above the threshold of duplicates, since a record is meant to stay near its parent. Of 4,263 human inputs of 17 tasks
# 0.5 % have another of their task this close. It counts most where duplicates are not looked for.
_COPY_FROM: Final = 0.85
_SEED_DUPLICATES: Final = 0.95  # seeds this similar are an oversight and say nothing about the task
_COMPARED: Final = 200  # seeds that are compared with each other: 20,000 pairs take 0.02 s
_ANSWER_WORDS: Final = 4  # shorter answers stand in honest texts by chance
_ANSWER_LETTERS: Final = 20
_ANSWERS_SEEN: Final = 3  # so many seeds with such an answer before their way counts as a rule
_LABEL_WORDS: Final = 3  # nobody writes a label of so many words by chance
# A label that no one writes by chance: with an underscore, a digit, or a capital inside a word.
_MARKED: Final = re.compile(r"[_\d]|[a-zß-ÿ][A-Z]|\w[./:]\w")
_FIELD: Final = (
    r"(?:label|category|class|intent|sentiment|answer|output|"
    r"kategorie|antwort|catégorie|réponse|categoría|respuesta)"
)


class FormGate:
    """The checks of one task. The same text gets the same verdict whenever it is checked, so a resume agrees."""

    def __init__(
        self,
        card: TaskCard,
        seed_inputs: Sequence[str],
        seed_outputs: Sequence[str],
        avoid: Contamination | None = None,
        workings: Sequence[str] = (),
        columns: Sequence[str] = (),
        chats: Sequence[Draft] = (),
    ) -> None:
        """`workings` are what the seeds have written down on the way to their outputs.

        `columns` are those that an input is joined of, each on a line behind its name; they go out again as columns.
        `chats` are seeds that are conversations, of which every turn of the assistant is an answer.
        """
        self._columns = [re.compile(rf"^{re.escape(name)}: (?=\S)", re.MULTILINE) for name in columns]
        self._card = card
        self._avoid = avoid
        self._leftovers = Leftovers(seed_inputs, "input")
        self._language = LanguageCheck(card.language_code, seed_inputs)
        self._labels = [
            pattern
            for label in card.labels
            if label.name.strip()
            and not any(map((pattern := _label_pattern(label.name)).search, seed_inputs))
        ]
        self._copy_from = _above_seeds(seed_inputs)
        pairs = [pair for chat in chats for pair in pair_turns(chat.turns)]
        self._answer_gate = AnswerGate(
            [asked for asked, _ in pairs] if chats else seed_inputs,
            [said for _, said in pairs] if chats else [*seed_outputs, *filter(None, workings)],
            closed=bool(card.labels) or bool(card.options),
            code=bool(card.code),
        )
        self._chats = bool(chats)
        self._turn_gate = TurnGate(chats, self._answer_gate)
        self._answers = not card.labels and _seeds_keep_answers_out(seed_inputs, seed_outputs)

    def check(
        self, text: str, *, seed: str, parent: str, traits: Mapping[str, Any] | None = None, fixed: str = "",
        grown: bool = False,
    ) -> GateFault | None:  # fmt: skip
        """The first fault of a new input, cheapest check first, or `None`.

        Reasons: `empty`, `prompt_leftover`, `off_form`, `too_short`, `too_long`, `copy` (of its seed or parent),
        `label_inside` (of the card, any label), `wrong_language`, `test_item`. `traits` are those that were
        drawn for it; without them its length is held to the card's bounds. `fixed` are the parts that the text
        asks about. A text that is `grown` holds its parent and more: its length is free, and only the very same words
        make it a copy.
        """
        if not text.strip():
            return GateFault("empty", "there is no text")
        if found := self._leftovers.find(text):
            return GateFault("prompt_leftover", found.text)
        places = [match.start() if (match := each.search(text)) else -1 for each in self._columns]
        if places and (min(places) < 0 or places != sorted(places)):
            return GateFault("off_form", "it lacks a line that each input has, or has them in another order")
        counted = join_turns(text) if self._chats else text
        if fault := self._check_traits(counted, traits) if traits else self._check_length(counted, grown):
            return fault
        if fault := self._copied(text, {"seed": seed, "parent": parent}, 1.0 if grown else self._copy_from):
            return fault
        for pattern in self._labels:
            if match := pattern.search(text):
                return GateFault("label_inside", match[0].strip())
        if language := self._language.foreign(text):
            wanted = self._card.language or self._card.language_code
            return GateFault("wrong_language", f"{language} where {wanted} is wanted")
        return self._given_away(text, (), fixed)

    def _check_length(self, text: str, grown: bool) -> GateFault | None:
        if grown:
            return None
        unit, least, most = self._card.unit, self._card.min_words, self._card.max_words
        length = measure_length(text, unit)
        if length < least:
            return GateFault("too_short", f"{length} {unit}, at least {least} are wanted")
        return GateFault("too_long", f"{length} {unit}, at most {most} are wanted") if length > most else None

    def _check_traits(self, text: str, traits: Mapping[str, Any]) -> GateFault | None:
        problem = check_traits(Traits.from_dict(traits), text)
        return GateFault("off_traits", problem) if problem else None

    def check_turns(self, draft: Draft) -> GateFault | None:
        """The first fault of the turns of a new conversation: see `TurnGate`."""
        return self._turn_gate.check(draft) if draft.turns else None

    def check_answer(self, text: str, answer: Draft) -> GateFault | None:
        """The first fault of an answer to the input `text`: see `AnswerGate`, and two that lie between both halves.

        `answer_inside` where the input holds its own answer, and seeds' inputs do not; `test_item` where the options,
        once there are some, tell an item of a test set.
        """
        if answer.turns and answer.turns[-1].calls:
            return None  # JSON that was held against the functions
        text = next((turn.content for turn in reversed(answer.turns) if turn.role == USER), text)
        if fault := self._answer_gate.check(text, answer) or self.check_turns(answer):
            return fault
        if self._answers and _contains_answer(text, answer.output):
            return GateFault("answer_inside", answer.output.strip()[:80])
        return self._given_away(text, answer.choices, "") if answer.choices else None

    def _given_away(self, text: str, options: Sequence[str], fixed: str) -> GateFault | None:
        hit = self._avoid.find(text, options, fixed) if self._avoid is not None else None
        return GateFault("test_item", str(hit)) if hit else None

    def _copied(self, text: str, sources: dict[str, str], copy_from: float) -> GateFault | None:
        words, features = compute_features(text)
        for name, source in sources.items():
            theirs, their_features = compute_features(source)
            # Two texts of nothing but punctuation have the same words: none.
            if words == theirs and (words or text == source):
                return GateFault("copy", f"the same as its {name}")
            if (similarity := measure_jaccard(features, their_features)) >= copy_from:
                return GateFault("copy", f"{similarity:.0%} of its {name}")
        return None


def _above_seeds(seeds: Sequence[str]) -> float:
    """The similarity from which a text is a copy: 0.85, or more than any two seeds have."""
    features = [compute_features(seed)[1] for seed in seeds[:_COMPARED]]
    pairs = (measure_jaccard(a, b) for at, a in enumerate(features) for b in features[:at])
    greatest = max((pair for pair in pairs if pair < _SEED_DUPLICATES), default=0.0)
    return max(_COPY_FROM, greatest + 0.01)  # just above: two seeds are no copies of each other


def _label_pattern(name: str) -> re.Pattern[str]:
    """How `name` betrays itself in a text.

    A name that is marked as one, or of three words and more, wherever it stands. Others are words like any, and only
    their use as a label counts: alone on a line, in brackets at an end, or after the name of a field.
    """
    exact = re.escape(name.strip())
    if _MARKED.search(name) or len(name.split()) >= _LABEL_WORDS:
        return re.compile(rf"(?<!\w){exact}(?!\w)", re.IGNORECASE)
    # Within its line, so that each line is looked at once, however many there are.
    return re.compile(
        rf"^[^\w\n]*{exact}[^\w\n]*$|\A\s*[\[(]{exact}[\])]|[\[(]{exact}[\])]\s*\Z|\b{_FIELD}\W{{1,3}}{exact}(?!\w)",
        re.IGNORECASE | re.MULTILINE,
    )


def _seeds_keep_answers_out(inputs: Sequence[str], outputs: Sequence[str]) -> bool:
    """Whether no seed's input holds its answer, of enough seeds that could."""
    pairs = [(text, answer) for text, answer in zip(inputs, outputs, strict=False) if _is_telling(answer)]
    return len(pairs) >= _ANSWERS_SEEN and not any(_contains_answer(text, answer) for text, answer in pairs)


def _is_telling(answer: str) -> bool:
    words = fold_words(answer)
    lettered = sum(word.isalpha() for word in words)
    return lettered >= _ANSWER_WORDS and len(" ".join(words)) >= _ANSWER_LETTERS


def _contains_answer(text: str, answer: str) -> bool:
    return _is_telling(answer) and f" {' '.join(fold_words(answer))} " in f" {' '.join(fold_words(text))} "
