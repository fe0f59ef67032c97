"""Lengths that are drawn for new records: how near they come to those of human examples that nobody has seen.

Run: `AIDE_TASKS=FOLDER make bench-quality`; the folder holds `gold/<task>.jsonl` of human examples.
Of each task ten examples are taken as seeds, forty times, and forty lengths are drawn from them; the distance (earth
mover's) from the lengths of the other human examples is given as a share of their mean.
"""

import json
import os
from pathlib import Path
from random import Random
from statistics import fmean

from aide.card import TraitPool
from aide.formats import FORMATS
from aide.metrics.lengths import measure_emd
from aide.records import WHOLE, Draft, Seed, rng
from aide.text.length import WORDS, measure_length

SEEDS, DRAWS, ROUNDS = 10, 40, 40


def main() -> None:
    """Print a line for each task, and their mean."""
    print(f"{'task':30} {'seeds':>7} {'drawn':>7} {'dealt':>7}")
    rows = []
    for path in sorted(Path(os.environ["AIDE_TASKS"], "gold").glob("*.jsonl")):
        texts = list(
            dict.fromkeys(json.loads(line)["input"] for line in path.read_text(encoding="utf-8").splitlines())
        )
        rows.append(measure(texts))
        print(f"{path.stem:30} " + " ".join(f"{share:7.3f}" for share in rows[-1]))
    print(f"{'mean':30} " + " ".join(f"{fmean(column):7.3f}" for column in zip(*rows, strict=True)))


def measure(texts: list[str]) -> tuple[float, ...]:
    """Distances of the seeds' own lengths, of independent draws and of those that are dealt in blocks."""
    found = []
    for turn in range(ROUNDS):
        shuffled = Random(turn).sample(texts, len(texts))
        seeds = [Seed(Seed.identify(draft, WHOLE), draft) for draft in map(Draft, shuffled[:SEEDS])]
        pool = TraitPool(seeds, WORDS, FORMATS["free_text"], name=str(turn))
        lengths = sorted(measure_length(text, WORDS) for text in shuffled[SEEDS:])
        dice = rng("draws", str(turn))
        drawn = (
            [measure_length(seed.draft.input, WORDS) for seed in seeds],
            [pool.draw(dice)[0].length for _ in range(DRAWS)],
            [pool.deal(at)[0].length for at in range(DRAWS)],
        )
        found.append([measure_emd(sorted(each), lengths) / fmean(lengths) for each in drawn])
    return tuple(map(fmean, zip(*found, strict=True)))


if __name__ == "__main__":
    main()
