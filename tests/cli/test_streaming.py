"""`-o -` with readers as they are: slow, gone, or none at all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.shell import SEEDS, WAIT, aide, bash, command, environment

WORDS = SEEDS / "word_problems.jsonl"
LINES = 100
TARGET = 200  # lines of a kilobyte: more than a pipe holds

ECHO = """
import asyncio, sys
from aide.cli.streaming import StdoutStream

async def main():
    stream = StdoutStream(lag=50_000)
    for number in range(100):
        stream.queue(b"%d " % number + b"x" * 10_000)
        await stream.caught_up(stream.lag)
        print(number, file=sys.stderr, flush=True)
    await stream.caught_up()

asyncio.run(main())
"""


def begin(folder: Path) -> subprocess.Popen[str]:
    """A run whose stdout nobody has read by the time it is over."""
    words = ("expand", WORDS, "--base-url", "sim:", "--target", str(TARGET), "-o", "-", "--run-dir", folder)
    process = subprocess.Popen(
        command(*words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stderr is not None
    for _ in range(2):
        process.stderr.readline()  # the run folder is there by the line that tells the seeds
    while json.loads(aide("status", folder, "--json").stdout or "{}").get("state") != "finished":
        assert process.poll() is None, process.stderr.read()
    return process


def written(folder: Path) -> str:
    return "".join(part.read_text() for part in sorted(folder.glob("shards/part-*.jsonl")))


def test_a_reader_that_waits_holds_up_no_call_and_misses_no_line(tmp_path: Path) -> None:
    with begin(tmp_path / "run") as process:
        out, err = process.communicate(timeout=WAIT)
    assert process.returncode == 0, err
    assert [json.loads(line)["id"] for line in out.splitlines()] == [
        json.loads(line)["id"] for line in written(tmp_path / "run").splitlines()
    ]
    assert out.count("\n") == TARGET


def test_a_reader_that_leaves_with_lines_unread_is_no_error(tmp_path: Path) -> None:
    with begin(tmp_path / "run") as process:
        assert process.stdout is not None and process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(WAIT) == 0, err
    assert json.loads(first)["id"]
    assert "Traceback" not in err
    assert "aide:" not in err


def test_what_waits_for_a_reader_is_bounded(tmp_path: Path) -> None:
    ahead = 50_000 // 10_000 + 65_536 // 10_000 + 3  # the lag, a full pipe, what is on its way
    with (
        (tmp_path / "told").open("w") as told,
        subprocess.Popen(
            [sys.executable, "-c", ECHO], stdout=subprocess.PIPE, stderr=told, bufsize=0, env=environment()
        ) as process,
    ):
        assert process.stdout is not None
        for number in range(LINES):
            assert process.stdout.readline().startswith(b"%d " % number)
            assert len((tmp_path / "told").read_text().splitlines()) <= number + 1 + ahead
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", ["filter --min n=1", "export --to alpaca", "sample -n 100%"])
def test_a_full_disk_is_reported_in_a_sentence(words: str) -> None:
    done = bash(f"""echo '{{"input": "a", "output": "b", "n": 1}}' | aide {words} --quiet > /dev/full""")
    assert done.returncode == 1
    assert done.stderr == (
        "aide: the output can't be written: No space left on device\n"
        "hint: free some space, then run the same command again\n"
    )
