"""Memory of a run as the number of seeds grows: it must stay flat.

    python benchmarks/memory.py [--target 5000] [--seeds 10 100 1000]

Each run is `aide expand` in a process of its own against the simulator in another one, with seeds made up here;
the figure is the largest resident set that the system saw of it, the report at the end included.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aide.records import rng

WORDS = """
harbour market orchard library station bakery workshop garden theatre museum clinic school
crates tickets apples books parcels loaves planks tulips chairs coins bandages pencils
Ana Boris Chen Dalia Emil Farah Goran Hana Ivo Jana Kofi Lena
"""
PLACES, THINGS, PEOPLE = (line.split() for line in WORDS.strip().splitlines())


def make_seeds(path: Path, count: int) -> None:
    """Short sums that are all different."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            dice = rng("seed", str(number))
            a, b = dice.randrange(3, 90), dice.randrange(2, 30)
            who, where, what = dice.choice(PEOPLE), dice.choice(PLACES), dice.choice(THINGS)
            carried = f"{who} carries {a} {what} a day to the {where} for {b} days, case {number}."
            asked = f"{carried} How many {what} is that?"
            file.write(json.dumps({"input": asked, "output": f"{a} times {b} is {a * b}.\n{a * b}"}) + "\n")


@contextmanager
def simulator() -> Iterator[str]:
    """The base URL of `aide simulate` in a process of its own, with a judge that finds no fault."""
    command = [sys.executable, "-m", "aide", "simulate", "--port", "0", "--accept-all"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait()


def run(url: str, seeds: int, target: int) -> tuple[float, float, int]:
    """Most resident memory in MiB, seconds, accepted records of one run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_seeds(folder / "seeds.jsonl", seeds)
        command = [sys.executable, "-m", "aide", "expand", str(folder / "seeds.jsonl")]
        command += ["--base-url", url, "--model", "simulator", "--target", str(target), "--quiet"]
        command += ["--no-exam", "--agreement", "off", "-o", str(folder / "run")]
        began = time.perf_counter()
        process = subprocess.Popen(command)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        if os.waitstatus_to_exitcode(status):
            sys.exit(f"the run with {seeds} seeds ended with exit {os.waitstatus_to_exitcode(status)}")
        accepted = json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))["accepted"]
        return peak(usage), seconds, accepted


def peak(usage: resource.struct_rusage) -> float:
    """MiB; Linux counts in KiB, macOS in bytes."""
    return usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", type=int, default=5000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[10, 100, 1000])
    asked = parser.parse_args()
    print(f"{'seeds':>6} {'accepted':>9} {'peak MiB':>9} {'seconds':>8}")
    with simulator() as url:
        for seeds in asked.seeds:
            most, seconds, accepted = run(url, seeds, asked.target)
            print(f"{seeds:>6} {accepted:>9} {most:>9.1f} {seconds:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
