"""What the simulator answers: a schema filled, or a text in the form that the prompt asks for.

Nothing is understood. Values come from delimited inputs of the same name, from the words of the prompt, and from the
mark of the text that is asked about (`texts`): steps that see the same text agree on its label, answer and grade.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, combinations, count, cycle, islice
from typing import Any, Final

import orjson

from aide.records import digest, rng
from aide.simulator.conversations import write_call, write_turns
from aide.simulator.grading import grade
from aide.simulator.request import (
    OUTPUTS,
    ParsedRequest,
    Tag,
    flatten,
    read_examples,
    read_manner,
    read_request,
    read_tags,
    read_turns,
    read_user_words,
)
from aide.simulator.settings import SimulatorSettings
from aide.simulator.texts import (
    Manner,
    Mark,
    draw_share,
    find_words,
    has_mark,
    hash_label,
    hash_label_set,
    keep_line_labels,
    read_mark,
    write_mark,
    write_text,
)

Inputs = Mapping[str, str]

# The text that a request is about stands in the first of these.
_SUBJECTS: Final = ("question", "text", "draft", "parent", "about", "examples")
# What does not set two requests for a new text apart: siblings share it, or it follows from the rest.
_SHARED: Final = {"examples", "part", "not_label", *OUTPUTS}
# Wrong results lie closely above the right one: that is how the judge tells them from answers of people.
_NEAR_TRUTH: Final = 100
_WORD: Final = re.compile(r"\w{3,}")
_NUMBER: Final = re.compile(r"\d+(?!.*\d)", re.DOTALL)
_SENTENCE: Final = re.compile(r"[^.!?。！？;\n]{8,}[.!?。！？;]?")
_CALL: Final = re.compile(r"\b([A-Za-z_]\w*)\(")
COPIED: Final = re.compile(r"copied word for word from the (.+)")  # the description of a quote
OCCURRENCE: Final = "occurrence"
_SLACK: Final = 12  # characters: what every answer holds besides its words
# What a schema may ask of the simulator: beyond it the answer does not fit, as that of a model that ran out of tokens.
_MOST_ITEMS: Final = 1000
_MOST_LETTERS: Final = 100_000
_NUMBERED: Final = ("line.n", "text.n", "pair.n")
_OPTION: Final = re.compile(r"^([A-Z])[.):] .*?(\d+)$", re.MULTILINE)
_CARD: Final = {
    "task": "One short input is given, and its answer is wanted.",
    "source": "people who have a question and write it down in a hurry",
    "register": "Plain and brief, with the words of every day.",
    "answer_form": "A few words or lines that say what was asked for.",
    "hard": "", "language": "", "language_code": "", "locale": "",
}  # fmt: skip


def write_answer(body: Mapping[str, Any], settings: SimulatorSettings) -> str:
    """The text that answers a request body; it depends on messages, schema and `seed` alone."""
    request = read_request(body)
    writer = _Writer(request, settings, flatten(request.tags))
    if request.schema is not None:
        return orjson.dumps(writer.fill(request.schema)).decode()
    if not request.tags:
        return "This is a simulator, not a model."
    wanted = [tag for tag in request.tags if tag.name in OUTPUTS]
    return writer.wrap(wanted) if wanted else writer.answer() if writer.blind else writer.write()


class _Writer:
    """One answer, or one of several that are asked for together: `inputs` are then those of its number."""

    def __init__(self, request: ParsedRequest, settings: SimulatorSettings, inputs: Inputs) -> None:
        self.request, self.settings, self.inputs = request, settings, inputs
        self.kind, self.blind = request.form, request.step == "answer"
        self.written = request.step in ("synthesize", "revise")
        self.number = next((text for name, text in inputs.items() if name in _NUMBERED), "")
        """That of its inputs; empty where nothing numbers them."""
        self.shown = read_examples(inputs.get("examples", ""))
        known = next((name for name in _SUBJECTS if name in inputs), "")
        self.subject = inputs[known] if known else "\n".join(inputs.values()) or request.prose
        if known == "examples" and self.shown:
            self.subject = "\n".join(self.shown)
        self.words = find_words(read_user_words(self.subject)) or [self.subject.strip()[:12] or "text"]
        self.mark = read_mark(self.subject)
        self.order = {name: text for name, text in inputs.items() if name not in _SHARED}
        if self.written:  # other examples make another text, as a temperature does
            self.order["all"] = digest(*self.shown, *(tag.text for tag in request.tags))
        self.dice = rng("dice", known, str(self.order), *request.again)
        # A corrected answer is right.
        wrong = not (request.again[0] or settings.accept_all) and self.dice.random() < settings.wrong
        self.miss = self.dice.randint(1, 9) if wrong else 0
        self.truth = 1000 + self.mark.identity
        self.result = self.truth + self.miss
        self.structured = self.blind and "wrong" not in (request.schema or {}).get("properties", ())
        # Of an answer its values know no more than the question: blind readings have to agree.
        self.values = rng("values", str(self.mark.identity), str(self.miss)) if self.blind else self.dice
        self.texts, self.place = count(), 1
        self.options = (f"{self.dice.choice(self.words)} {number}" for number in count(self.result))

    @cached_property
    def themes(self) -> Iterator[str]:
        """Words of the subject, then numbered ones: none twice, and none that is known already."""
        known = f"{self.inputs.get('triples')} {self.inputs.get('topic')}".casefold()
        fresh = {word.casefold(): word for word in self.dice.sample(self.words, len(self.words))}
        numbered = (f"{self.words[0]} {number}" for number in count(2 + len(known)))
        return chain((word for key, word in fresh.items() if key not in known), numbered)

    def fill(self, schema: Mapping[str, Any], name: str = "") -> Any:
        """An instance of a JSON Schema; `name` is that of the property."""
        for choice in schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf") or ():
            if choice.get("type") != "null":
                return self.fill(choice, name)
        if "const" in schema or "enum" in schema:
            return self.choose_any(schema.get("enum") or [schema["const"]])
        kinds = schema.get("type", "object" if "properties" in schema else "string")
        kind = next(each for each in kinds if each != "null") if isinstance(kinds, list) else kinds
        if kind == "object":
            return self.fill_object(schema.get("properties", {}))
        if kind == "array":
            return self.fill_list(schema, name)
        if kind == "string":
            if copied := COPIED.fullmatch(schema.get("description", "")):
                return self.copy_word(copied[1])
            text = str(self.verdict[name]) if name in self.verdict else self.find_value(name)
            while len(text) < min(schema.get("minLength", 0), _MOST_LETTERS):
                text += f" {self.values.choice(self.words)}"
            return text[: schema.get("maxLength")]
        if kind in ("integer", "number") and name not in self.verdict:
            return self.fill_number(schema, name)
        return self.verdict.get(name, None if kind == "null" else True)

    def fill_number(self, schema: Mapping[str, Any], name: str) -> int:
        """A number within its bounds."""
        low = int(schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1))
        high = int(schema.get("maximum", schema.get("exclusiveMaximum", low + 101) - 1))
        if name == OCCURRENCE:
            return low
        if (low, high) == (1, 10) and self.verdict:  # a grade on an axis of a recipe's own
            return int(self.verdict["relevance"])
        own = int(self.number or self.place)
        fixed = own if name in ("n", "group") else self.result if self.blind else low - 1
        return fixed if low <= fixed <= high else self.values.randint(low, high)

    def fill_object(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The keys in their order. What comes behind a new text is its answer, which follows from it."""
        filled: dict[str, Any] = {}
        writer = self
        for name, inner in properties.items():
            asked = self.request.step == "reflect" and name == "answer" and not self.structured
            if asked and inner.get("type") in ("object", "array"):
                writer = self.read_blind()
            filled[name] = writer.fill(inner, name)
            writer = self if asked else writer
            if self.written and writer is self and "correct" in properties:
                writer = _Writer(self.request, self.settings, {**self.inputs, "question": str(filled[name])})
        return filled

    def fill_list(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        """So many items as the schema, the numbers of the inputs or the prose tell."""
        if self.structured:
            return self.fill_answer_list(schema)
        items, own = schema.get("items", {}), self.request.numbered if name != "wrong" else []
        size = len(own) or self.request.count
        size = min(max(min(size, schema.get("maxItems", size)), schema.get("minItems", 0)), _MOST_ITEMS)
        options = items.get("enum", ())
        if options and len(options) >= size:  # some of a set: the chosen one first
            at = options.index(self.fill(items))
            return [*options[at:], *options[:at]][:size]
        writers = [_Writer(self.request, self.settings, {**self.inputs, **more}) for more in own] or [self]
        writers += writers[-1:] * (size - len(writers))
        found = []
        for place, writer in enumerate(writers[:size], start=1):
            writer.place = place
            found.append(writer.fill(items, name))
        return found

    def read_blind(self) -> "_Writer":
        """A writer of the judge's own answer, which knows no more than the text: that of the answer step, too."""
        writer = _Writer(self.request, self.settings, self.inputs)
        writer.blind = writer.structured = True
        writer.values = rng("values", str(writer.mark.identity), str(writer.miss))
        writer.verdict = {}
        return writer

    def fill_answer_list(self, schema: Mapping[str, Any]) -> list[Any]:
        """Items of a structured answer: of a closed set those that the text was written for, else one or two."""
        items, identity = schema.get("items", {}), self.mark.identity
        if options := [option for option in items.get("enum", ()) if isinstance(option, str)]:
            sets = (each for size in range(1, 4) for each in combinations(options, size))
            meant = (each for each in sets if self.mark.label and hash_label_set(each) == self.mark.label)
            chosen = next(meant, (self.choose(options),))
            size = max(schema.get("minItems", 0), min(len(chosen), schema.get("maxItems", len(chosen))))
            rest = [option for option in options if option not in chosen]
            return list(islice(cycle([*chosen, *rest]), size))
        size = max(schema.get("minItems", 0), min(1 + identity % 2, schema.get("maxItems", 2)))
        found = []
        for self.place in range(1, min(size, _MOST_ITEMS) + 1):
            found.append(self.fill(items))
        return found

    def copy_word(self, part: str) -> str:
        """A word of that part of the input, or of the text; another one for each place."""
        parts = [tag.text for tag in self.request.tags if tag.attributes.get("name") == part]
        words: list[str] = list(dict.fromkeys(_WORD.findall("\n".join(parts) or self.subject))) or [
            self.subject.strip()[:1] or "-"
        ]
        return words[(self.mark.identity + self.place) % len(words)]

    def find_value(self, name: str) -> str:
        """What a field of that name holds."""
        if name in ("topic", "attribute"):
            return next(self.themes)
        if name in ("persona", "personas"):
            who = write_mark(Mark(self.dice.randrange(4096), self.dice.randrange(4096)))
            return f"{self.inputs.get('about') or self.dice.choice(self.words)} {who[:6]} {who[6:]}"
        if name in ("correct", "wrong"):
            return next(self.options)
        if name == "evidence":
            return self.quote()
        if name in self.inputs and not self.written:
            return self.inputs[name]
        if name in _CARD and not self.structured:
            return _CARD[name]
        if self.written:
            return self.write()
        return self.say(name)

    def say(self, name: str) -> str:
        """A text of the judge or of an answer."""
        if self.request.step == "reflect" and not self.blind:
            if name == "working":
                return self.fill_up("").strip()
            letters = {number: letter for letter, number in _OPTION.findall(self.subject)}
            return letters.get(str(self.truth), "none") if letters else str(self.truth)
        words = " ".join(self.values.choices(self.words, k=3))
        return f"{words} {self.result}" if self.blind else words

    @cached_property
    def verdict(self) -> Mapping[str, Any]:
        """The fields of a verdict, where a candidate is judged; a seed itself is good."""
        if self.request.step != "reflect":
            return {}
        least = {} if has_mark(self.subject) else {"low": 0.0, "reject": 0.0}
        found = grade(self.mark.identity, self.settings.model_copy(update=least))
        number = int((_NUMBER.findall(self.inputs.get("candidate_answer", "")) or ["0"])[0][:9])
        wrong = 0 < number - self.truth < _NEAR_TRUTH and not self.settings.accept_all
        return (
            {**found, "correct": False, "fault": "The answer is wrong."}
            if wrong
            else {**found, "correct": True}
        )

    def choose_any(self, options: Sequence[Any]) -> Any:
        """One of a set that need not be texts."""
        told = [option for option in options if isinstance(option, str)]
        return self.choose(told) if told else options[self.structured * self.mark.identity % len(options)]

    def choose(self, options: Sequence[str]) -> str:
        """The option that an example shows, that the text was written for, that holds the result; else a fixed one."""
        shown, mark = self.shown.get(self.subject, "\0"), self.mark

        def fit(option: str) -> tuple[bool, bool, bool, float]:
            intended, true = hash_label(option) == mark.label, option.endswith(str(self.truth))
            return shown.endswith(option), intended, true, draw_share(mark.identity, option)

        right = max(options, key=fit)
        others = sorted({*options} - {right})
        share = self.settings.mislabel if mark.label else self.settings.wrong
        slips = others and not self.request.again[0] and self.dice.random() < share
        return self.dice.choice(others) if slips else right

    def quote(self) -> str:
        """A sentence of the fixed parts, the same for the same question."""
        parts = [tag.text for tag in self.request.tags if tag.name == "part"]
        found = [each.strip() for part in parts for each in _SENTENCE.findall(part)]
        return found[self.mark.identity % len(found)] if found else "none"

    def answer(self) -> str:
        """The answer in the form that the prompt names; further draws word it differently."""
        if self.kind == "calls":
            return self.call()
        if self.kind == "sql":
            return f"```sql\nSELECT {self.result} AS result\n```"
        if self.kind in ("code", "tests"):
            called = found[1] if (found := _CALL.search(self.subject)) else "solve"
            tests = "".join(f"assert {called}({number}) == {self.truth}\n" for number in range(3))
            code = f"def {called}(*values):\n    return {self.result}\n"
            if more := self.fill_up(code):
                code = code.replace("\n", f"\n    # {more}\n", 1)
            return f"```python\n{tests if self.kind == 'tests' else code}```"
        words = " ".join(self.dice.choices(self.words, k=3))
        said = f"{words} {self.fill_up(words)}{self.result}."
        if self.kind == "open":
            # Half of the wrong results are miscalculated, which code can see; the others need a judge.
            first, slip = self.dice.randrange(self.truth), self.miss if self.miss % 2 else 0
            sums = f"{first} + {self.result - first - slip} = {self.result}"
            said = f"{words} {self.fill_up(words)}: {sums}\nAnswer: {self.result}"
        said = self.shown.get(self.subject, said)
        return f"{said}\n<evidence>{self.quote()}</evidence>" if "evidence" in self.inputs else said

    def call(self) -> str:
        """A call of one of the functions of the prompt, else one that an example shows."""
        shown = (*self.shown, *self.shown.values(), self.inputs.get("parent", ""))
        return write_call(self.request.tags, shown, self.mark.identity, self.fill)

    def fill_up(self, said: str) -> str:
        """What an answer lacks to be as long as those of the examples: words that say nothing."""
        lacks = sum(map(len, self.shown.values())) // max(1, len(self.shown)) - len(said)
        dice, more = rng("length", str(self.mark.identity)), ""
        while len(more) < lacks - _SLACK:
            more = f"{more}{dice.choice(self.words)} "
        return more

    def write(self) -> str:
        """A new text; a share of them nearly repeats a sibling, a share one of a few texts word for word."""
        key = (str(self.order), *self.request.again, next(self.texts))
        source = self.choose_source()
        place, repeat = draw_share("near", *key), self.settings.repeat
        if "draft" in self.inputs or place >= repeat + self.settings.near:
            return self.compose(key, source)
        if place < repeat:
            source = read_user_words(self.dice.choice([*self.shown] or [self.subject]))
            return self.compose(("repeat", source), source)
        own = self.request.numbered or [{}]
        sibling = _Writer(
            self.request, self.settings, {**self.inputs, **own[int(self.number or 0) % len(own)]}
        )
        key = (str(sibling.order), *self.request.again, next(sibling.texts))
        words = sibling.compose(key, sibling.choose_source()).split(" ")
        return " ".join([words.pop(self.dice.randrange(len(words))), *words])

    def choose_source(self) -> str:
        """The text whose words a new one takes: the seed, the parent or an example."""
        given = self.inputs.get("seed") or self.inputs.get("parent")
        return read_user_words(given or self.dice.choice([*self.shown] or [self.subject]))

    def compose(self, key: Sequence[object], source: str) -> str:
        """The text that belongs to `key`; in the place of a draft a good one, unless the draft was lost."""
        identity = int(4096 * draw_share("identity", *key))
        if "draft" in self.inputs:
            mends = grade(self.mark.identity, self.settings)["outcome"] != "lost"
            tries = (int(4096 * draw_share("identity", turn, *key)) for turn in range(12))
            good = ((each, grade(each, self.settings)["outcome"] == "good") for each in tries)
            identity = next((each for each, is_good in good if is_good is mends), identity)
        label = hash_label(self.inputs["label"]) if "label" in self.inputs else 0
        if "wanted" in self.inputs:
            label = hash_label_set(self.inputs["wanted"].split("\n"))
        mark = write_mark(Mark(identity, label))
        line = self.inputs.get("line", "")
        named = "" if key[0] == "repeat" else " ".join(find_words(line.partition(".")[0])[:2])
        inserted: Sequence[str] = [named, mark] if named else [mark]
        others: Sequence[str] = (*map(read_user_words, self.shown), read_user_words(self.subject))
        manner = read_manner(line)
        if key[0] == "repeat":  # the same whatever is asked for and shown
            others, manner = (), Manner(unit=manner.unit)
        text = write_text(source, others, inserted, manner, rng("text", *map(str, key)))
        return keep_line_labels(source, text)

    def list_places(self) -> list[dict[str, str]]:
        """The inputs of each number; where nothing is numbered, as many numbers as texts are asked for."""
        return self.request.numbered or [{_NUMBERED[0]: str(n)} for n in range(1, self.request.count + 1)]

    def wrap(self, outputs: Sequence[Tag]) -> str:
        """The answer in the tags in which the prompt wants it, numbered where its inputs are."""
        said = []
        for tag in outputs:
            inner_tags = read_tags(tag.text)[0]
            inside = [inner for inner in inner_tags if inner.name in OUTPUTS]
            quoted = any(inner.name == "evidence" for inner in inner_tags)
            for own in self.list_places() if "n" in tag.attributes else [{}]:
                writer = _Writer(self.request, self.settings, {**self.inputs, **own})
                text = writer.answer() if tag.name == "answer" else writer.write()
                if kinds := read_turns(own.get("line", "")):
                    text = write_turns(kinds, text, writer.words, writer.call(), writer.dice)
                if inside:  # its answer stands behind it
                    asked = {**self.inputs, **own, "question": text}
                    text = f"{text}\n{_Writer(self.request, self.settings, asked).wrap(inside)}"
                if quoted:
                    text = f"{text}\n<evidence>{self.quote()}</evidence>"
                head = f'{tag.name} n="{writer.number}"' if "n" in tag.attributes else tag.name
                said.append(f"<{head}>{text}</{tag.name}>")
        return "\n".join(said)
