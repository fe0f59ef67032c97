"""A run in batches, killed at each of its moments: no call is uploaded twice, none is paid twice, nothing is lost."""

import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.request import urlopen

import pytest

from aide.crash_points import VARIABLE
from aide.journal import Journal
from runs import SMALL, command, contents, environment, expand, few, paid, query, reconciles, simulate

OPTIONS = (*SMALL, "--target", "all", "--hops", "1", "--duplicates", "off", "--no-exam", "--realism", "0")
BATCHES = ("--batch", "--batch-min", "4")
PENDING = 7
MOMENTS = ("before_submission", "after_submission", "during_collection", "after_collection")
MOST = 40
"""Sessions after which a run that has not ended never will."""


def invoke(seeds: Path, url: str, folder: Path, options: Sequence[str] = (), crash: str = "") -> int:
    """One invocation, to its end or to the crash."""
    line = command(
        "expand", seeds, "--base-url", url, "--model", "simulator", "-o", folder, *OPTIONS, *options
    )
    surroundings = environment(**({VARIABLE: f"{crash}:1"} if crash else {}))
    return subprocess.run(line, env=surroundings, capture_output=True, check=False).returncode


def count_served(url: str) -> int:
    """Completions that the simulator has made, alone and in batches."""
    with urlopen(f"{url}/stats") as reply:
        told = json.load(reply)
    return int(told["calls"] + told["batched"])


def count_missing(folder: Path) -> int:
    """Calls of batches of which no line ever came."""
    with Journal.open(folder / "journal.sqlite", readonly=True) as journal:
        return sum(wave.calls - wave.answered - wave.failed for wave in journal.waves.read() if wave.batch)


@pytest.mark.parametrize(
    "faults", ["", "expired:0.5,failed:0.1,missing:0.1,twice:0.2"], ids=["sound", "half lost"]
)
def test_a_run_killed_at_each_moment_of_a_batch_ends_as_one_never_killed(tmp_path: Path, faults: str) -> None:
    seeds, folder = few(tmp_path, "support_tickets_de.jsonl"), tmp_path / "killed"
    expand(seeds, tmp_path / "whole", *OPTIONS)
    moments, killed = list(MOMENTS), []
    with simulate(*(("--faults", faults) if faults else ())) as url:
        for _ in range(MOST):
            code = invoke(seeds, url, folder, BATCHES, moments[0] if moments else "")
            if code == -signal.SIGKILL:
                killed.append(moments.pop(0))
            if code == 0:
                break
            assert code in (PENDING, -signal.SIGKILL)
        assert code == 0
        assert killed == list(MOMENTS)
        assert count_served(url) == paid(folder) + count_missing(folder)
    assert contents(folder) == contents(tmp_path / "whole")
    assert paid(folder) == paid(tmp_path / "whole")
    assert reconciles(folder)
    assert query(folder, "SELECT count(*) FROM pending") == [(0,)]


def test_a_run_goes_on_in_batches_and_back_and_pays_for_nothing_twice(tmp_path: Path) -> None:
    seeds, folder = few(tmp_path, "support_tickets_de.jsonl"), tmp_path / "run"
    expand(seeds, tmp_path / "whole", *OPTIONS)
    with simulate() as url:
        assert invoke(seeds, url, folder, ("--max-calls", "20")) == 3
        assert invoke(seeds, url, folder, BATCHES) == PENDING
        assert invoke(seeds, url, folder) == 0
        assert count_served(url) == paid(folder) == paid(tmp_path / "whole")
    assert contents(folder) == contents(tmp_path / "whole")


def test_what_is_pending_is_not_asked_by_a_run_without_batches(tmp_path: Path) -> None:
    seeds, folder = few(tmp_path, "support_tickets_de.jsonl"), tmp_path / "run"
    with simulate("--batch-latency", "3600") as url:
        assert invoke(seeds, url, folder, BATCHES) == PENDING
        pending = query(folder, "SELECT key FROM pending")
        assert pending
        assert invoke(seeds, url, folder) == PENDING
        assert query(folder, "SELECT key FROM pending") == pending
        assert count_served(url) == paid(folder)
