"""A recording is the run that was recorded, without what tells of the machine or the endpoint."""

import json
import shutil
from pathlib import Path

import pytest

from aide.demo import open_demo, read_growth, read_recordings, read_replay
from aide.demo.record import main, pack_run
from aide.errors import InputError
from aide.journal import Journal
from aide.run.folder import RunFolder
from runs import SEEDS, expand


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the simulator."""
    folder = tmp_path_factory.mktemp("run") / "seeds.aide"
    expand(SEEDS / "word_problems.jsonl", folder, "--target", "40", "--hops", "2", "--plain-share", "0.3")
    return folder


def test_what_is_recorded_is_what_ran(run: Path, tmp_path: Path) -> None:
    (tmp_path / "packed").mkdir()
    assert main([str(run), "--model", "a simulator", "-o", str(tmp_path / "packed")]) == 0
    recordings = read_recordings(tmp_path / "packed")
    [recording] = recordings.values()
    assert (recording.name, recording.model) == ("word_problems", "a simulator")
    unpacked = open_demo(tmp_path / "demo", recordings)["word_problems"]
    for name in ("shards/part-00000.jsonl", "task.toml", "progress.json", "timeline.jsonl"):
        assert (unpacked.path / name).read_bytes() == (run / name).read_bytes()
    with (
        Journal.open(unpacked.journal, readonly=True) as ours,
        Journal.open(RunFolder(run).journal, readonly=True) as theirs,
    ):
        assert list(ours.read_outcomes()) == list(theirs.read_outcomes())
        assert [(each.key, each.user, each.body) for each in ours.read_calls()] == [
            (each.key, each.user, each.body) for each in theirs.read_calls()
        ]
        assert {each.endpoint for each in ours.read_calls()} == {"1:recorded"}
    assert not (unpacked.path / "aide.log").exists()
    spec = unpacked.read_manifest()["spec"]
    assert spec["base_url"] == ["http://recorded.invalid/v1"]


def test_packing_what_was_unpacked_changes_nothing(tmp_path: Path) -> None:
    recordings = read_recordings()
    for name, folder in open_demo(tmp_path, recordings).items():
        known = next(each for each in recordings.values() if each.name == name)
        assert pack_run(folder, known.model)[0] == known, "and nothing private is found in it"


def test_an_unfinished_run_is_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    manifest = json.loads((copy / "run.json").read_text())
    del manifest["finished"]
    (copy / "run.json").write_text(json.dumps(manifest))
    assert main([str(copy), "-o", str(tmp_path)]) == 2
    assert "is no finished run" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.tar.xz"))


@pytest.mark.parametrize(
    "words", ["See /home/ada/notes.txt now.", "Ask http://127.0.0.1:8000 now.", "Bearer abcdef"]
)
def test_a_run_that_names_a_place_or_a_key_is_refused(run: Path, tmp_path: Path, words: str) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    card = copy / "task.toml"
    card.write_text(f"# {words}\n{card.read_text()}")
    with pytest.raises(InputError, match="names a place or a key"):
        pack_run(RunFolder(copy))


def test_a_secret_in_a_packed_answer_is_found(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.jsonl"
    rows = [json.loads(line) for line in (SEEDS / "word_problems.jsonl").read_text().splitlines()]
    rows[0]["input"] = f"The file /home/ada/notes.txt has 3 lines. {rows[0]['input']}"
    seeds.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    expand(seeds, tmp_path / "run", "--target", "10")
    with pytest.raises(InputError, match=r"journal\.sqlite names a place"):
        pack_run(RunFolder(tmp_path / "run"))


def test_a_replay_counts_up_to_what_the_run_came_to(tmp_path: Path) -> None:
    for folder in open_demo(tmp_path, read_recordings()).values():
        summary, replay = folder.read_summary(), read_replay(folder)
        accepted = [moment.accepted for moment in replay.moments]
        calls = [moment.usage.calls for moment in replay.moments]
        assert accepted == sorted(accepted) and calls == sorted(calls)
        last = replay.moments[-1]
        assert {str(hop): n for hop, n in sorted(last.by_hop.items())} == summary["by_hop"]
        assert (last.usage.calls, last.usage.prompt) == (summary["calls"], summary["tokens"]["prompt"])
        assert replay.moments[0].latest is None and last.latest is not None
        assert replay.seeds == 10


def test_the_tree_has_three_children_and_a_grandchild_that_grew_from_one(tmp_path: Path) -> None:
    recordings = read_recordings()
    folders = open_demo(tmp_path, recordings)
    for recording in recordings.values():
        assert recording.tree is not None
        seed = read_growth(folders[recording.name], recording.tree)
        assert seed.lineage is None and seed.triples
        assert [child.lineage.hop for child in seed.children if child.lineage] == [1, 1, 1]
        assert [bool(child.children) for child in seed.children] == [False, False, True]
        [grandchild] = seed.children[-1].children
        assert grandchild.lineage is not None
        assert (grandchild.lineage.hop, grandchild.lineage.parent_id) == (2, recording.tree.children[-1])
