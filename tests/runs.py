"""Real runs: `aide` in a process of its own, the simulator beside it, and what a run leaves in its folder."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from aide.simulator import Simulator, SimulatorSettings, serve

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "sample_seeds"
AIDE = (sys.executable, "-m", "aide")
SMALL = ("--attributes", "1", "--graph-triples", "0", "--personas", "1")


def environment(**more: str) -> dict[str, str]:
    """The surroundings of a run: no settings and no keys but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIDE_", "OPENAI_"))}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1", **more}


def command(*arguments: object) -> list[str]:
    """A command line of `aide` for this interpreter."""
    return [*AIDE, *map(str, arguments)]


def aide(
    *arguments: object,
    code: int = 0,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    given: str = "",
) -> str:
    """Run a command to its end, which must be `code`; returns stdout, or stderr where `code` is not 0."""
    done = subprocess.run(
        command(*arguments),
        env=environment(**(env or {})),
        cwd=cwd,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stderr if code else done.stdout


def expand(
    seeds: object,
    folder: Path,
    *arguments: object,
    url: str = "sim:",
    code: int = 0,
    env: Mapping[str, str] | None = None,
) -> str:
    """`aide expand` into a folder."""
    model = () if url.startswith("sim:") else ("--model", "simulator")
    return aide("expand", seeds, "--base-url", url, *model, "-o", folder, *arguments, code=code, env=env)


def few(folder: Path, name: str, count: int = 4) -> Path:
    """The first seeds of a sample file, in a file of their own."""
    path = folder / f"{count}_{name}"
    path.write_text(
        "".join((SEEDS / name).read_text(encoding="utf-8").splitlines(keepends=True)[:count]),
        encoding="utf-8",
    )
    return path


# --- what a run leaves --------------------------------------------------------------------------


def lines(path: Path) -> list[dict[str, Any]]:
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def shard_bytes(folder: Path) -> bytes:
    """All shards one after another."""
    return b"".join(path.read_bytes() for path in sorted((folder / "shards").glob("part-*.jsonl")))


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shard_bytes(folder).splitlines()]


def contents(folder: Path) -> dict[str, dict[str, Any]]:
    """Records by id: two runs are equal where these are, whatever the order of their lines."""
    found = records(folder)
    by_id = {line["id"]: line for line in found}
    assert len(by_id) == len(found), "an id stands twice in the shards"
    return by_id


def rejects(folder: Path) -> list[dict[str, Any]]:
    return lines(folder / "rejects.jsonl")


def summary(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return loaded


def query(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a journal, also of one whose writer was killed."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        return journal.execute(sql).fetchall()


def paid(folder: Path) -> int:
    """Calls that were answered for this folder, those taken over from another folder apart."""
    return int(query(folder, "SELECT count(*) FROM calls WHERE reused = 0")[0][0])


def reconciles(folder: Path) -> bool:
    """Every planned node is accounted for, in the summary and in the files."""
    told = summary(folder)
    ends = told["accepted"] + told["rejected"] + told["failed"] + told["surplus"]
    filed = len(rejects(folder)) == told["rejected"] + told["failed"]
    return bool(told["planned"] == ends and filed and len(records(folder)) == told["accepted"])


# --- the simulator beside it --------------------------------------------------------------------


@contextmanager
def simulate(*arguments: object) -> Iterator[str]:
    """`aide simulate` in another process; gives its base URL."""
    line = command("simulate", "--port", "0", *arguments)
    with subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def served(url: str) -> int:
    """How many completions a simulator has served."""
    with urlopen(f"{url}/stats") as reply:
        return int(json.load(reply)["calls"])


class Watched(Simulator):
    """A simulator that tells of each question before it is answered and after."""

    def __init__(self, settings: SimulatorSettings, tell: Callable[[str], None]) -> None:
        super().__init__(settings)
        self.tell = tell

    async def handle(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Any:
        if method != "POST":
            return await super().handle(method, path, headers, body)
        self.tell("asked")
        reply = await super().handle(method, path, headers, body)
        self.tell("answered")
        return reply


@asynccontextmanager
async def watched(
    tell: Callable[[str], None], settings: SimulatorSettings | None = None
) -> AsyncIterator[str]:
    """A simulator on a socket of this process; gives its base URL."""
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(Watched(settings or SimulatorSettings(), tell), "127.0.0.1", 0, ready=port.set_result)
    )
    try:
        yield f"http://127.0.0.1:{await port}/v1"
    finally:
        serving.cancel()
        await asyncio.wait([serving])
