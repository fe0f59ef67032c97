"""The inputs that the simulator writes.

An opening sentence stands around the triple, or speaks for the persona; then comes the parent (or, where
the branch is anchored, the seed) with other words, names and numbers in it. Words come from demonstrations
and parent, matched by casing and ending, so that sentences stay readable.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from aide.simulator.dice import Dice
from aide.simulator.languages import UNSPACED, WORD, lexicon_for, pairs
from aide.simulator.lexicon import Lexicon
from aide.simulator.lexicon import lexicon as lexicon_of
from aide.simulator.reading import Example
from aide.simulator.traces import solve

_SENTENCE: Final = re.compile(r"(?<=[.!?。！？])\s+|(?<=[。！？])|\n+")
_TOKEN: Final = re.compile(r"[^\W\d_]{4,}(?:['’\-][^\W\d_]+)*|\d+")
_RUN: Final = re.compile(r"[^\W\d_]+|\d+")
_HEAD: Final = re.compile(r"([^\W\d_]+(?: \d+)?:\s*['\"‘“„«]?)(?=\S)")
_CODE: Final = re.compile(
    r"(?:def|import|from|for|class|print|while|if|[a-z_]\w*) ?(?:\w+\(|[\w.]+$|= ?\S|\(|\w+ in )", re.M
)
_FIELD: Final = re.compile(r"(?: \d+)?:")
_KEEP_AFTER: Final = frozenset("`_.@/\\{^#<")
_KEEP_BEFORE: Final = frozenset("_(`={}^\\/>")
_CUTS: Final = 60
_LEAST: Final = 5
_STRICT: Final = 0.75
_LOOSE: Final = 0.3
_SPARE: Final = 2


@dataclass(frozen=True, slots=True)
class Order:
    """All that one new input depends on; equal orders give equal texts."""

    kind: str
    parent: str
    seed: str = ""
    topic: str = ""
    relation: str = ""
    attribute: str = ""
    persona: str = ""
    label: str = ""
    other_labels: tuple[str, ...] = ()
    salt: str = ""
    low: int = 0
    high: int = 0
    unit: str = "words"
    language: str = ""
    examples: tuple[Example, ...] = ()


@lru_cache(maxsize=2048)
def shapes(text: str) -> dict[str, tuple[str, ...]]:
    """The words of a text by shape: casing and last two letters."""
    found: dict[str, dict[str, None]] = {}
    for word in WORD.findall(text):
        if len(word) > 3:
            found.setdefault(shape(word), {})[word] = None
    return {key: tuple(words) for key, words in found.items()}


def shape(word: str) -> str:
    """What two words must share to stand for each other."""
    return ("A" if word[0].isupper() else "a") + word[-2:].casefold()


def measure(text: str, unit: str) -> int:
    """Length in words or characters."""
    return len(text) if unit == "characters" else len(text.split())


def write_input(order: Order) -> str:
    """One new input, the same for the same order."""
    dice = Dice("input", order.kind, order.salt, order.parent, order.seed, order.topic, *_along(order))
    source = _source(order, dice)
    sample = "\n".join(example.input for example in order.examples) or source
    lexicon = lexicon_for(order.language, sample)
    body = _unnamed(_exchange(source, order, lexicon, dice), order)
    low, high = order.low, order.high or max(40, 2 * measure(source, order.unit))
    words = _words(order, lexicon)
    patterns = dice.sample(lexicon.openers.get(order.kind) or lexicon.openers["other"], 9)
    least = min(measure(body, order.unit), _LEAST)
    for opener in (*patterns, *lexicon.short):
        longest = opener.format(**words, x=lexicon.times[0], y=lexicon.places[0], n=99)
        room = high - measure(longest, order.unit) - _SPARE
        if room >= least:
            break
    aim = max(low, min(room, 3 * _typical(order) // 2))
    body = _fit(body, low - (high - room), aim, room, order.unit, sample)

    def write(time: str, place: str, number: int) -> str:
        sentence = opener.format(**words, x=time, y=place, n=number)
        return _join(sentence, body, source)

    if order.label:
        number = 2 + dice.below(700)
        turn = dice.below(len(lexicon.places))
        places = lexicon.places[turn:] + lexicon.places[:turn]
        return solve(order.label, write, lexicon.times, places, number)
    return write(dice.pick(lexicon.times), dice.pick(lexicon.places), 2 + dice.below(96))


def _source(order: Order, dice: Dice) -> str:
    """What the body is made from.

    For a persona a demonstration, as it asks for something else; otherwise the seed where the branch is
    anchored, else the parent, with a sentence of a demonstration in the place of one of its own.
    """
    source = order.seed or order.parent
    if not order.examples:
        return source
    other = dice.pick(order.examples).input
    if order.kind == "persona" and not order.seed and other:
        return other
    if _CODE.match(source) or _HEAD.match(source):
        return source
    places, between = _gaps(source)
    gifts = [piece for piece in _sentences(other)[:-1] if piece.strip()]
    if len(places) < 2 or not gifts:
        return source
    cut = dice.below(len(places) - 1)
    return f"{source[: places[cut]]}{dice.pick(gifts).strip()}{between}{source[places[cut + 1] :]}"


@lru_cache(maxsize=512)
def _sentences(text: str) -> tuple[str, ...]:
    return tuple(_SENTENCE.split(text)[:_CUTS])


@lru_cache(maxsize=512)
def _gaps(text: str) -> tuple[tuple[int, ...], str]:
    """Where sentences end, and what stands between the first two."""
    found = list(_SENTENCE.finditer(text))[:_CUTS]
    return tuple(match.end() for match in found), found[0].group() if found else " "


def _unnamed(body: str, order: Order) -> str:
    """The body without the name of a label, which a text must not say of itself."""
    for label in (order.label, *order.other_labels):
        name = label.replace("_", " ").strip()
        if len(name) > 3 and name.casefold() in body.casefold():
            body = re.sub(
                re.escape(name), name.split(" ")[0] if " " in name else "…", body, flags=re.IGNORECASE
            )
    return body


def _along(order: Order) -> tuple[str, ...]:
    return order.relation, order.attribute, order.persona, order.label


def _words(order: Order, lexicon: Lexicon) -> dict[str, str]:
    """What fills the opening sentence besides time, place and number."""
    taken = [
        word
        for words in shapes(order.parent).values()
        for word in words
        if (key := word.casefold()) not in lexicon.function
        and key not in lexicon.own
        and key != order.topic.casefold()
    ]
    word = Dice("theme", order.persona, order.parent, order.topic).pick(taken) if taken else order.topic
    return {
        "t": order.topic or word,
        "r": order.relation or lexicon.relations[0],
        "a": order.attribute or order.topic or word,
        "w": word.lower() if lexicon.code != "de" else word,
    }


def _typical(order: Order) -> int:
    lengths = sorted(measure(example.input, order.unit) for example in order.examples)
    own = measure(order.seed or order.parent, order.unit)
    return lengths[len(lengths) // 2] if lengths else own


def _exchange(source: str, order: Order, lexicon: Lexicon, dice: Dice) -> str:
    """The source with more than half of its content words, and all its numbers, exchanged."""
    if UNSPACED.search(source):
        return _exchange_unspaced(source, order, dice)
    near = [example.input for example in order.examples if order.label and example.answer == order.label]
    texts = (*near, order.parent, *(example.input for example in order.examples))
    pieces, choices = _exchangeable(source, texts, lexicon.code)
    mapping: dict[str, str] = {}
    for word, (share, others) in choices.items():
        if not others:
            mapping[word] = _other_number(word, dice)
        elif dice.chance(share):
            choice = dice.pick(others)
            mapping[word] = word if choice.casefold() == order.label.casefold() else choice
    return "".join([mapping.get(piece, piece) for piece in pieces])


@lru_cache(maxsize=1024)
def _exchangeable(
    source: str, texts: tuple[str, ...], code: str
) -> tuple[list[str], dict[str, tuple[float, list[str]]]]:
    """The source in pieces, and for each exchangeable one how often it goes and what may come.

    Nothing is listed for numbers. Cached, for siblings have parent and demonstrations in common.
    """
    function = lexicon_of(code).function if code else frozenset()
    banks = [shapes(text) for text in texts]
    pieces: list[str] = []
    choices: dict[str, tuple[float, list[str]]] = {}
    end = 0
    for match in _TOKEN.finditer(source):
        word, start, stop = match.group(), match.start(), match.end()
        before = source[start - 1 : start] if start else ""
        if before in _KEEP_AFTER or source[stop : stop + 1] in _KEEP_BEFORE or _FIELD.match(source, stop):
            continue
        if word not in choices:
            if word.isdigit():
                choices[word] = 1.0, []
            elif word.casefold() not in function and (found := _rivals(word, banks, function))[1]:
                choices[word] = found
        if word in choices:
            pieces += (source[end:start], word)
            end = stop
    pieces.append(source[end:])
    return pieces, choices


def _rivals(
    word: str, banks: list[dict[str, tuple[str, ...]]], function: frozenset[str]
) -> tuple[float, list[str]]:
    """What may stand for a word: words of its shape, else, less often, any of its casing."""
    key = shape(word)
    found = [other for bank in banks for other in bank.get(key, ()) if other != word]
    share = _STRICT
    if not found:
        share = _LOOSE
        rows = [row for bank in banks for k, row in bank.items() if k[0] == key[0]]
        found = [other for row in rows for other in row if other != word]
    return share, [other for other in found if other.casefold() not in function]


def _exchange_unspaced(source: str, order: Order, dice: Dice) -> str:
    """As `_exchange`, for scripts without spaces: pairs of characters take the place of words."""
    found = [pair for example in order.examples for pair in pairs(example.input)] or pairs(order.parent)

    def other(match: re.Match[str]) -> str:
        run = match.group()
        if run.isdigit():
            return _other_number(run, dice)
        if len(run) < 4 or not found:
            return run
        cut = dice.below(len(run) - 2)
        return run[:cut] + dice.pick(found) + run[cut + 2 :]

    return _RUN.sub(other, source)


def _other_number(digits: str, dice: Dice) -> str:
    """A number of the same kind: hours stay hours, years stay near their century."""
    value = int(digits) if len(digits) < 10 else 10**9
    if 1500 <= value <= 2100:
        return str(value - 40 + dice.below(80))
    bound = next((top for top in (12, 23, 59) if value <= top), 10 ** len(digits) - 1)
    least = 1 if bound < 60 else 10 ** (len(digits) - 1)
    return str(least + dice.below(max(1, bound - least + 1))).zfill(len(digits) if digits[0] == "0" else 1)


def _fit(body: str, low: int, aim: int, high: int, unit: str, sample: str) -> str:
    """The body within its bounds: whole sentences go first, from the front; the last one asks and stays."""
    total = measure(body, unit)
    while total > aim and not _CODE.match(body) and not _HEAD.match(body):
        cut = _SENTENCE.search(body)
        if cut is None or cut.end() >= len(body) or measure(body[cut.end() :], unit) < low:
            break
        body = body[cut.end() :]
        total = measure(body, unit)
    if total > high:
        if unit == "characters":
            return body[: max(1, high - 1)] + body[-1]
        words = body.split()
        return " ".join((*words[: max(1, high - 1)], words[-1]))
    for extra in _sentences(sample) if total < low else ():
        if total >= low:
            break
        if extra and total + measure(extra, unit) <= high:
            body = f"{extra.strip()} {body}"
            total = measure(body, unit)
    return body


def _join(opener: str, body: str, source: str) -> str:
    """Opener and body as one text in the source's manner: its layout, its casing, its punctuation."""
    if _CODE.match(source):
        return f"# {opener.rstrip('.。')}\n{body}"
    opener = opener[:1].upper() + opener[1:]
    if not any(letter.isupper() for letter in source):
        opener = opener.lower()
    if source.rstrip()[-1:].isalnum() and opener[-1:] == ".":
        opener = opener[:-1] + ","
    gap = "" if UNSPACED.search(opener) else " "
    head = _HEAD.match(body)
    if head:
        return f"{head.group(1)}{opener}{gap}{body[head.end() :]}"
    return f"{opener}{gap}{body}"
