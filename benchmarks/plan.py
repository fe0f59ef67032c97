"""The plan held against runs: calls and tokens by step, planned and taken, and their ratio.

    python benchmarks/plan.py [SEEDS …] [--target 30 200 1000 all] [--url URL] [--told WHAT] [--brief] [-- FLAGS]

Each run goes against the built-in simulator. `--told` says what `aide plan` is told: the yield that the run met (unless
said otherwise), nothing at all, or the run's own folder, as for a second run of the kind. With `--runs N` each target
is run with N values of --seed, and what is compared are their sums: a single small run is mostly luck. Every sample
file stands for a format.

Prints a table of steps for each run, and at the end the greatest errors; exit 1 where a step that takes at least a
twentieth of all tokens, or all of them together, are off by more than `BOUND`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
SAMPLES: Final = tuple(sorted((ROOT / "sample_seeds").glob("*.jsonl")))
AIDE: Final = (sys.executable, "-m", "aide")
CLEAN: Final = "sim:?reject=0&low=0&wrong=0&near=0"
BOUND: Final = 0.10
PLANNED: Final = ("calls", "prompt_tokens", "completion_tokens")
COUNTS: Final = 0.05  # of all tokens: below, a step is a handful of calls
WHOLE: Final = ("--attributes", "2", "--graph-triples", "0", "--personas", "2")  # a tree of 720 records


@dataclass(frozen=True)
class Row:
    """One step of one run: (calls, tokens in, tokens out), planned and taken."""

    step: str
    planned: tuple[int, int, int]
    taken: tuple[int, int, int]

    @property
    def tokens(self) -> int:
        return self.taken[1] + self.taken[2]

    @property
    def errors(self) -> tuple[float, float]:
        """Of calls and of tokens; 0.1 where a tenth too many were planned."""
        planned = self.planned[1] + self.planned[2]
        return self.planned[0] / max(1, self.taken[0]) - 1, planned / max(1, self.tokens) - 1

    def __str__(self) -> str:
        cells = "".join(
            f"{a:>10,}{b:>10,}{a / max(1, b):>7.2f}" for a, b in zip(self.planned, self.taken, strict=True)
        )
        return f"  {self.step:14}{cells}"


@dataclass(frozen=True)
class Comparison:
    """One run beside its plan; the last row is their sum."""

    name: str
    met: float
    """The mean yield."""
    rows: Sequence[Row]

    @property
    def errors(self) -> list[tuple[float, str]]:
        """Of each step that counts and of the sum, with a name."""
        total = self.rows[-1].tokens
        return [
            (error, f"{self.name}: {what} of {row.step}")
            for row in self.rows
            if row.tokens >= COUNTS * total
            for error, what in zip(row.errors, ("calls", "tokens"), strict=True)
        ]


def run(*words: str | Path) -> dict[str, Any]:
    """`aide` with JSON on its stdout."""
    done = subprocess.run([*AIDE, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 6):
        sys.exit(f"{' '.join(map(str, words))}\nexit {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compare(seeds: Path, url: str, *flags: str, told: str = "yield", runs: int = 1) -> Comparison:
    """Runs of these seeds beside their plans."""
    taken: Counter[tuple[str, int]] = Counter()
    planned: Counter[tuple[str, int]] = Counter()
    yields = []
    for run_number in range(runs):
        with tempfile.TemporaryDirectory() as scratch:
            kept = Path(scratch) / "run"
            words: list[str | Path] = [seeds, "--base-url", url, *flags, "--json"]
            words += ["--seed", str(run_number)] if runs > 1 else []
            found = run("expand", *words, "--quiet", "-o", kept)
            late = found["surplus"] + found["reasons"].get("not_needed", 0)
            yields.append(found["accepted"] / max(1, found["planned"] - late))
            words += ["-o", kept if told == "run" else Path(scratch) / "none"]
            words += ["--expect-yield", f"{yields[-1]:.4f}"] if told == "yield" else []
            steps = json.loads((kept / "summary.json").read_text(encoding="utf-8"))["steps"]
            for step, models in steps.items():
                for each in models.values():
                    taken.update(
                        {(step, n): each[name] for n, name in enumerate(("calls", "prompt", "completion"))}
                    )
            for step, spent in run("plan", *words)["expected"]["steps"].items():
                planned.update({(step, n): spent[name] for n, name in enumerate(PLANNED)})
    rows = [
        Row(step, _pick(planned, step), _pick(taken, step))
        for step in dict.fromkeys(step for step, _ in [*planned, *taken])
    ]
    total = Row("all", _sum(row.planned for row in rows), _sum(row.taken for row in rows))
    return Comparison(f"{seeds.stem} {' '.join(flags)}", fmean(yields), [*rows, total])


def _pick(counts: Mapping[tuple[str, int], int], step: str) -> tuple[int, int, int]:
    return counts[step, 0], counts[step, 1], counts[step, 2]


def _sum(counts: Iterator[tuple[int, int, int]]) -> tuple[int, int, int]:
    calls, prompt, completion = zip((0, 0, 0), *counts, strict=True)
    return sum(calls), sum(prompt), sum(completion)


def main() -> None:
    """Print every run as it ends, then the greatest errors."""
    words, _, flags = " ".join(sys.argv[1:]).partition(" -- ")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("seeds", nargs="*", type=Path, default=SAMPLES)
    parser.add_argument("--target", nargs="+", default=["30", "200", "1000", "all"])
    parser.add_argument("--url", action="append", help=f"repeatable; else {CLEAN} and sim:")
    parser.add_argument("--told", choices=("yield", "nothing", "run"), default="yield")
    parser.add_argument("--runs", type=int, default=1, help="runs of each target, with seeds of their own")
    parser.add_argument("--brief", action="store_true", help="only one line for a run")
    given = parser.parse_args(words.split())
    work = [
        (seeds, url, ("--target", target, *(WHOLE if target == "all" else ()), *flags.split()))
        for seeds in given.seeds or SAMPLES for target in given.target for url in given.url or (CLEAN, "sim:")
    ]  # fmt: skip
    errors: list[tuple[float, str]] = []
    with ThreadPoolExecutor(2) as pool:
        for (_, url, _), found in zip(
            work,
            pool.map(
                lambda each: compare(each[0], each[1], *each[2], told=given.told, runs=given.runs), work
            ),
            strict=True,
        ):
            worst = max(found.errors, key=lambda each: abs(each[0]))
            print(
                f"{found.name} {url}: yield {found.met:.0%}, calls and tokens off by {found.rows[-1].errors[0]:+.1%} "
                f"and {found.rows[-1].errors[1]:+.1%}; at most {worst[0]:+.1%}, {worst[1].rpartition(': ')[2]}",
                flush=True,
            )
            errors += [(error, f"{name} {url}") for error, name in found.errors]
            if not given.brief:
                print(
                    "  step              calls: planned, taken   tokens in: planned, taken  out: planned, taken"
                )
                print(*found.rows, sep="\n", flush=True)
    errors.sort(key=lambda each: -abs(each[0]))
    print(
        f"\n{sum(abs(error) > BOUND for error, _ in errors)} of {len(errors)} figures are off by more than {BOUND:.0%}"
    )
    for error, name in errors[:20]:
        print(f"  {error:+.1%}  {name}")
    sys.exit(abs(errors[0][0]) > BOUND)


if __name__ == "__main__":
    main()
