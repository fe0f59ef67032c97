"""The sample tasks, a few records each, on a real endpoint: how well its model does what the prompts ask.

    python benchmarks/endpoint/try_model.py --base-url URL --model NAME [--records 40] [-o DIR] [-- FLAGS]

FLAGS go to `aide expand`. Each figure stands beside a bound; beyond it the model is hardly fit for the task.
The run folders stay for a look inside, and running it again goes on where it stopped. It exits 0 when every
figure keeps its bound, 1 when one does not, and with `aide`'s own code where a run could not end.
"""

import argparse
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[2] / "sample_seeds"
LENGTH = ("too_long", "too_short")


@dataclass(frozen=True)
class Figure:
    """One thing that was counted; `least` is a lower bound, `most` an upper one."""

    name: str
    value: float
    least: float | None = None
    most: float | None = None
    share: bool = True

    @property
    def kept(self) -> bool:
        return (self.least is None or self.value >= self.least) and (
            self.most is None or self.value <= self.most
        )

    def __str__(self) -> str:
        bound = self.least if self.least is not None else self.most
        sign = "at least" if self.least is not None else "at most"
        shown = f"{self.value:.1%}" if self.share else f"{self.value:,.1f}"
        told = f"{bound:.0%}" if self.share else f"{bound:,.0f}"
        return f"  {self.name:22}{shown:>10}   {sign} {told}{'' if self.kept else '   MISSED'}"


def expand(seeds: Path, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run one task; leaves with `aide`'s exit code where it could not end."""
    command = [
        sys.executable,
        "-m",
        "aide",
        "expand",
        seeds,
        "--base-url",
        given.base_url,
        "--target",
        given.records,
    ]
    command += ["--model", given.model, "-o", folder, "--quiet", "--json", "--yes", *given.flags]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 6):
        sys.exit(done.returncode)
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return summary


def figures(summary: dict[str, Any], folder: Path) -> list[Figure]:
    """What one run says of the model."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        asked = dict(journal.execute("SELECT attempt, count(*) FROM calls GROUP BY attempt").fetchall())
    reasons: Counter[str] = Counter(summary["reasons"])
    accepted = summary["accepted"]
    settled = max(1, accepted + summary["surplus"] + summary["rejected"] + summary["failed"])
    records = max(1, accepted + summary["surplus"])
    tokens = summary["tokens"]["prompt"] + summary["tokens"]["completion"]

    def without(*names: str) -> float:
        return 1 - sum(reasons[name] for name in names) / settled

    found = [
        Figure("usable at first", 1 - asked.get(1, 0) / max(1, asked.get(0, 0)), least=0.95),
        Figure("in language", without("wrong_language"), least=0.95),
        Figure("in length", without(*LENGTH), least=0.9),
        Figure("accepted", records / settled, least=0.5),
        Figure("calls a record", summary["calls"] / records, most=12, share=False),
        Figure("tokens a record", tokens / records, most=20_000, share=False),
    ]
    if summary["by_label"]:
        found.insert(3, Figure("label kept", without("label_mismatch"), least=0.8))
    return found


def main() -> int:
    """Run all tasks and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--records", type=int, default=40)
    parser.add_argument("-o", "--out", type=Path, default=Path("try.aide"))
    parser.add_argument("flags", nargs="*", help="further flags of `aide expand`, after --")
    given = parser.parse_args()
    good = True
    for seeds in sorted(SAMPLES.glob("*.jsonl")):
        folder = given.out / seeds.stem
        folder.parent.mkdir(parents=True, exist_ok=True)
        summary = expand(seeds, folder, given)
        print(f"{seeds.stem}: {summary['accepted']} records, format {summary['format']}")
        for figure in figures(summary, folder):
            print(figure)
            good = good and figure.kept
        rejected = ", ".join(f"{reason} {count}" for reason, count in summary["reasons"].items())
        print(f"  not accepted: {rejected or 'none'}\n", flush=True)
    print(f"records and rejects are in {given.out}/")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
