"""`aide merge`: parts of a run become one, without what one part repeats of another; what is short is grown."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from aide.shards import FolderLock
from aide.text.shingles import compute_features
from cli.shell import SEEDS, aide
from runs import ROOT, contents, lines, paid, reconciles, records, rejects, simulate, summary

TICKETS, PROBLEMS = SEEDS / "support_tickets_de.jsonl", SEEDS / "word_problems.jsonl"
ALIKE = 0.8
"""From this similarity on the index of a run overlooks one pair in 5,000."""


class Root:
    """A run in parts below one folder."""

    def __init__(self, folder: Path, seeds: Path, url: str, target: int | str, count: int) -> None:
        self.folder = folder
        self.count = count
        self.run: tuple[str | Path, ...] = (
            "expand",
            seeds,
            "--base-url",
            url,
            "--model",
            "m",
            "--target",
            str(target),
            "-o",
            folder,
        )

    @property
    def parts(self) -> list[Path]:
        return sorted(self.folder.glob("part-*-of-*"))

    def begin(self) -> None:
        assert aide(*self.run, "--card-only").returncode == 0

    def grow(self, index: int, *more: str) -> CompletedProcess[str]:
        return aide(*self.run, "--partition", f"{index}/{self.count}", *more)

    def merge(self, *more: str) -> CompletedProcess[str]:
        return aide("merge", self.folder, *more)


def find_alike(seeds: Path, rows: Sequence[dict[str, Any]]) -> Iterator[tuple[float, str, str]]:
    """All pairs of records that say nearly the same, by the shingles that are not the frame of the seeds."""
    known = [compute_features(json.loads(line)["input"])[1] for line in seeds.read_text().splitlines()]
    counts = Counter(feature for each in known for feature in each)
    frame = {feature for feature, count in counts.items() if 2 * count > len(known)}
    found = [(row["id"], compute_features(row["input"])[1] - frame) for row in rows]
    for (a, one), (b, other) in combinations(found, 2):
        both = len(one & other)
        if both and both / (len(one) + len(other) - both) >= ALIKE:
            yield both / (len(one) + len(other) - both), a, b


@pytest.mark.parametrize(("seeds", "target"), [(TICKETS, 1000), (PROBLEMS, 400)])
def test_a_target_is_met_without_repeats_between_parts(tmp_path: Path, seeds: Path, target: int) -> None:
    with simulate("--repeat", "0.15") as url:
        root = Root(tmp_path / "root", seeds, url, target, 4)
        root.begin()
        card = paid(root.folder)
        for index in range(4):
            assert root.grow(index).returncode == 0
        grown = {row["id"]: row["input"] for part in root.parts for row in records(part)}
        assert len(grown) == target
        repeated = [count for count in Counter(grown.values()).values() if count > 1]
        assert repeated, "the parts have texts in common"
        merged = root.merge("--json")
        assert merged.returncode == 6, merged.stderr
        told = json.loads(merged.stdout)
        assert told["repeated"] >= sum(repeated) - len(repeated)
        assert told["missing"] == told["repeated"] == target - told["accepted"]
        assert sum(told["short"].values()) == told["missing"]
        assert reconciles(root.folder)
        assert paid(root.folder) == card + sum(map(paid, root.parts))
        kept = contents(root.folder)
        done = aide(*root.run)
        assert done.returncode == 0, done.stderr
    found = contents(root.folder)
    assert len(found) == target
    assert kept.items() <= found.items()
    assert reconciles(root.folder)
    assert list(find_alike(seeds, list(found.values()))) == []
    if seeds == TICKETS:
        assert set(Counter(row["output"] for row in found.values()).values()) == {target // 4}
    by_seed = Counter(row["lineage"]["seed_id"] for row in found.values())
    assert len(by_seed) == 10 and min(by_seed.values()) >= 0.06 * target


def test_missing_and_unfinished_parts_are_named(tmp_path: Path) -> None:
    root = Root(tmp_path / "root", TICKETS, "sim:", 80, 4)
    root.begin()
    card = paid(root.folder)
    assert root.grow(0).returncode == 0
    assert root.grow(2, "--max-calls", str(card + 4 * 3)).returncode == 3
    assert root.grow(3).returncode == 0
    refused = root.merge()
    assert refused.returncode == 2
    assert "part-00001-of-00004 is missing; part-00002-of-00004 was stopped: --max-calls" in refused.stderr
    assert "--partial" in refused.stderr
    partial = root.merge("--partial", "--json")
    assert partial.returncode == 6, partial.stderr
    told = json.loads(partial.stdout)
    assert told["merged"] == [f"part-{n:05d}-of-00004" for n in (0, 2, 3)]
    assert list(told["short"]) == ["part-00002-of-00004"]
    early = contents(root.folder)
    assert len(early) == told["accepted"] < 80
    # The lost part is made up for: what was merged stays, and only what is new comes in.
    assert root.grow(1).returncode == root.grow(2).returncode == 0
    assert root.merge().returncode == 0
    late = contents(root.folder)
    assert len(late) == 80 and early.items() <= late.items()
    again = aide(*root.run)
    assert again.returncode == 0 and "nothing to do" in again.stderr


def test_a_merged_root_is_the_folder_of_one_run(tmp_path: Path) -> None:
    root = Root(tmp_path / "root", TICKETS, "sim:", 60, 2)
    root.begin()
    for index in range(2):
        assert root.grow(index).returncode == 0
    id = records(root.parts[1])[0]["id"]
    assert aide("prune", root.parts[1], "--ancestor", id).returncode == 0
    gone = 30 - len(records(root.parts[1]))
    assert root.merge("--partial").returncode == 6
    assert len(records(root.folder)) == 60 - gone
    assert summary(root.folder)["pruned"] == gone
    assert aide("prune", root.folder, "--restore").returncode == 0
    assert {row["id"] for row in records(root.folder)} >= {id}
    assert len(records(root.folder)) == 60
    other = records(root.parts[0])[-1]["id"]
    traced = aide("trace", root.folder, other, "--prompts")
    assert traced.returncode == 0 and "[answer]" in traced.stdout
    assert aide("report", root.folder).returncode == 0
    assert len(aide("export", root.folder, "--to", "messages").stdout.splitlines()) == 60
    assert json.loads(aide("stats", root.folder, "--json").stdout)["records"] == 60
    steps = [json.loads((part / "summary.json").read_text())["steps"] for part in root.parts]
    for step in steps[0]:
        here = sum(each["calls"] for each in summary(root.folder)["steps"][step].values())
        assert here == sum(each["calls"] for part in steps for each in part.get(step, {}).values())
    assert len(lines(root.folder / "rejects.jsonl")) == summary(root.folder)["rejected"]


def test_parts_can_be_looked_at_before_they_are_merged(tmp_path: Path) -> None:
    root = Root(tmp_path / "root", TICKETS, "sim:", 60, 3)
    root.begin()
    for index in (0, 2):
        assert root.grow(index).returncode == 0
    told = json.loads(aide("status", root.folder, "--json").stdout)
    assert (told["state"], told["accepted"], told["target"]) == ("stopped", 40, 60)
    assert [(part["name"], part["state"]) for part in told["parts"]] == [
        ("part-00000-of-00003", "finished"),
        ("part-00001-of-00003", "missing"),
        ("part-00002-of-00003", "finished"),
    ]
    assert told["calls"] == sum(map(paid, root.parts))
    assert (
        "parts         2 finished, 1 missing: part-00001-of-00003 (missing)"
        in aide("status", root.folder).stdout
    )
    grown = {row["id"] for part in root.parts for row in records(part)}
    shown = aide("records", root.folder, "--json").stdout.splitlines()
    assert {json.loads(line)["id"] for line in shown} == grown
    assert len(aide("export", root.folder, "--to", "messages").stdout.splitlines()) == 40
    refused = len(aide("records", root.folder, "--rejects", "--json").stdout.splitlines())
    assert refused == sum(len(rejects(part)) for part in root.parts)
    id = records(root.parts[1])[0]["id"]
    way = json.loads(aide("trace", root.folder, id, "--json").stdout)["way"]
    assert way == json.loads(aide("trace", root.parts[1], id, "--json").stdout)["way"]
    assert "there is no record zz" in aide("trace", root.folder, "zz").stderr
    for command in (("report", root.folder), ("prune", root.folder, "--restore")):
        done = aide(*command)
        assert done.returncode == 2
        assert f"holds 2 parts that are not merged\nhint: aide merge {root.folder}" in done.stderr


def test_parts_of_different_runs_are_not_merged(tmp_path: Path) -> None:
    root = Root(tmp_path / "root", TICKETS, "sim:", 20, 2)
    root.begin()
    assert root.grow(0).returncode == 0
    assert root.grow(1, "--min-relevance", "3").returncode == 0
    refused = root.merge()
    assert refused.returncode == 2
    assert "holds another run than part-00000-of-00002: min_relevance was 7, is 3" in refused.stderr
    assert not (root.folder / "shards").exists()


def make_finished(folder: Path) -> Root:
    """A root of three finished parts of 40 records."""
    root = Root(folder, PROBLEMS, "sim:", 40, 3)
    root.begin()
    for index in range(3):
        assert root.grow(index).returncode == 0
    return root


def test_a_damaged_part_is_named_and_left_out(tmp_path: Path) -> None:
    root = make_finished(tmp_path / "root")
    broken = root.parts[1]
    whole = (broken / "journal.sqlite").read_bytes()
    for log in broken.glob("journal.sqlite-*"):
        log.unlink()
    for size in (50_000, 4096, 100, 0):
        (broken / "journal.sqlite").write_bytes(whole[:size])
        again = root.grow(1, "--quiet")
        assert again.returncode == 2
        assert f"remove it and run this part again: {broken}" in again.stderr
    told = json.loads(aide("status", root.folder, "--json").stdout)
    assert (told["state"], told["accepted"], told["parts"][1]["state"]) == ("stopped", 26, "damaged")
    refused = root.merge()
    assert refused.returncode == 2
    assert "part-00001-of-00003 is damaged" in refused.stderr
    assert root.merge("--partial").returncode == 6
    assert len(records(root.folder)) == 26
    # The journal of the root, too, is refused before a call is paid for.
    (root.folder / "journal.sqlite").write_bytes(b"")
    for command in (("merge", root.folder, "--partial"), ("trace", root.folder, "x"), root.run):
        spoilt = aide(*command)
        assert spoilt.returncode == 2
        assert "journal.sqlite is damaged" in spoilt.stderr


def test_a_part_with_a_torn_manifest_does_not_hide_the_others(tmp_path: Path) -> None:
    root = make_finished(tmp_path / "root")
    manifest = root.parts[0] / "run.json"
    manifest.write_bytes(manifest.read_bytes()[:300])
    shown = aide("status", root.folder)
    assert shown.returncode == 0
    assert "accepted      26 of 40, 14 left" in shown.stdout
    assert (
        "2 finished, 1 damaged" in " ".join(shown.stdout.split()) or "1 damaged, 2 finished" in shown.stdout
    )
    assert "part-00000-of-00003 (damaged)" in shown.stdout
    refused = root.merge()
    assert refused.returncode == 2
    assert "part-00000-of-00003 is damaged" in refused.stderr


def test_a_root_that_is_being_merged_is_in_use(tmp_path: Path) -> None:
    root = make_finished(tmp_path / "root")
    with FolderLock(root.folder), FolderLock(root.parts[0]):
        for command in (("merge", root.folder), root.run):
            held = aide(*command)
            assert held.returncode == 5, held.stderr
    assert root.merge().returncode == 0


def test_a_part_that_came_late_is_told_and_one_that_is_not_needed_is_refused(tmp_path: Path) -> None:
    root = Root(tmp_path / "root", PROBLEMS, "sim:", 40, 4)
    root.begin()
    for index in (0, 2):
        assert root.grow(index).returncode == 0
    assert root.merge("--partial").returncode == 6
    assert root.grow(1).returncode == 0  # the root still lacks what it makes
    assert aide(*root.run).returncode == 0
    needless = root.grow(3)
    assert needless.returncode == 2
    assert "was merged without this part and has 40 of 40 records: it is not needed" in needless.stderr
    assert not (root.folder / "part-00003-of-00004").exists()
    late = root.merge("--partial")
    assert late.returncode == 0, late.stderr
    extra = len(records(root.folder)) - 40
    assert extra > 0
    assert f"{extra} more than asked for; part-00001-of-00004 came late" in late.stderr


def test_after_the_merge_nothing_is_left_to_do_with_documents_either(tmp_path: Path) -> None:
    for name in ("json", "review", "nightly"):
        text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs" / f"{name}.md").write_text(text, encoding="utf-8")
    root = Root(tmp_path / "root", PROBLEMS, "sim:", 12, 2)
    root.run = (*root.run, "--recipe", "documents", "--contexts", tmp_path / "docs")
    root.begin()
    for index in range(2):
        assert root.grow(index).returncode == 0
    assert root.merge().returncode == 0
    again = aide(*root.run)
    assert again.returncode == 0
    assert "nothing to do" in again.stderr and "plan:" not in again.stderr
    (tmp_path / "docs" / "json.md").write_text("Another text of the same document, which is short.\n" * 40)
    assert "nothing to do" not in aide(*root.run).stderr


def test_who_reads_a_root_without_a_part_is_told_so(tmp_path: Path) -> None:
    root = Root(tmp_path / "root", PROBLEMS, "sim:", 40, 3)
    root.begin()
    for index in (0, 2):
        assert root.grow(index).returncode == 0
    note = f"note: {root.folder} is not complete, 26 of 40 records: without part-00001-of-00003 (missing)"
    readers = (
        ("records", root.folder),
        ("stats", root.folder),
        ("export", root.folder, "--to", "messages"),
        ("compare", f"one={root.folder}", f"other={root.parts[0]}"),
    )
    for command in readers:
        assert note in aide(*command).stderr
    assert note not in aide("export", root.folder, "--to", "messages", "--quiet").stderr
    assert "note:" not in aide("records", root.parts[0]).stderr
    planned = aide("plan", *root.run[1:]).stdout
    assert "lacks   part-00001-of-00003 (missing)" in planned
    assert f"aide merge {root.folder}" in planned
    again = f"the same command again for part-00001-of-00003, then aide merge {root.folder}"
    assert again in aide("status", root.folder).stdout
    assert root.merge("--partial").returncode == 6
    assert note in aide("records", root.folder).stderr
    assert "without --partition, grows what is missing" in aide("status", root.folder).stdout
    assert aide(*root.run).returncode == 0
    assert "note:" not in aide("records", root.folder).stderr


def test_a_part_that_was_pruned_after_the_merge_is_called_so(tmp_path: Path) -> None:
    root = make_finished(tmp_path / "root")
    assert root.merge().returncode == 0
    id = records(root.parts[0])[0]["id"]
    assert aide("prune", root.parts[0], "--ancestor", id).returncode == 0
    shown = aide("status", root.folder).stdout
    assert "part-00000-of-00003 (pruned)" in shown
    assert f"aide merge {root.folder} --partial takes what was pruned out" in shown
    refused = root.merge()
    assert refused.returncode == 2
    assert "part-00000-of-00003 was pruned" in refused.stderr


def test_what_has_no_parts_is_refused(tmp_path: Path) -> None:
    refused = aide("merge", tmp_path)
    assert refused.returncode == 2
    assert "holds no parts" in refused.stderr


def test_parts_with_a_card_from_elsewhere_need_nothing_in_their_root(tmp_path: Path) -> None:
    card = Root(tmp_path / "card", TICKETS, "sim:", 40, 2)
    card.begin()
    root = Root(tmp_path / "root", TICKETS, "sim:", 40, 2)
    for index in range(2):
        done = root.grow(index, "--card", str(card.folder), "--max-calls", "1000")
        assert done.returncode == 0, done.stderr
    assert root.merge().returncode == 0
    assert (root.folder / "task.toml").read_text() == (card.folder / "task.toml").read_text()
    assert len(contents(root.folder)) == 40
    told = json.loads((root.folder / "run.json").read_text())["spec"]
    assert (told["partition"], told["max_calls"]) == ("", None)
    more = aide(*root.run[:-4], "--target", "44", "-o", root.folder)
    assert more.returncode == 0, more.stderr
    assert len(contents(root.folder)) == 44
