"""The commands that pipe, in a real shell."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.shell import SEEDS, WAIT, aide, bash, environment

ENDLESS = """yes '{"input":"a b","output":"c","scores":{"relevance":9}}'"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("pipes") / "words.aide"
    done = aide(
        "expand", SEEDS / "word_problems.jsonl", "--base-url", "sim:", "--target", "120", "-o", folder
    )
    assert done.returncode == 0, done.stderr
    yield folder


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.split("\n") if line]


def shard(run: Path) -> str:
    return (run / "shards" / "part-00000.jsonl").read_text(encoding="utf-8")


def test_seeds_in_at_one_end_and_training_data_out_at_the_other(tmp_path: Path) -> None:
    done = bash(
        f"aide expand - -o - --base-url sim: --target 30 < {SEEDS / 'word_problems.jsonl'}"
        " | aide filter --min relevance=7 | aide export --to messages > train.jsonl",
        cwd=tmp_path,
        XDG_STATE_HOME=str(tmp_path / "state"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    examples = rows((tmp_path / "train.jsonl").read_text(encoding="utf-8"))
    assert len(examples) == 30
    assert all([turn["role"] for turn in each["messages"]] == ["user", "assistant"] for each in examples)


def test_a_run_folder_is_taken_wherever_a_file_is_and_lines_pass_untouched(run: Path) -> None:
    by_folder, by_file = bash(f"aide filter {run} --min hop=1"), bash(f"aide filter {run}/shards/* --hop 1,2")
    assert (
        by_folder.stdout
        == by_file.stdout
        == bash(f"cat {run}/shards/* | aide filter --max hop=2 -").stdout
        == shard(run)
    )
    assert "kept 120 of 120 records" in by_folder.stderr


@pytest.mark.parametrize(
    "command", ["filter --min relevance=1", "dedup --mark", "sample -n 100%", "export --to alpaca"]
)
def test_a_reader_that_leaves_early_ends_everything_cleanly(command: str) -> None:
    done = bash(f"{ENDLESS} 2>/dev/null | aide {command} | head -n 3; echo ${{PIPESTATUS[1]}}")
    *lines, code = done.stdout.splitlines()
    assert code == "0"
    assert [len(rows(line)) for line in lines] == [1, 1, 1]
    assert "Traceback" not in done.stderr
    assert "aide:" not in done.stderr


def test_a_line_is_out_before_the_next_is_in() -> None:
    script = (
        f'"{sys.executable}" -m aide filter --min n=1 | "{sys.executable}" -m aide export --to alpaca --quiet'
    )
    with subprocess.Popen(
        ["bash", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    ) as pipe:
        assert pipe.stdin and pipe.stdout
        pipe.stdin.write(b'{"input": "first", "output": "x", "n": 1}\n')
        pipe.stdin.flush()
        ready, _, _ = select.select([pipe.stdout], [], [], WAIT)
        assert ready, "the line was held back"
        assert rows(pipe.stdout.readline().decode()) == [{"instruction": "first", "input": "", "output": "x"}]


def test_pipefail_sees_real_failures(run: Path) -> None:
    broken = bash(
        f"{{ cat {run}/shards/*; echo '{{\"id\":'; }} | aide filter --min hop=1 | aide export > /dev/null"
    )
    assert broken.returncode == 2
    assert "stdin:121: is not JSON" in broken.stderr
    assert bash(f"aide filter {run}/nowhere --min hop=1 | cat").returncode == 2


def test_filters_drop_what_they_find_and_say_a_name_that_no_record_has(run: Path) -> None:
    none = bash(f"aide filter {run} --min second_answer=8")
    assert (none.returncode, none.stdout) == (0, "")
    assert "no record has second_answer" in none.stderr
    assert bash(f"aide filter {run}").returncode == 2


def test_dedup_reports_every_hit_and_can_mark_instead(run: Path, tmp_path: Path) -> None:
    done = bash(f"cat {run}/shards/* {run}/shards/* | aide dedup --report hits.jsonl", cwd=tmp_path)
    assert done.stdout == shard(run)
    hits = rows((tmp_path / "hits.jsonl").read_text())
    assert len(hits) == 120
    assert {hit["how"] for hit in hits} == {"exact"}
    assert [hit["of"] for hit in hits] == [record["id"] for record in rows(shard(run))]
    marked = rows(bash(f"aide dedup --mark {run}/shards/* --against {run}").stdout)
    assert [record["duplicate"]["of"] for record in marked] == [record["id"] for record in marked]


def test_sample_draws_the_same_each_time(run: Path) -> None:
    first, second = (bash(f"aide sample {run} -n 20 --by hop,operation").stdout for _ in range(2))
    assert first == second
    assert len(rows(first)) == 20
    assert {record["lineage"]["hop"] for record in rows(first)} == {1, 2}
    assert len(rows(bash(f"aide sample {run} -n 20 --seed 1").stdout)) == 20
    assert bash("aide sample -n some < /dev/null").returncode == 2


def test_split_keeps_families_together_and_seeds_in_training(run: Path, tmp_path: Path) -> None:
    done = bash(f"aide split {run} -o cut --by seed --test 10%", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    train, held, test = (
        rows((tmp_path / "cut" / f"{name}.jsonl").read_text(encoding="utf-8"))
        for name in ("train", "validation", "test")
    )
    seeds = {record["id"] for record in train if record["lineage"]["hop"] == 0}
    assert len(seeds) == len(rows((SEEDS / "word_problems.jsonl").read_text(encoding="utf-8")))
    assert len(train) + len(held) + len(test) == 120 + len(seeds)
    assert held and test
    grown = {record["lineage"]["seed_id"] for record in train if record["lineage"]["hop"]}
    families = [{record["lineage"]["seed_id"] for record in part} for part in (held, test)]
    if "moved to training" not in done.stderr:
        assert not grown & families[0] and not grown & families[1]
    assert not families[0] & families[1]
    alone = bash(f"aide split {run} -o alone --no-seeds", cwd=tmp_path)
    assert "seed" not in alone.stderr.replace("split by seed", "")


def test_exports_of_a_run_know_its_card_its_seeds_and_its_wrong_answers(run: Path, tmp_path: Path) -> None:
    task = next(line for line in (run / "task.toml").read_text().splitlines() if line.startswith("task = "))
    first = rows(bash(f"aide export {run} --to alpaca").stdout)[0]
    assert first["instruction"] == json.loads(task.removeprefix("task = ").partition("  #")[0])
    piped = bash(f"cat {run}/shards/* | aide export --to alpaca --card {run}")
    assert rows(piped.stdout)[0] == first
    assert "no task card" in bash(f"cat {run}/shards/* | aide export --to alpaca").stderr
    more = rows(bash(f"aide export {run} --to seeds").stdout)
    columns = list(rows((SEEDS / "word_problems.jsonl").read_text(encoding="utf-8"))[0])
    assert all(list(row) == columns for row in more)
    pairs = rows(bash(f"aide export {run} --to dpo").stdout)
    records = {record["input"]: record for record in rows(shard(run))}
    for pair in pairs:
        question = next(text for text in records if pair["prompt"].endswith(text))
        assert pair["chosen"] == records[question]["output"]
        assert pair["rejected"].rpartition("\n")[2] != pair["chosen"].rpartition("\n")[2]
    refused = bash(f"aide export {run} --to dataset")
    assert refused.returncode == 2
    assert "-o dataset" in refused.stderr
    assert bash(f"aide export {run} --to mesages").stderr.count("did you mean 'messages'") == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_a_supervisor_closed_change_nothing(closed: str, tmp_path: Path) -> None:
    run = f"aide expand {SEEDS / 'word_problems.jsonl'} --base-url sim: --target 5 -o run {closed}"
    done = bash(run, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(rows(shard(tmp_path / "run"))) == 5
    assert (tmp_path / "run" / "journal.sqlite").read_bytes().startswith(b"SQLite format 3")


def test_a_pipe_or_a_device_as_output_is_written_to_and_stays_what_it_is(run: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for line in (f"aide export {run} -o {pipe}", f"aide report {run} -o {pipe}"):
        done = bash(f"cat {pipe} > {tmp_path}/out & {line} >&2; wait")
        assert done.returncode == 0, done.stderr
        assert pipe.is_fifo()
        assert (tmp_path / "out").stat().st_size > 1000
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")] == []
