"""What the simulator takes for true, and how it says so in every format.

The truth about a question depends on the question alone, so that a second sample, a correction and the judge
all know it. Wrong answers miss it by a little, so that the judge can tell them from what people wrote.
"""

import re
from collections.abc import Sequence
from typing import Final

from aide.simulator.dice import Dice
from aide.simulator.languages import UNSPACED, WORD, pairs
from aide.simulator.lexicon import Lexicon
from aide.simulator.reading import Example
from aide.simulator.traces import mark, trace

_NUMBER: Final = re.compile(r"(?<![\w.])\d{1,4}(?![\w.]*\d)")
_LAST_NUMBER: Final = re.compile(r"-?\d+(?!.*\d)", re.DOTALL)
_FINAL_LINE: Final = re.compile(r"(\D{0,32}?)(-?[\d.,]*\d)(\D{0,16})")
_SIGNATURE: Final = re.compile(r"(?:def\s+)?\b([A-Za-z_]\w*)\(([^()]*)\)")
_NAMED: Final = re.compile(r"(?:named|called|function|funktion)\s+(`\w+|[a-z]\w*_\w+)", re.IGNORECASE)
_SENTENCE_END: Final = re.compile(r"(?<=[.!?。！？;])\s*|\n+")
_MISSES: Final = 9
_STYLES: Final = 3


def content_words(text: str, lexicon: Lexicon) -> list[str]:
    """The words that carry a text, without the smallest ones and those that the simulator put there itself.

    Pairs of characters stand for words in scripts without spaces.
    """
    if UNSPACED.search(text):
        words = pairs(text)
    else:
        words = [w for w in WORD.findall(text) if len(w) > 3 and w.casefold() not in lexicon.function]
    found = {word.casefold(): word for word in words}
    if lexicon.code and len(found) > 2:
        own = {key: word for key, word in found.items() if key not in lexicon.own}
        found = own or found
    return list(found.values())


# --- numbers ------------------------------------------------------------------------------------


def workings(question: str) -> tuple[int, int, int, int]:
    """a, b, c and (a + b) * c, of which a and b come from the question where it has numbers."""
    dice = Dice("workings", question)
    numbers = [int(n) for n in _NUMBER.findall(question) if 0 < int(n) < 2000]
    a = numbers[0] if numbers else 3 + dice.below(40)
    b = numbers[1] if len(numbers) > 1 else 2 + dice.below(30)
    c = 2 + dice.below(5)
    return a, b, c, (a + b) * c


def is_missed(question: str, answer: str) -> bool:
    """Whether an answer's last number is one of the simulator's wrong ones for this question."""
    found = _LAST_NUMBER.search(answer)
    return bool(found) and 0 < int(found.group()[:12]) - workings(question)[3] <= _MISSES if found else False


def solution(question: str, examples: Sequence[Example], lexicon: Lexicon, miss: int, style: int) -> str:
    """A short worked solution that ends as the demonstrations end; `miss` is added to the right result."""
    a, b, c, result = workings(question)
    words = content_words(question, lexicon) or ["x"]
    first, second = words[0], words[-1]
    marked = any("<<" in example.answer for example in examples)
    total, final = a + b, result + miss
    steps = [("+", a, b, total), ("*", total, c, result)]
    if style % _STYLES == 1:
        steps = [("*", a, c, a * c), ("*", b, c, b * c), ("+", a * c, b * c, result)]
    elif style % _STYLES == 2:
        steps = [("+", b, a, total), ("*", c, total, result)]
    names = (first, second, first)
    # An odd miss is a slip in the last calculation, an even one a step too many, with nothing miscalculated.
    slip = miss if miss % 2 else 0
    lines = []
    for (sign, left, right, value), name in zip(steps, names, strict=False):
        said = value + (slip if (sign, left, right, value) == steps[-1] else 0)
        shown = f"<<{left}{sign}{right}={said}>>{said}" if marked else str(said)
        lines.append(f"{name[:1].upper()}{name[1:]}: {left} {sign} {right} = {shown}")
    if miss and not slip:
        shown = f"<<{result}+{miss}={final}>>{final}" if marked else str(final)
        lines.append(f"{second[:1].upper()}{second[1:]}: {result} + {miss} = {shown}")
    lines.append(ending(examples, final) or lexicon.result.format(n=final))
    return "\n".join(lines)


def ending(examples: Sequence[Example], final: int) -> str:
    """The last line in the demonstrations' convention (`#### 12`), empty where they have none in common."""
    frames = set()
    for example in examples:
        lines = example.answer.strip().splitlines()
        found = _FINAL_LINE.fullmatch(lines[-1].strip()) if lines else None
        if found is None:
            return ""
        frames.add(found.group(1))
    return f"{frames.pop()}{final}" if len(frames) == 1 else ""


# --- options and sentences ----------------------------------------------------------------------


def options(question: str, lexicon: Lexicon, count: int) -> list[str]:
    """`count` different options, the right one first; a longer list begins with the shorter one."""
    dice = Dice("options", question)
    if len(_NUMBER.findall(question)) > 1:
        right = workings(question)[3]
        return [
            str(right),
            *(str(right + miss) for miss in dice.sample(range(1, max(count, _MISSES) + 1), count - 1)),
        ]
    words = dice.sample(content_words(question, lexicon), 8) or [""]
    glue = "" if UNSPACED.search(question) else " "
    places = dice.sample(lexicon.places, max(8, count))
    found: dict[str, None] = {}
    for turn in range(4 * count):
        word, place = words[turn % len(words)], places[turn % len(places)]
        extra = f"{glue}{lexicon.times[turn % len(lexicon.times)]}" if turn >= len(places) else ""
        found[f"{word}{glue}{place}{extra}".strip()] = None
        if len(found) == count:
            break
    while len(found) < count:
        found[f"{words[0]}{glue}{len(found) + 1}"] = None
    return list(found)


def is_mistaken(question: str, answer: str, lexicon: Lexicon) -> bool:
    """Whether an answer says one of the simulator's wrong options and not the right one."""
    right, *wrong = (option.casefold() for option in options(question, lexicon, 6))
    said = answer.casefold()
    return right not in said and any(option in said for option in wrong if not option.isdigit())


def sentence(question: str, lexicon: Lexicon, miss: int, style: int) -> str:
    """A free answer of one sentence around the right option, or around a wrong one where `miss` is not 0."""
    choice = options(question, lexicon, 6)
    words = content_words(question, lexicon) or [choice[0]]
    dice = Dice("sentence", question, str(style))
    text = dice.pick(lexicon.answers).format(
        o=choice[miss % len(choice)], a=dice.pick(words), b=dice.pick(words)
    )
    return text[:1].upper() + text[1:]


def quote(question: str, parts: Sequence[str], style: int) -> str:
    """A sentence that stands word for word in a fixed part, the nearest to the question."""
    pieces = [p.strip() for part in parts for p in _SENTENCE_END.split(part) if len(p.strip()) > 8]
    if not pieces:
        return parts[0].strip() if parts else ""
    wanted = {word.casefold() for word in WORD.findall(question) if len(word) > 3}
    ranked = sorted(pieces, key=lambda piece: -len(wanted & {w.casefold() for w in WORD.findall(piece)}))
    return ranked[min(style, len(ranked) - 1)]


# --- labels -------------------------------------------------------------------------------------


def label_of(text: str, labels: Sequence[tuple[str, str]], examples: Sequence[Example]) -> str:
    """The label that a text was written for; for texts by others, the one whose words are nearest to it."""
    bears = trace(text)
    for name, _ in labels:
        if mark(name) == bears:
            return name
    words = {word.casefold() for word in WORD.findall(text) if len(word) > 3}

    def nearness(label: tuple[str, str]) -> tuple[int, int]:
        known = [e.input for e in examples if e.answer.strip() == label[0]]
        near = " ".join((label[0].replace("_", " "), label[1], *known)).casefold()
        return sum(word in near for word in words), Dice("label", text, label[0]).below(1 << 20)

    return max(labels, key=nearness)[0]


# --- code ---------------------------------------------------------------------------------------


def signature(question: str) -> tuple[str, tuple[str, ...]]:
    """Name and parameters of the function that a question asks for."""
    for found in _SIGNATURE.finditer(question):
        inner = (piece.split(":")[0].split("=")[0].strip(" *`") for piece in found.group(2).split(","))
        names = tuple(name for name in inner if name)
        if all(name.isidentifier() for name in names):
            return found.group(1), names
    named = _NAMED.search(question)
    return (named.group(1).strip("`") if named else "solve"), ("first", "second")


def function(question: str, miss: int, style: int) -> str:
    """A fenced Python function of the wanted name, right by the tests below unless `miss` is not 0."""
    name, names = signature(question)
    held = f"({', '.join(names)}{',' * (len(names) == 1)})"
    result = workings(question)[3] + miss
    body = f"    return sum(len(str(value)) for value in {held}) + {result}"
    if style:
        body = f"    total = sum(len(str(value)) for value in {held})\n    return total + {result}"
    return f"```python\ndef {name}({', '.join(names)}):\n{body}\n```"


def function_tests(question: str) -> str:
    """Three assertions that the right function passes, in one fenced block."""
    name, names = signature(question)
    dice, lines = Dice("tests", question), []
    for _ in range(3 if names else 1):
        values = [str(1 + dice.below(5000)) for _ in names]
        expected = sum(map(len, values)) + workings(question)[3]
        lines.append(f"assert {name}({', '.join(values)}) == {expected}")
    return "```python\n{}\n```".format("\n".join(lines))
