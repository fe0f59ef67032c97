"""Lines in and out: every container, broken ones, run folders with reviews."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from aide.dataset.lines import open_output, read_lines, write_lines
from aide.errors import InputError

ODD = b'{"id": "a", "input": "x\xe2\x80\xa8y",  "n": 1.50, "big": 123456789012345678901234567890, "z": [1,2]}'


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def run_folder(path: Path, *parts: list[dict[str, object]]) -> Path:
    (path / "shards").mkdir(parents=True)
    (path / "run.json").write_text("{}")
    for number, rows in enumerate(parts):
        jsonl(path / "shards" / f"part-{number:05d}.jsonl", *rows)
    return path


def read_records(sources: list[str], stdin: io.BytesIO | None = None) -> list[dict[str, Any]]:
    return [line.record for line in read_lines(sources, stdin)]


def test_a_line_passes_byte_by_byte(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b"\xef\xbb\xbf" + ODD + b"\r\n\n" + b'{"b":2}')
    assert write_lines(str(tmp_path / "out.jsonl"), read_lines([str(tmp_path / "in.jsonl")])) == 2
    assert (tmp_path / "out.jsonl").read_bytes() == ODD + b'\n{"b":2}\n'


def test_a_separator_inside_a_string_does_not_split_a_line() -> None:
    assert [row["input"] for row in read_records([], io.BytesIO(ODD))] == ["x\u2028y"]


def test_packed_files_and_streams(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    packed = gzip.compress(ODD + b"\n")
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    # Two frames one after the other, as `cat` of two files makes them.
    (tmp_path / "a.jsonl.zst").write_bytes(
        zstandard.compress(ODD + b"\n") + zstandard.compress(b'{"b": 1}\n')
    )
    assert len(read_records([str(tmp_path / "a.jsonl.gz"), "-"], io.BytesIO(packed))) == 2
    assert len(read_records([str(tmp_path / "a.jsonl.zst")])) == 2


@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_a_packed_file_that_ends_early_is_an_error_and_not_the_end(tmp_path: Path, pack: str) -> None:
    rows = b"".join(b'{"id": "%d", "input": "%x"}\n' % (n, n * n * 7919) for n in range(3000))
    whole = gzip.compress(rows) if pack == "gzip" else pytest.importorskip("zstandard").compress(rows)
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="can't be read to its end"):
        read_records([str(tmp_path / "cut")])


def test_other_containers_are_taken_too(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("input,output\nx,y\n")
    (tmp_path / "a.json").write_text('[\n{"input": "x"},\n{"input": "y"}]')
    assert read_records([str(tmp_path / "a.csv")]) == [{"input": "x", "output": "y"}]
    assert read_records([str(tmp_path / "a.json")]) == [{"input": "x"}, {"input": "y"}]
    assert read_records([], io.BytesIO(b'[{"a": 1}]')) == [{"a": 1}]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (b'{"a": 1', r"in\.jsonl:2: is not JSON"),
        (b"[1]", r"in\.jsonl:2: is no JSON object"),
        (b'{"a": "\xff"}', r"in\.jsonl:2: is not UTF-8"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, bad: bytes, told: str) -> None:
    (tmp_path / "in.jsonl").write_bytes(b'{"a": 1}\n' + bad + b"\n")
    with pytest.raises(InputError, match=told):
        read_records([str(tmp_path / "in.jsonl")])


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert read_records([str(tmp_path / "empty")]) == []
    assert read_records([], io.BytesIO(b"")) == []


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file or folder .*nowhere"):
        read_records([str(tmp_path / "nowhere")])
    with pytest.raises(InputError, match="no run folder"):
        read_records([str(tmp_path)])


def test_a_run_folder_gives_its_shards_in_order_without_a_torn_end(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", [{"id": str(n)} for n in range(2)], [{"id": "2"}])
    with (run / "shards" / "part-00001.jsonl").open("a") as shard:
        shard.write('{"id": "to')
    assert [row["id"] for row in read_records([str(run)])] == ["0", "1", "2"]
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "run.json").write_text("{}")
    assert read_records([str(tmp_path / "begun")]) == []


def test_reviews_drop_and_edit_records_of_a_run_folder(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", [{"id": name, "input": name, "output": "1", "n": 7} for name in "abc"])
    jsonl(
        run / "reviews.jsonl",
        {"id": "a", "verdict": "accept"},
        {"id": "b", "verdict": "accept"},
        {"id": "b", "verdict": "reject"},
        {"id": "c", "verdict": "accept", "input": "better"},
    )
    assert read_records([str(run)]) == [
        {"id": "a", "input": "a", "output": "1", "n": 7},
        {"id": "c", "input": "better", "output": "1", "n": 7},
    ]
    jsonl(run / "reviews.jsonl", {"id": "a", "verdict": "accept"}, {"id": "b", "verdict": "perhaps"})
    with pytest.raises(InputError, match=r"reviews\.jsonl:2: has the verdict 'perhaps'"):
        read_records([str(run)])


def test_of_an_input_with_parts_one_side_of_an_edit_follows_from_the_other(tmp_path: Path) -> None:
    parts = {"contract": "The rent is 900.", "question": "What is the rent?"}
    row: dict[str, object] = {
        "id": "a",
        "input": "The rent is 900.\n\nWhat is the rent?",
        "output": "900",
        "parts": parts,
    }
    run = run_folder(tmp_path / "run", [row])
    mended = {**parts, "question": "How much is it?"}
    for edit in ({"parts": mended}, {"input": "The rent is 900.\n\nHow much is it?"}):
        jsonl(run / "reviews.jsonl", {"id": "a", "verdict": "accept", **edit})
        (left,) = read_records([str(run)])
        assert (left["parts"], left["input"]) == (mended, "The rent is 900.\n\nHow much is it?")
    for edit in ({"parts": {**mended, "contract": "Free."}}, {"input": "Free.\n\nWhat is the rent?"}):
        jsonl(run / "reviews.jsonl", {"id": "a", "verdict": "accept", **edit})
        with pytest.raises(InputError, match="the review of a changes a fixed part"):
            read_records([str(run)])


def test_an_edit_that_does_not_fit_is_reported(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "run", [{"id": "a", "input": "?", "output": "x", "choices": ["x", "y"]}])
    jsonl(run / "reviews.jsonl", {"id": "a", "verdict": "accept", "output": "y"})
    assert [row["output"] for row in read_records([str(run)])] == ["y"]
    jsonl(run / "reviews.jsonl", {"id": "a", "verdict": "accept", "output": "z"})
    with pytest.raises(InputError, match="none of the choices"):
        read_records([str(run)])
    jsonl(run / "reviews.jsonl", {"id": "a", "verdict": "accept", "choices": "x, y"})
    with pytest.raises(InputError, match=r"reviews\.jsonl:1: has an unusable choices"):
        read_records([str(run)])


def test_a_file_takes_its_place_only_when_all_went_well(tmp_path: Path) -> None:
    target = jsonl(tmp_path / "a.jsonl", {"id": "old"})
    with pytest.raises(ZeroDivisionError):
        write_lines(str(target), ({"id": str(1 // n)} for n in (1, 0)))
    assert [row["id"] for row in read_records([str(target)])] == ["old"]
    assert write_lines(str(target), read_records([str(target)])) == 1  # onto itself
    assert [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_name_that_ends_in_gz_is_packed_and_lone_surrogates_become_question_marks(tmp_path: Path) -> None:
    write_lines(
        str(tmp_path / "a.jsonl.gz"), read_records([], io.BytesIO(b'{"input": "x\\ud800", "nan": NaN}'))
    )
    assert b'"x?"' in gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes())


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be written"), open_output("/proc/no/file"):
        pass
