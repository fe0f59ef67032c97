"""Real processes of `aide`, with an environment that holds nothing of the person who runs the tests."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "sample_seeds"
SIM = "sim:"
_CACHE = TemporaryDirectory(prefix="aide-cache-")  # nobody's previews
WAIT = 120  # seconds after which a test gives up on a process


def environment(**more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIDE_", "OPENAI_"))}
    paths = os.pathsep.join([str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    return {
        **clean,
        "PYTHONPATH": paths,
        "COLUMNS": "120",
        "NO_COLOR": "1",
        "XDG_CACHE_HOME": _CACHE.name,
        **more,
    }


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "aide", *map(str, words)]


def aide(
    *words: str | Path, stdin: str | None = None, cwd: Path | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run to the end; stdin is empty unless given."""
    return subprocess.run(
        command(*words),
        input=stdin or "",
        capture_output=True,
        text=True,
        check=False,
        env=environment(**more),
        timeout=WAIT,
        cwd=cwd,
    )


def bash(script: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `aide` is the command under test."""
    start = f'set -o pipefail; aide() {{ "{sys.executable}" -m aide "$@"; }}; '
    return subprocess.run(
        ["bash", "-c", start + script], capture_output=True, text=True, check=False, env=environment(**more),
        timeout=WAIT, cwd=cwd,
    )  # fmt: skip


class Running:
    """A process that is under way; `until` follows what it writes to one of its streams."""

    def __init__(self, *words: str | Path, **more: str) -> None:
        self.process = subprocess.Popen(
            command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**more),
        )
        self.lines: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._news = threading.Condition()
        self._readers = [
            threading.Thread(target=self._follow, args=(name, stream), daemon=True)
            for name, stream in (("stdout", self.process.stdout), ("stderr", self.process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def _follow(self, name: str, stream: IO[str] | None) -> None:
        assert stream is not None
        with stream:
            for line in stream:
                with self._news:
                    self.lines[name].append(line)
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def until(self, name: str, count: int) -> None:
        """Wait for so many lines on that stream."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.lines[name]) >= count, WAIT):
                raise AssertionError(f"{count} lines on {name} never came: {self.lines}")

    def until_told(self, name: str, words: str) -> None:
        """Wait for a line with these words on that stream."""
        with self._news:
            if not self._news.wait_for(lambda: any(words in line for line in self.lines[name]), WAIT):
                raise AssertionError(f"{words!r} never came on {name}: {self.lines}")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        code = self.process.wait(WAIT)
        for reader in self._readers:
            reader.join(WAIT)
        return code, "".join(self.lines["stdout"]), "".join(self.lines["stderr"])

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()
