"""The scheduled job: seeds that grow, a share for each, and nothing paid for twice."""

import json
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

from cli.shell import SEEDS, SIM, aide

JOB = ("expand", "seeds.jsonl", "--base-url", SIM, "--per-seed", "20", "--price", "0.15/0.60", "--json")
MORE = [
    {
        "input": "A baker fills 7 trays with 12 rolls each and sells 58 rolls. How many rolls are left?",
        "output": "7 * 12 = 84\n84 - 58 = 26\nAnswer: 26",
    },
    {
        "input": "A train of 9 wagons weighs 405 tonnes without its engine. How heavy is one wagon?",
        "output": "405 / 9 = 45\nAnswer: 45",
    },
    {
        "input": "Lena reads 35 pages a day. How many days does a book of 420 pages take her?",
        "output": "420 / 35 = 12\nAnswer: 12",
    },
]


def keys(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "journal.sqlite") as journal:
        return [key for (key,) in journal.execute("SELECT key FROM calls ORDER BY id")]


def records(folder: Path) -> list[str]:
    return [line for part in sorted(folder.glob("shards/*")) for line in part.read_text().splitlines()]


def test_three_more_seeds_give_sixty_more_records_and_repeat_no_call(tmp_path: Path) -> None:
    seeds, folder = tmp_path / "seeds.jsonl", tmp_path / "seeds.aide"
    shutil.copy(SEEDS / "word_problems.jsonl", seeds)
    first = aide(*JOB, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    old, asked = records(folder), keys(folder)
    assert len(old) == 200

    idle = aide(*JOB, cwd=tmp_path)
    assert idle.returncode == 0
    assert "nothing to do" in idle.stderr
    assert keys(folder) == asked

    with seeds.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in MORE)
    second = aide(*JOB, "--max-cost-per-run", "5", cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    assert records(folder)[:200] == old
    added = [json.loads(line) for line in records(folder)[200:]]
    assert len(added) == 60
    before = {json.loads(line)["lineage"]["seed_id"] for line in old}
    per_seed = Counter(record["lineage"]["seed_id"] for record in added)
    assert len(per_seed) == 3
    assert not before & {*per_seed}, "new seeds bring records of their own"
    assert min(per_seed.values()) >= 10
    assert keys(folder)[: len(asked)] == asked
    assert len(set(keys(folder))) == len(keys(folder))
    facts = json.loads(second.stdout)
    assert facts["this_run"]["calls"] == len(keys(folder)) - len(asked)


def test_a_night_that_ends_at_its_cap_is_followed_by_one_that_goes_on(tmp_path: Path) -> None:
    shutil.copy(SEEDS / "word_problems.jsonl", tmp_path / "seeds.jsonl")
    cap = ("--max-cost-per-run", "0.06")
    seen: list[float] = []
    for _ in range(8):
        night = aide(*JOB, *cap, cwd=tmp_path)
        seen.append(json.loads(night.stdout)["cost"])
        if night.returncode != 3:
            break
    assert night.returncode == 0, night.stderr
    assert len(seen) > 1
    assert all(now - before <= 0.06 for before, now in zip([0.0, *seen], seen, strict=False))
    assert len(records(tmp_path / "seeds.aide")) == 200


def test_seeds_that_have_gone_keep_their_records_and_are_named(tmp_path: Path) -> None:
    seeds, folder = tmp_path / "seeds.jsonl", tmp_path / "seeds.aide"
    rows = (SEEDS / "word_problems.jsonl").read_text().splitlines(keepends=True)
    seeds.write_text("".join(rows[:4]))
    job = (*JOB[:5], "5", "--json")
    assert aide(*job, cwd=tmp_path).returncode == 0
    seeds.write_text("".join(rows[1:4]))
    assert aide(*job, cwd=tmp_path).returncode == 0
    assert len(records(folder)) == 20
    assert json.loads(rows[0])["id"] in aide("status", folder).stdout
