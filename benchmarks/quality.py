"""Planted copies: how many `aide dedup` and `aide decontaminate` find, and how often they are wrong.

Run: `AIDE_TASKS=FOLDER make bench-quality`; the folder holds `gold/<task>.jsonl` of human examples.
Every second example of the pool is planted as it is, and with one light edit at a time. Then human examples
are held against each other: what is hit is a look-alike where the sets of words are alike to 0.8 (Jaccard),
has a passage in common where 20 words in a row are the same (one clause, several questions), or is wrongly
hit.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from aide.dedup.contamination import BenchmarkItem, Contamination
from aide.dedup.lexical import LexicalIndex
from aide.records import rng
from aide.text.words import fold_words

LONG = 20
LOOK_ALIKE = 0.8
KINDS = ("wrongly", "look-alike", "common passage")


@dataclass(frozen=True)
class Text:
    """One example of the pool."""

    task: str
    text: str
    options: tuple[str, ...]

    @property
    def whole(self) -> str:
        """Question and lettered options in one text."""
        lines = [f"{chr(65 + n)}) {option}" for n, option in enumerate(self.options)]
        return "\n".join([self.text, *lines])


def as_is(item: Text, draw: Random) -> Text:
    return item


def case(item: Text, draw: Random) -> Text:
    return replace(item, text=item.text.upper(), options=tuple(option.upper() for option in item.options))


def punctuation(item: Text, draw: Random) -> Text:
    text = item.text.replace(",", "").replace(". ", "  ").rstrip(".?!") + draw.choice(["", "!", " …"])
    return replace(item, text=text)


def reordered(item: Text, draw: Random) -> Text:
    return replace(item, options=tuple(draw.sample(item.options, len(item.options))))


def one_word(item: Text, draw: Random) -> Text:
    words = item.text.split()
    words[draw.randrange(len(words))] = "zebra"
    return replace(item, text=" ".join(words))


EDITS: dict[str, Callable[[Text, Random], Text]] = {
    "exact": as_is, "case": case, "punctuation": punctuation, "options": reordered, "one word": one_word,
}  # fmt: skip


def pool(folder: Path) -> Iterator[Text]:
    """All examples; lists of labels that a whole task shares are no options."""
    for path in sorted(folder.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for row in rows:
            choices = tuple(row.get("choices") or ()) if row["format"] == "multiple_choice" else ()
            yield Text(path.stem, row["input"], choices)


def planted(texts: list[Text], found: Callable[[Text], bool]) -> dict[str, tuple[int, int, int, int]]:
    """By kind of edit: found and planted among long texts, found and planted among short ones."""
    figures = {}
    for name, edit in EDITS.items():
        draw = rng("planted", name)
        counts = [0, 0, 0, 0]
        for item in texts[::2]:
            if name == "options" and not item.options:
                continue
            place = 0 if len(item.text.split()) >= LONG else 2
            counts[place] += found(edit(item, draw))
            counts[place + 1] += 1
        figures[name] = (counts[0], counts[1], counts[2], counts[3])
    return figures


def kind(one: str, other: str) -> str:
    """How two texts that are not copies are related."""
    first, second = ([*" ".join(fold_words(text)).replace("-", " ").split()] for text in (one, other))
    a, b = set(first), set(second)
    if len(a & b) >= LOOK_ALIKE * len(a | b):
        return "look-alike"
    runs = {tuple(second[at : at + LONG]) for at in range(len(second) - LONG + 1)}
    shared = any(tuple(first[at : at + LONG]) in runs for at in range(len(first) - LONG + 1))
    return "common passage" if shared else "wrongly"


def dedup(texts: list[Text]) -> None:
    """Duplicates of whole texts, options and all."""
    known = LexicalIndex("near", [])
    for number, item in enumerate(texts):
        known.restore(str(number), item.whole)

    def found(item: Text) -> bool:
        known.release("probe")
        return known.admit("probe", item.whole) is not None

    show("dedup", planted(texts, found))
    fresh, hits = LexicalIndex("near", []), Counter[tuple[str, str]]()
    for number, item in enumerate(texts):
        if twin := fresh.admit(str(number), item.whole):
            hits[kind(item.whole, texts[int(twin.id)].whole), f"{item.task} {twin.how}"] += 1
    told(hits, len(texts))


def decontaminate(texts: list[Text]) -> None:
    """Planted examples against all examples as the test set; then one half against the other."""
    known = tested(texts)
    began = time.process_time()
    figures = planted(texts, lambda item: known.find(item.text, item.options) is not None)
    spent = time.process_time() - began
    show("decontaminate", figures)
    count = sum(longs + shorts for _, longs, _, shorts in figures.values())
    print(f"    {1e6 * spent / count:.0f} µs a record against {len(texts):,} items")
    figures = planted(texts, lambda item: known.find(item.whole) is not None)
    show("decontaminate, options inside the text", figures)
    for strict in (False, True):
        half, tests, hits = tested(texts[::2], strict=strict), texts[::2], Counter[tuple[str, str]]()
        for item in texts[1::2]:
            if hit := half.find(item.text, item.options):
                hits[kind(item.whole, tests[int(hit.where)].whole), f"{item.task} {hit.how}"] += 1
        print("decontaminate --strict" if strict else "decontaminate")
        told(hits, len(texts) // 2)


def tested(texts: list[Text], *, strict: bool = False) -> Contamination:
    """The texts as a test set."""
    items = (BenchmarkItem(str(number), item.text, item.options) for number, item in enumerate(texts))
    return Contamination(items, strict=strict)


def show(name: str, figures: dict[str, tuple[int, int, int, int]]) -> None:
    """One line for each kind of edit."""
    print(f"{name}: planted copies found")
    light, of = 0, 0
    for edit, (long, longs, short, shorts) in figures.items():
        light, of = (light + long, of + longs) if edit != "exact" else (light, of)
        print(
            f"    {edit:12} {long / max(1, longs):7.2%} of {longs:,} texts of {LONG} words and more", end=""
        )
        print(f"  {short / max(1, shorts):7.2%} of {shorts:,} shorter ones")
    print(f"    light edits, {LONG} words and more: {light / max(1, of):.2%}")


def told(hits: Counter[tuple[str, str]], of: int) -> None:
    """What was hit without being planted, by how it is related."""
    for kind in KINDS:
        listed = {name: count for (found, name), count in hits.most_common() if found == kind}
        names = f" ({', '.join(f'{name} {count}' for name, count in listed.items())})" if listed else ""
        count = sum(listed.values())
        print(f"    hit, {kind}: {count} of {of:,} unplanted records, {count / of:.2%}{names}")


def main() -> None:
    """Print all figures."""
    folder = Path(os.environ.get("AIDE_TASKS", ""))
    if not os.environ.get("AIDE_TASKS") or not (folder / "gold").is_dir():
        print("skipped: AIDE_TASKS names a folder with gold/<task>.jsonl")
        return
    texts = list({item.whole: item for item in pool(folder / "gold")}.values())
    dedup(texts)
    decontaminate(texts)


if __name__ == "__main__":
    main()
