"""One run in several parts: calls a second, CPU and memory of each part, and what the merge costs.

    python benchmarks/scale.py [--records 2000 8000] [--parts 1 2 4 8] [--together 2] [--seeds 100]

`aide expand --partition` against the simulator in a process of its own, with seeds made up here. Up to `--together`
parts run at the same time; of more, one after the other, as each would run on a machine of its own: their calls a
second are then those of all parts by the slowest part's time, start-up not included. The last table carries the cost
of the largest merge on to a million records, on paper: it is linear in the records. Memory is the largest resident set
that the system saw; kB a record is the size of the merged journal.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen

from growth import make_seeds, peak, simulator

MILLION = 1_000_000
# Bytes of memory for each further record of a part, as `growth.py --million` prints it: the caches of a run fill within
# its first few thousand records, so that two small runs say nothing of it.
A_RECORD = 561
HEAD = "parts  records    calls  calls/s  ms CPU a call  MiB a part  merge: s  s CPU    MiB  repeats  kB a record"


@dataclass(frozen=True)
class Spent:
    """What a process took: seconds, seconds of CPU, MiB."""

    seconds: float
    cpu: float
    peak: float


@dataclass(frozen=True)
class Row:
    """One run in parts."""

    parts: int
    records: int
    calls: int
    seconds: float
    cpu: float
    peak: float
    merge: Spent
    repeated: int
    size: int

    def __str__(self) -> str:
        return (
            f"{self.parts:>5} {self.records:>8,} {self.calls:>8,} {self.calls / self.seconds:>8,.0f} "
            f"{1000 * self.cpu / self.calls:>14.3f} "
            f"{self.peak:>11.1f} {self.merge.seconds:>9.2f} {self.merge.cpu:>6.2f} "
            f"{self.merge.peak:>6.1f} {self.repeated:>8,} {self.size / self.records / 1000:>12.1f}"
        )


def spend(commands: Sequence[Sequence[str]]) -> list[Spent]:
    """Run commands of `aide` at the same time; ends this program where one of them fails."""
    begun = time.perf_counter()
    running = [Popen([sys.executable, "-m", "aide", *command], stdout=DEVNULL) for command in commands]
    spent = []
    for process, command in zip(running, commands, strict=True):
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 6):
            sys.exit(f"aide {' '.join(command)} ended with exit {process.returncode}")
        spent.append(Spent(time.perf_counter() - begun, used.ru_utime + used.ru_stime, peak(used)))
    return spent


def measure(url: str, seeds: int, records: int, parts: int, together: int) -> Row:
    """One run in so many parts, and its merge."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_seeds(folder / "seeds.jsonl", seeds)
        run = [
            "expand", str(folder / "seeds.jsonl"), "--base-url", url, "--model", "simulator", "--quiet", "--target",
            str(records), "--no-exam", "--agreement", "off", "-o", str(folder / "run"),
        ]  # fmt: skip
        spend([[*run, "--card-only"]])
        commands = [[*run, "--partition", f"{index}/{parts}"] for index in range(parts)]
        alone = [[command] for command in commands] if parts > together else [commands]
        spent = [each for batch in alone for each in spend(batch)]
        told = [json.loads(path.read_text()) for path in sorted((folder / "run").glob("part-*/summary.json"))]
        before = sum(each["accepted"] for each in told)
        [merge] = spend([["merge", str(folder / "run"), "--json"]])
        after = json.loads((folder / "run" / "summary.json").read_text())
        return Row(
            parts,
            after["accepted"],
            sum(each["calls"] for each in told),
            max(each["this_run"]["seconds"] for each in told),
            sum(each.cpu for each in spent),
            max(each.peak for each in spent),
            merge,
            before - after["accepted"],
            (folder / "run" / "journal.sqlite").stat().st_size,
        )


def carry_on(small: Row, large: Row) -> None:
    """Ten thousand to a million records on paper, from what the merge of the larger run took beyond the smaller's."""
    more = large.records - small.records
    seconds = (large.merge.cpu - small.merge.cpu) / more
    merged = (large.merge.peak - small.merge.peak) / more
    print(
        f"\non paper, {large.parts} parts\n  records  MiB a part  merge: min CPU      MiB  journal of all, GB"
    )
    for records in (10_000, 100_000, MILLION):
        beyond = records - large.records
        part = large.peak + A_RECORD * beyond / large.parts / (1 << 20)
        print(
            f"{records:>9,} {part:>11.0f} {(large.merge.cpu + seconds * beyond) / 60:>14.1f} "
            f"{large.merge.peak + max(0.0, merged) * beyond:>8.0f} {large.size / large.records * records / 1e9:>19.2f}"
        )


def main() -> None:
    """Print the tables."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, nargs="+", default=[2000, 8000])
    parser.add_argument("--parts", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--together", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=100)
    given = parser.parse_args()
    print(f"{os.cpu_count()} CPUs; up to {given.together} parts at the same time\n{HEAD}")
    rows = []
    with simulator("--repeat", "0.01") as url:
        for records in given.records:
            for parts in given.parts:
                rows.append(measure(url, given.seeds, records, parts, given.together))
                print(rows[-1], flush=True)
    most = [row for row in rows if row.parts == given.parts[-1]]
    if len(most) > 1:
        carry_on(most[0], most[-1])


if __name__ == "__main__":
    main()
