"""A folder that is killed or runs out of disk while it is made is nothing yet, or a run: the next command goes on."""

import resource
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from aide.crash_points import VARIABLE
from runs import SMALL, aide, command, environment, expand, few, records

OPTIONS = (*SMALL, "--target", "2", "--no-exam", "--realism", "0")
POINTS = ["after_lock:1", "before_replace:1", "before_journal:1", "before_replace:2", "after_answer:1"]


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_its_folder_is_made_a_run_goes_on(point: str, tmp_path: Path) -> None:
    seeds, folder = few(tmp_path, "word_problems.jsonl"), tmp_path / "run"
    expand(seeds, folder, *OPTIONS, code=-signal.SIGKILL, env={VARIABLE: point})
    expand(seeds, folder, *OPTIONS)
    assert len(records(folder)) == 2
    assert not [path.name for path in folder.iterdir() if path.name.endswith("tmp")]
    aide("status", folder)


@pytest.mark.parametrize("kilobytes", [0, 1, 4, 16, 64, 128])
def test_on_a_full_disk_a_new_folder_stays_nothing_and_later_becomes_a_run(
    kilobytes: int, tmp_path: Path
) -> None:
    seeds, folder = few(tmp_path, "word_problems.jsonl"), tmp_path / "run"

    def fill_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    done = subprocess.run(
        command("expand", seeds, "--base-url", "sim:", "-o", folder, *OPTIONS),
        env=environment(), preexec_fn=fill_disk, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode in (0, 1, 2), done.stderr
    assert "fault in aide" not in done.stderr
    expand(seeds, folder, *OPTIONS)
    assert len(records(folder)) == 2


def test_what_holds_prompts_and_settings_is_the_user_s_own(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    expand(few(tmp_path, "word_problems.jsonl"), folder, *OPTIONS)
    for name in ("run.json", "journal.sqlite"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
