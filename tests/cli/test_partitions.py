"""`--partition`: parts of a run in processes of their own, which together make what one would have made."""

import json
from pathlib import Path

import pytest

from cli.shell import SEEDS, aide
from runs import contents, paid, records, simulate

TICKETS, TEXTS = SEEDS / "support_tickets_de.jsonl", SEEDS / "plain_explanations.jsonl"
PROBLEMS = SEEDS / "word_problems.jsonl"
SMALL = ("--attributes", "1", "--graph-triples", "0", "--personas", "1")


def parts_of(root: Path) -> list[Path]:
    return sorted(root.glob("part-*-of-*"))


@pytest.mark.parametrize("seeds", [TICKETS, TEXTS])
def test_whole_trees_of_all_parts_are_those_of_one_process(tmp_path: Path, seeds: Path) -> None:
    run = ("expand", seeds, "--base-url", "sim:", "--target", "all", "--duplicates", "off", *SMALL)
    assert aide(*run, "-o", tmp_path / "one").returncode == 0
    whole = sorted((tmp_path / "one" / "shards" / "part-00000.jsonl").read_bytes().splitlines())
    for count in (1, 2, 4):
        root = tmp_path / str(count)
        assert aide(*run, "-o", root, "--card-only").returncode == 0
        for index in range(count):
            done = aide(*run, "-o", root, "--partition", f"{index}/{count}")
            assert done.returncode == 0, done.stderr
        shards = [path / "shards" / "part-00000.jsonl" for path in parts_of(root)]
        assert [path.name for path in parts_of(root)] == [
            f"part-{index:05d}-of-{count:05d}" for index in range(count)
        ]
        assert sorted(line for path in shards for line in path.read_bytes().splitlines()) == whole


def test_card_and_precheck_are_made_once_and_no_call_twice(tmp_path: Path) -> None:
    root = tmp_path / "root"
    with simulate() as url:
        run = ("expand", TICKETS, "--base-url", url, "--model", "m", "--target", "40", "-o", root)
        assert aide(*run, "--card-only").returncode == 0
        before = paid(root)
        for index in range(2):
            assert aide(*run, "--partition", f"{index}/2").returncode == 0
    card = (root / "task.toml").read_text()
    told = [json.loads((part / "summary.json").read_text()) for part in parts_of(root)]
    assert told[0]["exam"] and told[0]["exam"] == told[1]["exam"]
    for part, summary in zip(parts_of(root), told, strict=True):
        assert (part / "task.toml").read_text() == card
        assert "card" not in summary["steps"]
    assert before > 0
    assert sum(len(records(part)) for part in parts_of(root)) == 40
    both = [contents(part) for part in parts_of(root)]
    assert not both[0].keys() & both[1].keys()


def test_a_part_that_was_stopped_goes_on_and_pays_for_nothing_twice(tmp_path: Path) -> None:
    run = ("expand", TEXTS, "--base-url", "sim:", "--target", "60", "-o", tmp_path)
    assert aide(*run, "--card-only").returncode == 0
    part = ("--partition", "1/2")
    # What the card took comes off the cap before it is divided.
    card = paid(tmp_path)
    stopped = aide(*run, *part, "--max-calls", str(card + 24))
    (folder,) = parts_of(tmp_path)
    assert stopped.returncode == 3, stopped.stderr
    assert f"--max-calls {card + 24} is reached: part 1/2 has had its share, 12" in stopped.stderr
    assert paid(folder) == 12
    early = contents(folder)
    assert aide(*run, *part).returncode == 0
    late = contents(folder)
    assert len(late) == 30
    assert early.items() <= late.items()


def test_a_part_needs_a_card_and_its_root_has_parts_of_one_number(tmp_path: Path) -> None:
    run = ("expand", TEXTS, "--base-url", "sim:", "--target", "8")
    missing = aide(*run, "-o", tmp_path / "root", "--partition", "0/2")
    assert missing.returncode == 2
    assert "there is no task card for the parts" in missing.stderr and "--card-only" in missing.stderr
    assert aide(*run, "-o", tmp_path / "card", "--card-only").returncode == 0
    given = ("--card", tmp_path / "card" / "task.toml")
    assert aide(*run, *given, "-o", tmp_path / "root", "--partition", "0/2").returncode == 0
    other = aide(*run, *given, "-o", tmp_path / "root", "--partition", "0/3")
    assert other.returncode == 2
    assert "has 2 parts, and --partition 0/3 is one of 3" in other.stderr
    both = aide(*run, "-o", tmp_path / "root", "--partition", "0/2", "--card-only")
    assert both.returncode == 2
    whole = aide(*run, "-o", tmp_path / "root")
    assert whole.returncode == 2
    assert "holds 1 part that is not merged" in whole.stderr


def test_a_card_of_another_format_is_refused(tmp_path: Path) -> None:
    run = ("--base-url", "sim:", "--target", "8")
    assert aide("expand", TICKETS, *run, "-o", tmp_path / "card", "--card-only").returncode == 0
    wrong = aide("expand", TEXTS, *run, "-o", tmp_path / "run", "--card", tmp_path / "card")
    assert wrong.returncode == 2
    assert "is a card for classification, and the seeds are free_text" in wrong.stderr


@pytest.mark.parametrize(("seeds", "count"), [(TICKETS, 3), (PROBLEMS, 3)])
def test_the_plan_of_a_part_is_what_it_is_dealt(tmp_path: Path, seeds: Path, count: int) -> None:
    run = (seeds, "--base-url", "sim:", "--target", "40", "-o", tmp_path / "root")
    assert aide("expand", *run, "--card-only").returncode == 0
    told = []
    for index in range(count):
        part = ("--partition", f"{index}/{count}")
        told.append(json.loads(aide("plan", *run, *part, "--json").stdout))
        assert aide("expand", *run, *part).returncode == 0
    assert sum(plan["target"] for plan in told) == 40
    for plan, folder in zip(told, parts_of(tmp_path / "root"), strict=True):
        made = json.loads((folder / "summary.json").read_text())
        assert plan["folder"] == str(folder)
        assert plan["target"] == made["accepted"]
        hops = {str(hop["hop"]): hop["records"] for hop in plan["expected"]["hops"] if hop["records"]}
        assert hops == made["by_hop"]
        assert "card" not in plan["expected"]["steps"] and "card" not in plan["at_most"]["steps"]


def test_the_plan_refuses_what_the_run_of_a_part_refuses(tmp_path: Path) -> None:
    run = (PROBLEMS, "--base-url", "sim:", "--target", "40")
    other = tmp_path / "root" / "part-00000-of-00003"
    other.mkdir(parents=True)
    for command in ("plan", "expand"):
        counted = aide(command, *run, "-o", tmp_path / "root", "--partition", "0/4")
        assert counted.returncode == 2
        assert "has 3 parts, and --partition 0/4 is one of 4" in counted.stderr
        streamed = aide(command, *run, "-o", "-", "--partition", "0/2")
        assert streamed.returncode == 2
        assert "--partition needs a folder that all parts share" in streamed.stderr
