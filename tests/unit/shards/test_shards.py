"""Shards, logs of lines, atomic files and the lock of a run folder."""

import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.atomic import write_atomic
from aide.errors import AideError, FolderHeld, InputError
from aide.records import digest
from aide.shards import AppendOnlyLines, FolderLock, IdSet, Shards, list_shards
from disks import no_file_larger_than


def record(number: int, text: str = "a question") -> dict[str, Any]:
    return {"id": digest("record", str(number)), "input": text, "output": str(number)}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def written(folder: Path) -> list[str]:
    return [line["output"] for part in list_shards(folder) for line in lines(part)]


def test_a_part_ends_after_its_size_and_the_next_begins(tmp_path: Path) -> None:
    with Shards(tmp_path / "shards", size=3) as shards:
        for number in range(7):
            shards.append(record(number))
    parts = list_shards(tmp_path / "shards")
    assert [part.name for part in parts] == ["part-00000.jsonl", "part-00001.jsonl", "part-00002.jsonl"]
    assert [len(lines(part)) for part in parts] == [3, 3, 1]


def test_a_line_can_be_read_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    with Shards(tmp_path) as shards:
        shards.append(record(1, "Wie spät?"))
        assert lines(tmp_path / "part-00000.jsonl") == [record(1, "Wie spät?")]


def test_an_id_is_written_once_also_by_a_later_process(tmp_path: Path) -> None:
    with Shards(tmp_path, size=2) as shards:
        assert [shards.append(record(n)) for n in (0, 1, 1, 2, 0)] == [True, True, False, True, False]
    with Shards(tmp_path, size=2) as shards:
        assert len(shards) == 3
        assert record(2)["id"] in shards.ids
        assert not shards.append(record(0))
        assert shards.append(record(3))
    assert written(tmp_path) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "torn", [b'{"id": "0123', b'{"id": "0123\n', b"\0" * 40, b"[]\n", b'{"id": 7}\n', b"\xff\n"]
)
def test_a_torn_end_is_dropped_and_its_record_comes_back(tmp_path: Path, torn: bytes) -> None:
    with Shards(tmp_path) as shards:
        shards.rebuild([record(0), record(1)])
    with (tmp_path / "part-00000.jsonl").open("ab") as file:
        file.write(torn)
    with Shards(tmp_path) as shards:
        assert len(shards) == 2
        assert shards.rebuild(record(n) for n in range(3)) == 1
    assert written(tmp_path) == ["0", "1", "2"]


def test_a_bad_line_in_a_finished_part_is_named_not_cut(tmp_path: Path) -> None:
    with Shards(tmp_path, size=2) as shards:
        shards.rebuild(record(n) for n in range(3))
    first = tmp_path / "part-00000.jsonl"
    first.write_bytes(first.read_bytes().replace(b'"output":"1"', b'"output":'))
    with pytest.raises(InputError, match=r"part-00000\.jsonl line 2"):
        Shards(tmp_path, size=2)
    first.unlink()
    with Shards(tmp_path, size=2) as shards:
        assert shards.rebuild(record(n) for n in range(3)) == 2
    assert sorted(written(tmp_path)) == ["0", "1", "2"]


def test_lone_surrogates_and_huge_numbers_leave_lines_that_any_reader_takes(tmp_path: Path) -> None:
    with AppendOnlyLines(tmp_path / "rejects.jsonl") as log:
        log.append({**record(1), "input": "half \ud83d of a smile"})
        log.append({**record(2), "n": 10**30})
    for line in (tmp_path / "rejects.jsonl").read_bytes().splitlines():
        orjson.loads(line)
    assert len(AppendOnlyLines(tmp_path / "rejects.jsonl")) == 2


def test_foreign_ids_are_kept_apart(tmp_path: Path) -> None:
    names = ["a", "b", "0" * 20, "Z" * 20, "é", "", "ab " * 7, "00" * 10 + "1"]
    with AppendOnlyLines(tmp_path / "log.jsonl") as log:
        assert all(log.append({"id": name}) for name in names)
        assert not any(log.append({"id": name}) for name in names)


def test_a_full_disk_is_told_and_leaves_whole_lines(tmp_path: Path) -> None:
    shards = Shards(tmp_path)
    shards.append(record(0))
    with no_file_larger_than(200), pytest.raises(AideError, match="failed") as caught:
        shards.append(record(1, "x" * 500))
    assert caught.value.scope == "run"
    assert caught.value.hint
    assert shards.append(record(1))
    shards.close()
    assert written(tmp_path) == ["0", "1"]


@given(st.sets(st.text(max_size=30), max_size=60))
def test_ids_behave_like_a_set(names: set[str]) -> None:
    ids = IdSet()
    assert all(ids.add(name) for name in names)
    assert not any(ids.add(name) for name in names)
    assert len(ids) == len(set(ids)) == len(names)
    assert all(name in ids for name in names)
    assert "a name longer than thirty characters" not in ids


def test_ids_grow_and_stay_small() -> None:
    tracemalloc.start()
    ids = IdSet()
    for number in range(20_000):
        ids.add(digest(str(number)))
    current, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(ids) == 20_000
    assert all(digest(str(number)) in ids for number in range(0, 20_000, 97))
    assert set(ids) == {digest(str(number)) for number in range(20_000)}
    assert current < 20_000 * 40


def test_an_atomic_file_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    write_atomic(path, "old")
    write_atomic(path, "neu: ä")
    assert path.read_text(encoding="utf-8") == "neu: ä"
    assert list(tmp_path.iterdir()) == [path]


def test_two_threads_may_write_one_atomic_file(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda number: write_atomic(path, str(number)), range(100)))
    assert list(tmp_path.iterdir()) == [path]


def test_an_atomic_file_that_fails_leaves_the_old_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_atomic(path, "old")
    with no_file_larger_than(100), pytest.raises(AideError):
        write_atomic(path, "x" * 5000)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


HOLD = """
import sys
from pathlib import Path
from aide.shards import FolderLock
with FolderLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with holder(tmp_path) as process, pytest.raises(FolderHeld, match=f"process {process.pid} on "):
        FolderLock(tmp_path).acquire()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.kill()
        process.wait()
        assert (tmp_path / "lock").read_text() != ""
        with FolderLock(tmp_path):
            pass


def test_waiting_for_the_lock_ends_when_it_is_free(tmp_path: Path) -> None:
    slept: list[float] = []
    first = FolderLock(tmp_path)
    first.acquire()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            first.release()

    with FolderLock(tmp_path, wait=60, sleep=sleep, clock=lambda: sum(slept)):
        assert len(slept) == 3


def test_waiting_for_the_lock_gives_up_after_the_time_given(tmp_path: Path) -> None:
    slept: list[float] = []
    lock = FolderLock(tmp_path, wait=1.0, sleep=slept.append, clock=lambda: sum(slept))
    with FolderLock(tmp_path), pytest.raises(FolderHeld):
        lock.acquire()
    assert sum(slept) == pytest.approx(1.0)


def test_a_folder_that_is_a_file_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError):
        FolderLock(tmp_path / "file").acquire()
