"""A run on a disk that fills up, and later has room: it goes on, and no line is lost."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from crash.test_many_kills import run_for
from crash.test_run_kill import CONCURRENCY, TREE, Killer
from runs import contents, expand, few, paid, reconciles, watched


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    words = (mount or "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place))
    if mount is None or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(("umount", str(place)), check=True)


@pytest.mark.parametrize("kilobytes", [64, 256, 1024, 4096])
def test_on_a_disk_that_fills_up_nothing_is_lost(kilobytes: int, disk: Path, tmp_path: Path) -> None:
    seeds, folder, whole = few(tmp_path, "support_tickets_de.jsonl"), disk / "run", tmp_path / "whole"
    expand(seeds, whole, *TREE)

    def resize(size: int) -> None:
        subprocess.run(("mount", "-o", f"remount,size={size}k", str(disk)), check=True)

    async def play() -> None:
        killer = Killer()
        async with watched(killer.tell) as url:
            resize(kilobytes)
            ended = await run_for(url, seeds, folder, None)
            assert ended in (1, 2) or kilobytes >= 512, f"exit {ended}: it was full at some time"
            assert ended in (0, 1, 2)
            resize(1 << 16)
            assert await run_for(url, seeds, folder, None) == 0
        assert contents(folder) == contents(whole)
        assert paid(folder) == paid(whole)
        assert reconciles(folder)
        assert 0 <= killer.asked - paid(folder) <= CONCURRENCY + CONCURRENCY // 8

    asyncio.run(play())
