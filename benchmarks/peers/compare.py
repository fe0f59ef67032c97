"""The same three-stage work driven by `aide`, by its peers and by a plain loop, side by side in one run.

    python benchmarks/peers/compare.py [--only TOOL …] [--rows N] [--rounds N] [--measures zero slots killed]
                                       [--latency S]

Every tool is a process of its own against `server.py` in another one; 64 calls in flight, the tools' own defaults
otherwise, their telemetry off, their caches in a folder that is new for each run. The tools take turns in every
round, which has latencies of its own; medians are printed, and written to benchmarks/results/peers.json where nothing
was left out. The plain loop is the reference and no peer: it keeps nothing. A peer lives in benchmarks/.peers/NAME,
made with pip where it is missing.

zero     the server answers at once: calls a second from the first call to the last answer, and the client's CPU.
slots    64 slots, lognormal answers of a second: the share of slot time used from the first call to the last answer.
killed   answers of a fifth of that, SIGKILL at half, then the same command again: calls that were answered twice.

CPU is that of the tool's processes from start to end, as the kernel tells when they are reaped, divided by the calls;
`each further call` leaves out what a start costs: it is the difference of the two sizes. Memory is the kernel's
high-water mark for a tool of one process, else the largest sum of proportional set sizes (shared pages counted once),
looked at five times a second. Start-up is from the process's start to its first call.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import processes
from processes import Ran

HERE = Path(__file__).parent
HOMES = HERE.parent / ".peers"
OUT = HERE.parent / "results" / "peers.json"
TOOLS = {
    "plain": "with_plain.py",
    "aide": "with_aide.py",
    "curator": "with_curator.py",
    "data-designer": "with_data_designer.py",
    "distilabel": "with_distilabel.py",
}
PEERS = {"curator": "0.1.31", "data-designer": "0.9.7", "distilabel": "1.5.3"}
ALONE = {"data-designer": [f"data-designer{half}==0.9.7" for half in ("", "-config", "-engine")]}
MEASURES = ("zero", "slots", "killed")
SLOTS = 64
FURTHER = "CPU ms each further call, simulated"
AGAIN = 60.0  # seconds for a run after a kill
QUIET = {
    "TELEMETRY_ENABLED": "false",  # curator
    "CURATOR_DISABLE_RICH_DISPLAY": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "NEMO_TELEMETRY_ENABLED": "false",  # data-designer
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "OPENAI_API_KEY": "none",
}
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a person's second start finds its bytecode


# --- the tools ------------------------------------------------------------------------------------


def python_of(tool: str) -> Path:
    """The interpreter that runs a tool."""
    return HOMES / tool / "bin" / "python" if tool in PEERS else Path(sys.executable)


def install(tool: str) -> str:
    """Make a peer's home where it is missing; returns why that failed, or nothing."""
    home = HOMES / tool
    if tool not in PEERS or (home / "installed").exists():
        return ""
    pip = [str(python_of(tool)), "-m", "pip", "install", "--quiet"]
    steps = [[sys.executable, "-m", "venv", str(home)]]
    steps += [[*pip, "--no-deps", *ALONE[tool]]] if tool in ALONE else []
    steps += [[*pip, "-r", str(HERE / "requirements" / f"{tool}.txt")]]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True)
        if done.returncode:
            return done.stderr.strip().rpartition("\n")[2][:160]
    (home / "installed").touch()
    return ""


def environment(tool: str, folder: Path) -> dict[str, str]:
    """A tool's environment: nothing of this one but the path and the locale; its home is the run's folder."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    if tool in PEERS:
        kept.pop("PYTHONPATH", None)
    tokens = next(
        (HOMES / "curator" / "lib").glob("*/site-packages/litellm/litellm_core_utils/tokenizers"), ""
    )
    return {**kept, **QUIET, "HOME": str(folder), "TIKTOKEN_CACHE_DIR": str(tokens)}


def words(tool: str, url: str, rows: int, folder: Path) -> list[str]:
    """The command line of a tool."""
    script = str(HERE / TOOLS[tool])
    return [str(python_of(tool)), script, "--url", url, "--rows", str(rows), "--folder", str(folder)]


def run(tool: str, url: str, rows: int, folder: Path, **how: Any) -> Ran:
    """A tool to its end; see `processes.run`."""
    folder.mkdir(exist_ok=True)
    return processes.run(words(tool, url, rows, folder), environment(tool, folder), folder, **how)


# --- the server -----------------------------------------------------------------------------------


@contextmanager
def server(rows: int, *flags: str) -> Iterator[str]:
    """The base URL of `server.py` in a process of its own."""
    command = [sys.executable, str(HERE / "server.py"), "--rows", str(rows), *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def stats(url: str) -> dict[str, Any]:
    """What the server has counted."""
    with urllib.request.urlopen(f"{url}/stats") as answer:
        counted: dict[str, Any] = json.load(answer)
    return counted


# --- what is measured -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """How much there is to do, the mean seconds of an answer, and whose turn it is: each has latencies of its own."""

    rows: int
    latency: float = 1.0
    turn: int = 0

    def slow(self, share: float) -> list[str]:
        """The server's flags for answers that take `share` of the latency."""
        return ["--slots", str(SLOTS), "--latency", str(share * self.latency), "--seed", str(self.turn)]


class Failed(Exception):
    """A tool did not do the work."""


def finished(tool: str, ran: Ran, seen: dict[str, Any], rows: int, folder: Path) -> None:
    """Raises `Failed` where a tool ended badly or not every call was answered."""
    if ran.code == 0 and seen["answered"] == 3 * rows:
        return
    log = (folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()
    last = next((line.strip() for line in reversed(log) if line.strip()), "")
    how = "was stopped, for it did not end" if ran.code == -signal.SIGKILL else f"ended with exit {ran.code}"
    raise Failed(
        f"{tool}: {seen['answered']} of {3 * rows} calls answered, then it {how}; it said: {last[:100]}"
    )


def zero(tool: str, work: Work, scratch: Path) -> dict[str, float]:
    """Cost of a call and calls a second where the server answers at once."""
    rows = work.rows
    with server(rows) as url:
        ran, seen = run(tool, url, rows, scratch), stats(url)
    finished(tool, ran, seen, rows, scratch)
    return {
        "calls/s at zero latency": 3 * rows / (seen["last"] - seen["first"]),
        "CPU ms a call at zero latency": 1000 * ran.cpu / (3 * rows),
        "server's CPU ms an answer": 1000 * seen["cpu_seconds"] / (3 * rows),
        "peak memory MiB at zero latency": ran.peak,
        "start-up s": seen["first"] - ran.began,
        "other requests": seen["others"],
    }


def few(rows: int) -> int:
    """The smaller size of two: 320 for 800."""
    return 2 * rows // 5


def slots(tool: str, work: Work, scratch: Path) -> dict[str, float]:
    """How full 64 slots are kept, in a run of two fifths of the rows and in one of all."""
    found: dict[str, float] = {}
    cpu = []
    sizes = (few(work.rows), work.rows)
    for size in sizes:
        folder = scratch / str(size)
        with server(size, *work.slow(1.0)) as url:
            ran, seen = run(tool, url, size, folder), stats(url)
        finished(tool, ran, seen, size, folder)
        used = seen["slot_seconds"] / (SLOTS * (seen["last"] - seen["first"]))
        found[f"slot utilisation, {size} rows"] = used
        found[f"CPU ms a call, simulated, {size} rows"] = 1000 * ran.cpu / (3 * size)
        found[f"peak memory MiB, {size} rows"] = ran.peak
        found[f"asked, {size} rows"] = seen["asked"]
        found[f"peak in flight, {size} rows"] = seen["peak"]
        cpu.append(ran.cpu)
    found[FURTHER] = 1000 * (cpu[1] - cpu[0]) / (3 * (sizes[1] - sizes[0]))
    return found


def killed(tool: str, work: Work, scratch: Path) -> dict[str, float]:
    """SIGKILL at half, then again: what was paid twice."""
    rows = 3 * work.rows // 8
    with server(rows, *work.slow(0.2)) as url:
        run(tool, url, rows, scratch, kill_when=lambda: stats(url)["answered"] >= 3 * rows // 2)
        half = stats(url)
        ran, seen = run(tool, url, rows, scratch, patience=AGAIN), stats(url)
    finished(tool, ran, seen, rows, scratch)
    return {"repaid after SIGKILL": seen["repaid"], "answered at the kill": half["answered"]}


How = Callable[[str, Work, Path], dict[str, float]]
HOW: dict[str, How] = {"zero": zero, "slots": slots, "killed": killed}
Figures = dict[str, dict[str, list[float]]]


def measure(tools: list[str], measures: list[str], works: list[Work]) -> tuple[Figures, list[str]]:
    """All figures by tool and name, one a round, and what failed. A short run before them warms each tool."""
    figures: Figures = {tool: defaultdict(list) for tool in tools}
    faults: list[str] = []

    def one(tool: str, how: How, work: Work) -> dict[str, float]:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            try:
                return how(tool, work, Path(scratch))
            except Failed as fault:
                faults.append(f"{how.__name__}: {fault}")
                print(faults[-1], flush=True)
                return {}

    for tool in tools:
        one(tool, zero, Work(16))
    for turn, work in enumerate(works):
        for name in measures:
            for tool in tools[turn % len(tools) :] + tools[: turn % len(tools)]:
                found = one(tool, HOW[name], work)
                told = ", ".join(f"{key} {value:.4g}" for key, value in found.items() if "asked" not in key)
                print(f"  {turn + 1} {name:7}{tool:14}{told}", file=sys.stderr, flush=True)
                for key, value in found.items():
                    figures[tool][key].append(value)
    return figures, faults


def same_prompts(figures: Figures) -> list[str]:
    """What tells that tools did not send the same messages."""
    names = {name for found in figures.values() for name in found if name.startswith("asked")}
    said = []
    for name in sorted(names):
        sums = {tool: set(found[name]) for tool, found in figures.items() if name in found}
        if len(set.union(*sums.values())) > 1:
            said.append(f"{name}: the tools did not send the same messages")
    return said


# --- what is told ---------------------------------------------------------------------------------


def table(medians: dict[str, dict[str, float]]) -> str:
    """One line a figure, one column a tool."""
    names = list(dict.fromkeys(name for found in medians.values() for name in found))
    lines = [f"{'':40}" + "".join(f"{tool:>15}" for tool in medians)]
    for name in names:
        cells = [f"{found[name]:.4g}" if name in found else "-" for found in medians.values()]
        lines.append(f"{name:40}" + "".join(f"{cell:>15}" for cell in cells))
    return "\n".join(lines)


def verdict(
    name: str, ours: float, theirs: list[float], *, small: bool
) -> tuple[float, bool | None, str] | None:
    """The best peer's figure, whether the bound is met, and the bound in words; `None` for what has none."""
    least = min(theirs)
    if name == FURTHER:
        return least, None, f"{least / ours:.1f} times less; no bound, for it is a difference of two runs"
    if name.startswith(("CPU", "peak memory")):
        wanted = 3.0 if name.startswith("CPU") else 2.5
        return least, least / ours >= wanted, f"{least / ours:.1f} times less, at least {wanted:g} is wanted"
    if name.startswith("repaid"):
        return least, ours <= least, "0, or no more than any peer, is wanted"
    if name.startswith("slot utilisation"):
        best = max(theirs)
        if small:
            return best, ours > best, "ahead is wanted"
        return best, ours >= best - 0.005, "not behind by more than 0.005 is wanted"
    return None


def against(medians: dict[str, dict[str, float]], rows: int) -> list[dict[str, Any]]:
    """`aide` beside the best peer, each with the bound that we hold ourselves to."""
    peers = [found for tool, found in medians.items() if tool in PEERS]
    lines = []
    for name, ours in medians.get("aide", {}).items():
        theirs = [found[name] for found in peers if name in found]
        small = f", {few(rows)} rows" in name
        if theirs and (told := verdict(name, ours, theirs, small=small)):
            best, met, words = told
            lines.append({"name": name, "aide": ours, "best peer": best, "met": met, "told": words})
    return lines


def main() -> None:
    """Print the table; exit 1 where a bound is not met, or something failed that is not a peer's own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--latency", type=float, default=1.0, help="mean seconds of an answer in `slots`")
    parser.add_argument("--measures", nargs="+", choices=MEASURES, default=list(MEASURES))
    asked = parser.parse_args()
    processes.adopt_orphans()
    tools = []
    for tool in asked.only:
        if fault := install(tool):
            print(f"{tool} {PEERS[tool]} can't be installed and is left out: {fault}")
        else:
            tools.append(tool)
    works = [Work(asked.rows, asked.latency, turn) for turn in range(asked.rounds)]
    figures, faults = measure(tools, asked.measures, works)
    faults += same_prompts(figures)
    medians = {
        tool: {name: statistics.median(each) for name, each in found.items()}
        for tool, found in figures.items()
    }
    shown = {
        tool: {name: value for name, value in found.items() if "asked" not in name}
        for tool, found in medians.items()
    }
    lines = against(shown, asked.rows)
    print(table(shown), *faults, "", "aide against the best peer", sep="\n")
    for line in lines:
        met = {True: "met", False: "NOT MET", None: ""}[line["met"]]
        print(f"{line['name']:40}{line['aide']:>10.4g}{line['best peer']:>10.4g}  {met:8}{line['told']}")
    if set(tools) == set(TOOLS) and set(asked.measures) == set(MEASURES):
        OUT.parent.mkdir(exist_ok=True)
        whole = {"rows": asked.rows, "rounds": asked.rounds, "versions": PEERS, "medians": shown}
        whole |= {"against": lines, "faults": faults}
        OUT.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    failed = [fault for fault in faults if not any(f" {peer}:" in fault for peer in PEERS)]
    sys.exit(bool(failed) or any(line["met"] is False for line in lines))


if __name__ == "__main__":
    main()
