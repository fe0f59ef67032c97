"""How well duplicates are told, and at what cost, on a folder of `<task>.jsonl` files with the field `input`.

Run: `python benchmarks/duplicates.py FOLDER`. Prints one line a task and a summary.
True similarity is the Jaccard similarity of the shingles themselves, without sketch or index.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from aide.dedup.lexical import THRESHOLD, LexicalIndex
from aide.records import digest, rng
from aide.text.shingles import make_shingles, measure_jaccard
from aide.text.words import fold_words

TEXTS = 250
UNRELATED_BELOW = 0.5


def changed_case(text: str, draw: Random) -> str:
    """Another casing of all letters."""
    return text.upper() if draw.random() < 0.5 else text.title()


def changed_punctuation(text: str, draw: Random) -> str:
    """Without commas and full stops, and wider spaces."""
    return text.replace(",", "").replace(". ", "  ").rstrip(".?!") + draw.choice(["", "!", " …"])


def swapped(text: str, draw: Random) -> str:
    """Two neighbouring words change places."""
    words = text.split()
    at = draw.randrange(max(1, len(words) - 1))
    words[at : at + 2] = reversed(words[at : at + 2])
    return " ".join(words)


def one_word(text: str, draw: Random) -> str:
    """One word of 20 or more is another."""
    words = text.split()
    if len(words) >= 20:
        words[draw.randrange(len(words))] = "zebra"
    return " ".join(words)


def worn(text: str, draw: Random) -> str:
    """Up to a quarter of the words are others: pairs around the threshold."""
    words = text.split()
    for _ in range(draw.randrange(1, max(2, len(words) // 4))):
        words[draw.randrange(len(words))] = f"w{draw.randrange(10**6)}"
    return " ".join(words)


EDITS: dict[str, Callable[[str, Random], str]] = {
    "case": changed_case,
    "punctuation": changed_punctuation,
    "swap": swapped,
    "word": one_word,
}


def features(text: str) -> set[int]:
    """The exact shingles of a text."""
    return make_shingles(fold_words(text))


def inputs(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Task names with their texts."""
    for path in sorted(folder.glob("*.jsonl")):
        lines = path.read_text(encoding="utf-8").splitlines()[:TEXTS]
        yield path.stem, [json.loads(line)["input"] for line in lines]


def light_edits(texts: list[str]) -> dict[str, tuple[int, int]]:
    """By kind of edit: how many were found, of how many."""
    known = LexicalIndex("near", [])
    for at, text in enumerate(texts):
        known.restore(str(at), text)
    found = {}
    for name, edit in EDITS.items():
        draw = rng("edit", name)
        edited = [edit(text, draw) for text in texts]
        hits = 0
        for text in edited:
            hits += known.admit("probe", text) is not None
            known.release("probe")
        found[name] = (hits, len(edited))
    return found


def recall(texts: list[str]) -> tuple[int, int]:
    """Pairs of true similarity at or above the threshold: found, of how many."""
    hits = total = 0
    draw = rng("recall")
    for text in texts:
        for _ in range(4):
            other = worn(text, draw)
            if measure_jaccard(features(text), features(other)) >= THRESHOLD:
                total += 1
                hits += LexicalIndex("near", [("a", text)], threshold=THRESHOLD).admit("b", other) is not None
    return hits, total


def false_hits(texts: list[str]) -> tuple[int, int, int]:
    """Refused although nothing of true similarity 0.5 or more was there; refused rightly; of how many."""
    known = LexicalIndex("near", [])
    exact = [features(text) for text in texts]
    wrong = right = 0
    for at, text in enumerate(texts):
        if known.admit(str(at), text):
            nearest = max((measure_jaccard(exact[at], other) for other in exact[:at]), default=0.0)
            wrong += nearest < UNRELATED_BELOW
            right += nearest >= UNRELATED_BELOW
    return wrong, right, len(texts)


def cost(count: int) -> None:
    """Time and memory for texts of 60 made-up words."""
    draw = rng("cost")
    words = ["".join(draw.choices("abcdefghijklmnoprstuvw", k=draw.randint(2, 9))) for _ in range(3000)]
    texts = [" ".join(words[int(draw.random() ** 2 * 3000)] for _ in range(60)) for _ in range(count)]
    ids = [digest(str(at)) for at in range(count)]
    known = LexicalIndex("near", [])
    began = time.process_time()
    for id, text in zip(ids, texts, strict=True):
        known.admit(id, text)
    spent = time.process_time() - began
    print(f"{count:>7,} texts of 60 words: {spent / count * 1e6:.0f} µs to admit one, ", end="")
    print(f"{known.bytes_per_record:.0f} bytes a record")


def main(folder: Path) -> None:
    """Print all figures."""
    edits: dict[str, list[int]] = {name: [0, 0] for name in EDITS}
    sums = [0, 0, 0, 0, 0]
    for task, texts in inputs(folder):
        found = light_edits(texts)
        near, pairs = recall(texts)
        wrong, right, total = false_hits(texts)
        for name, (hits, of) in found.items():
            edits[name][0] += hits
            edits[name][1] += of
        for at, value in enumerate((near, pairs, wrong, right, total)):
            sums[at] += value
        shown = " ".join(f"{name} {hits / of:.3f}" for name, (hits, of) in found.items())
        print(f"{task:28} recall {near / max(1, pairs):.3f} ({pairs})  {shown}  wrong {wrong} right {right}")
    shown = " ".join(f"{name} {hits / max(1, of):.3f}" for name, (hits, of) in edits.items())
    light = sum(hits for hits, _ in edits.values()) / max(1, sum(of for _, of in edits.values()))
    near, pairs, wrong, right, total = sums
    print(f"recall of pairs at or above {THRESHOLD}: {near / max(1, pairs):.4f} of {pairs}")
    print(f"light edits found: {light:.4f} ({shown})")
    print(f"false hits: {wrong / max(1, total):.4f} of {total}; look-alikes: {right / max(1, total):.4f}")
    for count in (1000, 4200, 20000):
        cost(count)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        print("skipped: give a folder of <task>.jsonl files")
    else:
        main(Path(sys.argv[1]))
