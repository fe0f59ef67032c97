"""The decisions of several writers in one file: none is lost, none is replaced unseen."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aide.dataset.reviews import Reviews
from aide.errors import AideError, InputError
from aide.review.decisions import DecisionLog, OvertakenError
from disks import no_file_larger_than


def open_log(folder: Path) -> DecisionLog:
    return DecisionLog(folder, lambda: 5.0)


def test_a_decision_is_a_dated_line_that_the_next_log_reads(tmp_path: Path) -> None:
    open_log(tmp_path).append({"id": "a", "verdict": "accept"}, 0)
    assert (tmp_path / "reviews.jsonl").read_text() == '{"id":"a","verdict":"accept","at":5.0}\n'
    assert (tmp_path / "reviews.jsonl").stat().st_mode & 0o077 == 0
    assert open_log(tmp_path).current("a") == {"id": "a", "verdict": "accept", "at": 5.0}


def test_two_windows_see_each_others_decisions_and_replace_none_unseen(tmp_path: Path) -> None:
    one, other = open_log(tmp_path), open_log(tmp_path)
    one.append({"id": "a", "verdict": "accept"}, 0)
    with pytest.raises(OvertakenError):
        other.append({"id": "a", "verdict": "reject"}, 0)
    assert other.list_since(0) == ["a"]
    other.append({"id": "a", "verdict": "reject"}, 1)  # now its person has seen what stood there
    one.follow()
    assert [each["verdict"] for each in one.history("a")] == ["accept", "reject"]


def test_the_same_decision_sent_twice_is_kept_once(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for _ in range(2):
        log.append({"id": "a", "verdict": "reject", "reason": "off task"}, 0)
    assert (tmp_path / "reviews.jsonl").read_text().count("\n") == 1


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    def write(name: int) -> None:
        log = open_log(tmp_path)
        for number in range(40):
            log.append({"id": f"{name}-{number}", "verdict": "accept", "reason": "x" * 3000}, 0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert len(Reviews.read(tmp_path).decided) == 320


@pytest.mark.parametrize("torn", ['{"id":"b","verd', '{"id":"b","verdict":"accept","parts":{"a":"b"}'])
def test_a_line_that_a_crash_tore_off_is_no_decision_and_does_not_spoil_the_next(
    tmp_path: Path, torn: str
) -> None:
    path = tmp_path / "reviews.jsonl"
    path.write_text('{"id":"a","verdict":"accept"}\n' + torn)
    assert list(Reviews.read(tmp_path).decided) == ["a"]
    log = open_log(tmp_path)
    log.append({"id": "c", "verdict": "reject"}, 0)
    assert [line.split('"')[3] for line in path.read_text().splitlines()] == ["a", "c"]


def test_a_line_that_a_person_wrote_without_its_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    path.write_text('{"id":"a","verdict":"reject"}')
    assert list(Reviews.read(tmp_path).decided) == ["a"]
    open_log(tmp_path).append({"id": "c", "verdict": "reject"}, 0)
    assert list(Reviews.read(tmp_path).decided) == ["a", "c"]


def test_a_file_that_an_editor_replaced_is_read_anew(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for id in "ab":
        log.append({"id": id, "verdict": "accept"}, 0)
    (tmp_path / "new").write_text('{"id":"b","verdict":"reject"}\n')
    (tmp_path / "new").rename(tmp_path / "reviews.jsonl")
    log.follow()
    assert (log.current("a"), log.version) == (None, 1)
    assert log.list_since(2) == ["b"]


def test_a_full_disk_keeps_nothing_and_spoils_nothing(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append({"id": "a", "verdict": "accept"}, 0)
    before = (tmp_path / "reviews.jsonl").read_bytes()
    with no_file_larger_than(len(before) + 20), pytest.raises(AideError, match=r"reviews\.jsonl failed"):
        log.append({"id": "b", "verdict": "accept", "reason": "x" * 500}, 0)
    assert (tmp_path / "reviews.jsonl").read_bytes() == before
    log.append({"id": "b", "verdict": "accept"}, 0)
    assert list(Reviews.read(tmp_path).decided) == ["a", "b"]


def test_a_line_that_is_no_review_is_named(tmp_path: Path) -> None:
    (tmp_path / "reviews.jsonl").write_text('{"id":"a","verdict":"accept"}\n{"id":"b","verdict":"maybe"}\n')
    with pytest.raises(InputError, match=r"reviews\.jsonl:2: has the verdict 'maybe'"):
        open_log(tmp_path)
