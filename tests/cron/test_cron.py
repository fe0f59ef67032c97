"""A real cron daemon starts the nightly job every minute, twice at once, against the simulator.

Needs Debian's `cron` and root, for the job stands in /etc/cron.d; `make test-cron` runs it.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.shell import ROOT, SEEDS, Running, aide

pytestmark = pytest.mark.skipif(not os.environ.get("AIDE_TEST_CRON"), reason="make test-cron runs it")
MINUTES = 3
PER_SEED = 8
JOB = (
    'expand seeds.jsonl --per-seed {n} --max-cost-per-run 5 >>nightly.log 2>&1; echo "$(date +%s) $?" >>codes'
)


@contextmanager
def cron(table: str) -> Iterator[None]:
    """A daemon of our own, unless one runs already, with this table among its own."""
    place = Path("/etc/cron.d") / f"aide-test-{os.getpid()}"
    running = subprocess.run(["pidof", "cron"], capture_output=True, check=False).returncode == 0
    daemon = None if running else subprocess.Popen(["cron", "-f"])
    try:
        place.write_text(table)
        place.chmod(0o644)
        yield
    finally:
        place.unlink(missing_ok=True)
        if daemon is not None:
            daemon.terminate()
            daemon.wait()


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("cron") is None, reason="needs root and Debian's cron")
def test_overlapping_jobs_share_a_folder_in_peace(tmp_path: Path) -> None:
    shutil.copy(SEEDS / "word_problems.jsonl", tmp_path / "seeds.jsonl")
    with Running("simulate", "--port", "0", "--latency", "0.4") as server:
        server.until("stdout", 1)
        url = server.lines["stdout"][0].strip()
        settings = {
            "AIDE_BASE_URL": url,
            "AIDE_MODEL": "simulator",
            "AIDE_PRICE": "0.15/0.60",
            "AIDE_CONCURRENCY": "3",
        }
        settings["PYTHONPATH"] = str(ROOT / "src")
        (tmp_path / "aide.env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        job = JOB.format(n=PER_SEED).replace("%", r"\%")
        line = f"* * * * * root cd {tmp_path} && set -a && . ./aide.env && {sys.executable} -m aide {job}"
        codes = tmp_path / "codes"
        with cron(f"{line}\n{line}\n"):
            until = time.monotonic() + 60 * (MINUTES + 1)
            while len(ended(codes)) < 2 * MINUTES and time.monotonic() < until:
                time.sleep(1)  # the daemon keeps the time here
        log = (tmp_path / "nightly.log").read_text()
        assert len(ended(codes)) >= 2 * MINUTES, log
        assert set(ended(codes)) == {0, 5}, log
        settings.pop("PYTHONPATH")
        final = aide(
            "expand",
            "seeds.jsonl",
            "--per-seed",
            str(PER_SEED),
            "--max-cost-per-run",
            "5",
            cwd=tmp_path,
            **settings,
        )
    assert final.returncode == 0, final.stderr
    assert "Traceback" not in log
    parts = sorted((tmp_path / "seeds.aide" / "shards").glob("part-*.jsonl"))
    records = [json.loads(line) for part in parts for line in part.read_text().splitlines()]
    assert len({record["id"] for record in records}) == len(records) == 10 * PER_SEED


def ended(codes: Path) -> list[int]:
    return [int(line.split()[1]) for line in codes.read_text().splitlines()] if codes.exists() else []
