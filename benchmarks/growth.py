"""Cost and memory of a run as it grows: with the seeds, with the hops, and up to a million records.

    python benchmarks/growth.py [--target 5000] [--seeds 10 100 1000 10000] [--hops 1 2 3 4] [--million N] [--plot FILE]

The first table: `aide expand` in a process of its own against the simulator in another one, with seeds made up
here, the report at the end included. The second: N records (none unless asked for) through frontier, duplicate
check, journal and shards, with a recipe that makes up its texts instead of asking for them, so that a server's time
is not in it. Memory is the largest resident set that the system saw.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aide.errors import Rejection
from aide.frontier import PlantWork
from aide.recipes import Found, Grown
from aide.recipes.aide import Aide
from aide.records import Ask, Draft, Group, Hop, Lineage, Point, Record, Seed, TracedAsk, Triple, rng

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


@dataclass(frozen=True)
class Row:
    """One run: how large it was asked to be, and what it took."""

    seeds: int
    hops: int
    accepted: int
    calls: int
    cpu: float
    peak: float

    def __str__(self) -> str:
        cost = 1000 * self.cpu / self.calls
        return f"{self.seeds:>7,} {self.hops:>5} {self.accepted:>9,} {self.calls:>9,} {cost:>11.3f} {self.peak:>9.1f}"


@contextmanager
def simulator(*flags: str) -> Iterator[str]:
    """The base URL of `aide simulate` in a process of its own."""
    command = [sys.executable, "-m", "aide", "simulate", "--port", "0", *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait()


def run(url: str, seeds: int, hops: int, target: int) -> Row:
    """One expansion over HTTP."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_seeds(folder / "seeds.jsonl", seeds)
        command = [
            sys.executable,
            "-m",
            "aide",
            "expand",
            str(folder / "seeds.jsonl"),
            "--base-url",
            url,
            "--quiet",
        ]
        command += ["--model", "simulator", "--target", str(max(target, seeds)), "--hops", str(hops)]
        command += ["--no-exam", "--agreement", "off", "-o", str(folder / "run")]
        process = subprocess.Popen(command)
        _, status, used = os.wait4(process.pid, 0)
        if (code := os.waitstatus_to_exitcode(status)) not in (0, 6):
            sys.exit(f"the run with {seeds} seeds and {hops} hops ended with exit {code}")
        found = json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))
        return Row(seeds, hops, found["accepted"], found["calls"], used.ru_utime + used.ru_stime, peak(used))


def peak(usage: resource.struct_rusage) -> float:
    """MiB; Linux counts in KiB, macOS in bytes."""
    return usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


# --- a million records ----------------------------------------------------------------------------


class Bare(Aide):
    """A recipe that asks nobody: short texts from the id of each hop."""

    async def plant(self, seed: Seed, point: Point, work: PlantWork, ask: Ask) -> Found:
        """As many triples and personas as are wanted."""
        dice, (triples, personas) = rng("plant", point.id), work.wanted
        ties = [Triple("matter", "has", f"{dice.getrandbits(40):x}").as_dict() for _ in range(triples)]
        return Found(
            "matter", {"triples": ties, "personas": [f"{dice.getrandbits(40):x}" for _ in range(personas)]}
        )

    async def grow(self, group: Group, ask: TracedAsk) -> AsyncGenerator[Grown, None]:
        """Records of eighteen made up words, checked for duplicates as any other."""
        for place, hop in enumerate(group.hops):
            if place in group.settled:
                continue
            try:
                yield Grown(hop, self.make_up(hop))
            except Rejection as fault:
                yield Grown(hop, fault)

    def make_up(self, hop: Hop) -> Record:
        """The record of a hop."""
        dice = rng("grow", hop.id)
        text = " ".join(f"{dice.getrandbits(24):05x}" for _ in range(18))
        if duplicate := self.context.deduplicator.check_wording(hop.id, text):
            raise Rejection("synthesize", "duplicate", duplicate)
        scores = {"relevance": 9, "diversity": 8, "correct": True}
        draft = Draft(text, str(dice.randrange(1000)))
        return Record(hop.id, "bare", "free_text", draft, hop.parent.parts, Lineage.of(hop), scores, 0)


class Nobody:
    """Looks at no run."""

    def on_card(self, *seen: Any) -> None: ...

    def on_precheck(self, precheck: Any) -> None: ...

    def on_progress(self, progress: Any) -> None: ...
    def on_trouble(self, trouble: Any) -> None: ...


async def grow_bare(records: int, scratch: Path) -> dict[str, Any]:
    """A whole run with the bare recipe; returns its summary."""
    from aide.card import card_to_toml
    from aide.config.spec import RunSpec
    from aide.engines.local import LocalModels, run_locally
    from aide.recipes import RECIPES
    from aide.run.expansion import Expansion
    from aide.run.folder import RunFolder
    from aide.run.inputs import SeedSource, count_inputs_card
    from aide.run.session import RunRequest

    make_seeds(scratch / "seeds.jsonl", 10)
    spec = RunSpec(
        base_url=("sim:",), format="free_text", hops=5, target=records, exam=False, agreement="off"
    )
    seeds = (str(scratch / "seeds.jsonl"),)
    source = SeedSource(spec, seeds)
    folder = RunFolder(scratch / "run")
    folder.create()
    folder.card.write_text(card_to_toml(count_inputs_card(spec, source.read())), encoding="utf-8")
    RECIPES["aide"] = Bare
    request = RunRequest(spec, {}, seeds, folder)
    return await run_locally(Expansion(request, source, LocalModels(spec), Nobody()))


def bare(records: int) -> None:
    """Print what so many records took: run in a process of its own, whose memory nothing else has used."""
    import uvloop

    with tempfile.TemporaryDirectory() as name:
        began = time.process_time()
        summary = uvloop.run(grow_bare(records, Path(name)))
        spent = time.process_time() - began
        size = sum(path.stat().st_size for path in (Path(name) / "run").rglob("*") if path.is_file())
    accepted, used = summary["accepted"], resource.getrusage(resource.RUSAGE_SELF)
    row = [accepted, 1000 * spent / accepted, peak(used), size / accepted]
    print(json.dumps(row), flush=True)


def million(records: int) -> tuple[list[float], list[float]]:
    """What a tenth of the records and all of them took, each in a process of its own."""
    found = []
    for count in (max(1000, records // 10), records):
        command = [sys.executable, __file__, "--bare", str(count)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
        accepted, cost, memory, size = found[-1]
        print(
            f"{accepted:>10,} records {cost:>8.3f} ms each {memory:>8.1f} MiB {size:>7,.0f} bytes each on disk"
        )
    small, large = found
    more = (large[2] - small[2]) * 2**20 / (large[0] - small[0])
    print(f"memory for each record more: {more:.0f} bytes", flush=True)
    return small, large


# --- the plot -------------------------------------------------------------------------------------


def plot(by_seeds: list[Row], by_hops: list[Row]) -> str:
    """Two small panels as SVG: CPU a call and peak memory, over seeds and over hops, each from zero."""
    panels = []
    for place, (title, rows, name) in enumerate((("seeds", by_seeds, "seeds"), ("hops", by_hops, "hops"))):
        for line, (unit, values) in enumerate(
            (
                ("ms CPU a call", [1000 * row.cpu / row.calls for row in rows]),
                ("MiB at most", [row.peak for row in rows]),
            )
        ):
            left, top, width, height = 60 + 330 * place, 30 + 150 * line, 250, 90
            high = 1.25 * max(values)
            xs = [left + width * at / max(1, len(rows) - 1) for at in range(len(rows))]
            ys = [top + height * (1 - value / high) for value in values]
            marks = "".join(
                f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3"/><text x="{x:.0f}" y="{y - 7:.0f}">{value:.3g}</text>'
                f'<text x="{x:.0f}" y="{top + height + 15}">{getattr(row, name):,}</text>'
                for x, y, value, row in zip(xs, ys, values, rows, strict=True)
            )
            points = " ".join(f"{x:.0f},{y:.0f}" for x, y in zip(xs, ys, strict=True))
            panels.append(
                f'<text x="{left + width / 2:.0f}" y="{top - 10}">{unit}, by {title}</text>'
                f'<path d="M{left},{top + height}h{width}" class="axis"/><polyline points="{points}"/>{marks}'
            )
    style = "text{font:11px sans-serif;text-anchor:middle;fill:#555}polyline{fill:none;stroke:#2a6fb0;stroke-width:2}"
    style += "circle{fill:#2a6fb0}.axis{stroke:#999}"
    body = "".join(panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 310"><style>{style}</style>{body}</svg>\n'
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", type=int, default=5000)
    parser.add_argument("--seeds", type=int, nargs="*", default=[10, 100, 1000, 10_000])
    parser.add_argument("--hops", type=int, nargs="*", default=[1, 2, 3, 4])
    parser.add_argument("--million", type=int, default=0, metavar="N")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--bare", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.bare:
        bare(asked.bare)
        return
    print(f"{'seeds':>7} {'hops':>5} {'accepted':>9} {'calls':>9} {'ms a call':>11} {'peak MiB':>9}")
    by_seeds, by_hops = [], []
    with simulator("--accept-all") as url:
        for seeds in asked.seeds:
            by_seeds.append(run(url, seeds, 2, asked.target))
            print(by_seeds[-1], flush=True)
        for hops in asked.hops:
            by_hops.append(run(url, 100, hops, asked.target if hops > 1 else min(asked.target, 2000)))
            print(by_hops[-1], flush=True)
    if asked.plot:
        asked.plot.write_text(plot(by_seeds, by_hops), encoding="utf-8")
    if asked.million:
        million(asked.million)


if __name__ == "__main__":
    main()
