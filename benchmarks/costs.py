"""Where the CPU of a call goes: a sampling profile of `aide expand`, by part of the program.

    python benchmarks/costs.py [--source DIR] [--latency S]

The run is that of `targets.py`: ten seeds, two hops, the whole tree, against a canned simulator in another process. It
runs once unwatched, for the CPU of a call, and once under py-spy (`pip install py-spy`). A sample counts for the
deepest frame of ours, so what a library does is booked on who called it. `--source` profiles another checkout. With
`--latency` the simulator has 64 slots and answers of so many seconds, 300 records are asked for, and only samples that
hold the interpreter count: of the others nobody can tell whether they work or wait.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from growth import simulator
from targets import AIDE, SEEDS, SLOTS, WHOLE, stats

RATE = 250  # samples a second
IDLE = re.compile(r"(Writer\._run \(|_worker \(concurrent)")  # threads that wait for work
PARTS = (
    (r"_find_and_load|<module>", "imports"),
    (r"aide/llm/(client|network)\.py|aide/llm/addresses\.py", "HTTP exchange"),
    (r"aide/llm/", "limiter, retries, usage, prefix meter"),
    (r"aide/journal/", "journal"),
    (r"aide/prompts\.py|\.md[:)]", "prompts"),
    (r"aide/(parsing\.py|formats/|text/)", "reading answers"),
    (
        r"aide/(dedup|gates|verify|judging|metrics|sandbox)/|aide/run/deduplication",
        "checks, agreement, duplicates",
    ),
    (r"aide/report/|aide/run/(drift_report|record_preview)|aide/cli/display", "report at the end"),
    (r"aide/run/(calls|budget)\.py|aide/records/|<string>", "calls and their keys"),
    (r"aide/recipes/", "recipe"),
    (r"aide/(run|frontier|engines)/|aide/(shards|jsonl)\.py", "scheduling, outcomes, shards"),
)


def part(frames: list[str]) -> str:
    """The part of the program that a stack is booked on; imports wherever they happen."""
    if any(re.search(PARTS[0][0], frame) and "__main__" not in frame for frame in frames):
        return PARTS[0][1]
    for frame in reversed(frames):
        for pattern, name in PARTS[1:]:
            if re.search(pattern, frame):
                return name
    return "event loop and the rest"


def booked(raw: Path) -> Counter[str]:
    """Samples by part from py-spy's raw stacks."""
    found: Counter[str] = Counter()
    for line in raw.read_text(encoding="utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        if not IDLE.search(frames[-1]):
            found[part(frames)] += int(count)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--latency", type=float, default=0.0)
    asked = parser.parse_args()
    environment = os.environ | {"PYTHONPATH": str(asked.source / "src")}
    server: tuple[str, ...] = ("--canned",)
    size, holding = WHOLE, tuple[str, ...]()
    if asked.latency:
        server = ("--slots", str(SLOTS), "--latency", str(asked.latency))
        size = ("--hops", "2", "--target", "300", "--no-exam", "--concurrency", str(SLOTS))
        holding = ("--gil",)
    spy = shutil.which("py-spy") or sys.exit("py-spy is not there: pip install py-spy")
    with tempfile.TemporaryDirectory() as name, simulator(*server) as url:
        scratch = Path(name)

        def command(folder: str) -> list[str]:
            target = ("--base-url", url, "--model", "simulator", "-o", str(scratch / folder), "--quiet")
            return [*AIDE, "expand", str(SEEDS), *target, *size]

        if not asked.latency:
            subprocess.run(command("taught"), check=True, env=environment)
        before = stats(url)["calls"]
        unwatched = subprocess.Popen(command("unwatched"), env=environment)
        _, _, used = os.wait4(unwatched.pid, 0)
        cost = 1000 * (used.ru_utime + used.ru_stime) / (stats(url)["calls"] - before)
        raw = scratch / "stacks"
        record = [spy, "record", *holding, "--rate", str(RATE), "--format", "raw", "--output", str(raw)]
        subprocess.run([*record, "--", *command("watched")], check=True, env=environment, capture_output=True)
        samples = booked(raw)
    whole = samples.total()
    print(f"{cost:.3f} ms of CPU a call")
    for name, count in samples.most_common():
        print(f"{name:40} {count / whole:6.1%} {cost * count / whole:8.3f} ms")


if __name__ == "__main__":
    main()
