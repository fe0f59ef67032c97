"""A run folder: its manifest, whose run it holds, and when nothing is left to do in it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.journal import Journal
from aide.run.file_hashes import hash_file
from aide.run.finished import read_finished
from aide.run.folder import (
    FORMAT,
    RunFolder,
    compute_identity,
    compute_invocation,
    hash_inputs,
    list_earlier_extras,
    make_manifest,
    measure_shards,
    resume_spec,
)
from aide.run.same_run import check_same_run


def manifest_of(spec: RunSpec) -> dict[str, Any]:
    return make_manifest(spec, {}, compute_identity(spec), {})


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder, manifest = RunFolder(tmp_path), manifest_of(RunSpec())
    assert folder.read_manifest() == {}
    folder.write_manifest(manifest)
    assert folder.read_manifest() == manifest
    assert (manifest["format"], manifest["fingerprint_format"]) == (1, 3)


def test_a_manifest_of_0_1_has_no_numbers_and_is_read_as_format_0(tmp_path: Path) -> None:
    folder, spec = RunFolder(tmp_path), RunSpec(siblings="aware")
    old = manifest_of(spec)
    del old["format"], old["fingerprint_format"]
    old["fingerprint"]["siblings"] = '"told"'
    folder.manifest.write_text(json.dumps(old))
    read = folder.read_manifest()
    assert read == manifest_of(spec)
    check_same_run(folder, read, compute_identity(spec), adopt=False)
    with pytest.raises(InputError, match='siblings was "aware", is "apart"'):
        check_same_run(folder, read, compute_identity(RunSpec()), adopt=False)


@pytest.mark.parametrize("name", ["format", "fingerprint_format"])
def test_a_folder_of_a_newer_version_is_refused(tmp_path: Path, name: str) -> None:
    folder = RunFolder(tmp_path)
    folder.write_manifest({**manifest_of(RunSpec()), name: FORMAT + 3})
    with pytest.raises(InputError, match="written by a newer aide") as refused:
        folder.read_manifest()
    assert "pip install -U" in refused.value.hint


# --- the folder itself ----------------------------------------------------------------------------------------


def test_a_new_folder_is_a_run_s_at_once_and_may_hold_a_card_that_a_person_wrote(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "deep" / "run")
    folder.create()
    assert folder.lock.exists()
    written = RunFolder(tmp_path / "card")
    written.path.mkdir()
    written.card.write_text("task = 'Mine.'")
    written.create()
    assert written.card.read_text() == "task = 'Mine.'"


def test_what_holds_other_files_or_can_not_be_a_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match=r"thesis\.tex"):
        RunFolder(tmp_path / "mine").create()
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]
    with pytest.raises(InputError, match="is a file, and a run needs a folder"):
        RunFolder(tmp_path / "mine" / "thesis.tex").create()


def test_a_broken_manifest_is_said_to_be_one(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.manifest.write_text("{")
    with pytest.raises(InputError, match=r"run\.json can't be read"):
        folder.read_manifest()


def test_a_file_is_known_by_its_bytes_and_a_folder_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    file, folder = hash_file(str(tmp_path / "a" / "x")), hash_file(str(tmp_path / "a"))
    (tmp_path / "a" / "x").write_text("22")
    assert file != hash_file(str(tmp_path / "a" / "x"))
    assert folder != hash_file(str(tmp_path / "a"))
    assert hash_file("-") == hash_file(str(tmp_path / "none")) == ""


# --- whose run it holds ---------------------------------------------------------------------------------------


def with_prompt(folder: Path, name: str, text: str = "Other words.") -> RunSpec:
    path = folder / "prompts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# system\n{text}\n# user\n{text}\n")
    return RunSpec(prompts=folder / "prompts")


def test_changed_prompts_need_adoption_and_changed_settings_another_folder(tmp_path: Path) -> None:
    folder, manifest = RunFolder(tmp_path), manifest_of(RunSpec())
    prompted = compute_identity(with_prompt(tmp_path, "extract.md"))
    with pytest.raises(InputError, match=r"prompts/extract\.md") as refused:
        check_same_run(folder, manifest, prompted, adopt=False)
    assert "--adopt" in refused.value.hint
    check_same_run(folder, manifest, prompted, adopt=True)
    both = compute_identity(with_prompt(tmp_path, "extract.md").model_copy(update={"min_relevance": 5}))
    with pytest.raises(InputError, match="min_relevance was 7, is 5") as refused:
        check_same_run(folder, manifest, both, adopt=True)
    assert "-o DIR" in refused.value.hint


def test_a_folder_goes_on_whatever_says_how_requests_are_sent(tmp_path: Path) -> None:
    folder, flex = RunFolder(tmp_path), {"top_k": 5, "service_tier": "flex", "metadata": {"run": {"day": 1}}}
    folder.write_manifest(manifest_of(RunSpec(extra=flex)))
    other = RunSpec(extra={"top_k": 5, "user": "me"}, headers={"x": "y"}, query={"v": "2"})
    check_same_run(folder, folder.read_manifest(), compute_identity(other), adopt=False)
    assert list_earlier_extras(folder, other) == []


def test_what_changes_answers_is_adopted_and_what_was_answered_stays(tmp_path: Path) -> None:
    folder, low = RunFolder(tmp_path), {"reasoning_effort": "low", "service_tier": "flex"}
    folder.write_manifest(manifest_of(RunSpec(extra=low)))
    none = RunSpec(extra={"store": False})
    with pytest.raises(InputError, match=r'extra\.reasoning_effort was "low", is not there') as refused:
        check_same_run(folder, folder.read_manifest(), compute_identity(none), adopt=False)
    assert "--adopt" in refused.value.hint
    check_same_run(folder, folder.read_manifest(), compute_identity(none), adopt=True)
    assert list_earlier_extras(folder, none) == [{"reasoning_effort": "low"}]


@pytest.mark.parametrize("version", [0, 1])
def test_older_versions_counted_how_requests_are_sent(version: int, tmp_path: Path) -> None:
    """Their journals hold the answers under all that was sent, and so they are looked for; also with --reuse."""
    folder, flex = RunFolder(tmp_path), {"top_k": 5, "service_tier": "flex"}
    old = {**manifest_of(RunSpec(extra=flex)), "fingerprint_format": version}
    old["fingerprint"]["extra.service_tier"] = '"flex"'
    folder.write_manifest(old)
    now = RunSpec(extra={"top_k": 5})
    check_same_run(folder, folder.read_manifest(), compute_identity(now), adopt=False)
    assert list_earlier_extras(folder, now) == [flex]
    folder.write_manifest({**manifest_of(now), "earlier_extras": list_earlier_extras(folder, now)})
    assert list_earlier_extras(folder, now) == [flex], "for good"
    (tmp_path / "new").mkdir()
    new = RunFolder(tmp_path / "new")
    assert list_earlier_extras(new, now.model_copy(update={"reuse": tmp_path})) == [flex]
    assert list_earlier_extras(new, RunSpec(extra={"top_k": 6}, reuse=tmp_path)) == []


def test_prompts_that_only_look_at_records_and_none_at_all_are_no_difference(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    check_same_run(folder, {}, compute_identity(RunSpec()), adopt=False)
    looked = compute_identity(with_prompt(tmp_path, "realism.md"))
    check_same_run(folder, manifest_of(RunSpec()), looked, adopt=False)


def test_test_sets_and_personas_count_by_what_is_in_them(tmp_path: Path) -> None:
    items, people = tmp_path / "items.jsonl", tmp_path / "people.txt"
    items.write_text("one")
    people.write_text("a nurse")
    spec = RunSpec(avoid=(items,), persona_file=people)
    before = compute_identity(spec)
    moved = items.rename(tmp_path / "moved.jsonl")
    assert compute_identity(RunSpec(avoid=(moved,), persona_file=people)) == before
    moved.write_text("two")
    people.write_text("a sailor")
    after = compute_identity(RunSpec(avoid=(moved,), persona_file=people))
    assert {name for name in after if after[name] != before[name]} == {"avoid", "persona_file"}


# --- nothing to do --------------------------------------------------------------------------------------------


class Finished:
    """A folder in which a run over one seed file has ended."""

    def __init__(self, path: Path, **spec: Any) -> None:
        self.folder, self.seeds, self.spec = RunFolder(path / "run"), path / "seeds.jsonl", RunSpec(**spec)
        self.seeds.write_text('{"input": "a", "output": "b"}\n')
        self.folder.create()
        self.folder.shards.mkdir()
        (self.folder.shards / "part-00000.jsonl").write_text("a record\n")
        self.folder.summary.write_text('{"accepted": 1}')
        self.end(self.spec, compute_identity(self.spec))

    def end(self, spec: RunSpec, identity: dict[str, str], **more: Any) -> None:
        invocation = compute_invocation(spec, identity, hash_inputs(spec, [str(self.seeds)]))
        done = {"invocation": invocation, "shards": measure_shards(self.folder)}
        self.folder.write_manifest({**make_manifest(spec, {}, identity, {}), "finished": done, **more})

    def read(self, **spec: Any) -> dict[str, Any] | None:
        return read_finished(self.folder, self.spec.model_copy(update=spec), [str(self.seeds)])


def test_the_same_again_has_nothing_to_do(tmp_path: Path) -> None:
    done = Finished(tmp_path)
    assert done.read() == {"accepted": 1}
    assert done.read(concurrency=3, quiet=True, adopt=True) == {"accepted": 1}


@pytest.mark.parametrize(
    "more", [{"target": 7}, {"hops": 3}, {"max_calls": 5}, {"min_relevance": 5}, {"retry_failed": True}]
)
def test_whoever_asks_for_more_or_for_something_else_has_work(tmp_path: Path, more: dict[str, Any]) -> None:
    assert Finished(tmp_path).read(**more) is None


@pytest.mark.parametrize("wish", ["add", "stop"])
def test_labels_that_wait_are_work_for_whoever_does_not_ignore_them(tmp_path: Path, wish: str) -> None:
    done = Finished(tmp_path)
    assert done.read(new_labels=wish) == {"accepted": 1}
    done.folder.summary.write_text('{"accepted": 1, "waiting_labels": {"refund": 2}}')
    assert done.read() is not None
    assert done.read(new_labels=wish) is None


def test_measures_that_the_summary_lacks_are_work(tmp_path: Path) -> None:
    done = Finished(tmp_path)
    assert done.read(human=(tmp_path / "people.jsonl",)) is None
    assert done.read(realism=done.spec.realism + 1) is None
    assert done.read(realism=done.spec.realism - 1) == {"accepted": 1}
    assert done.read(base_url=("sim:",), realism=done.spec.realism + 1) is not None, "it is never shown any"


def test_a_lower_target_that_is_met_and_no_other_has_nothing_to_do(tmp_path: Path) -> None:
    done = Finished(tmp_path, target=9)
    done.folder.summary.write_text('{"accepted": 7, "exit_code": 6}')
    assert done.read(target=7) == {"accepted": 7, "exit_code": 0}
    assert done.read(target=8) is None
    assert done.read(target=7, hops=3) is None
    assert done.read(output_field="other") is None, "the same file read as other seeds"


def test_seeds_and_shards_must_be_those_that_there_were(tmp_path: Path) -> None:
    done = Finished(tmp_path)
    assert read_finished(done.folder, done.spec, ["-"]) is None, "nobody knows what standard input holds"
    (done.folder.shards / "part-00000.jsonl").write_text("")
    assert done.read() is None
    (tmp_path / "again").mkdir()
    done = Finished(tmp_path / "again")
    with done.seeds.open("a") as file:
        file.write('{"input": "c", "output": "d"}\n')
    assert done.read() is None


def test_a_folder_without_an_end_has_work(tmp_path: Path) -> None:
    done = Finished(tmp_path)
    manifest = done.folder.read_manifest()
    del manifest["finished"]
    done.folder.write_manifest(manifest)
    assert done.read() is None


def test_a_folder_that_0_1_finished_is_finished_under_the_prompts_of_this_version(tmp_path: Path) -> None:
    done = Finished(tmp_path)
    older = {**compute_identity(done.spec), "prompts/extract.md": "other words", "prompts/gone.md": "then"}
    done.end(done.spec, older, format=0)
    assert done.read() == {"accepted": 1}
    assert done.read(target=7) is None
    assert done.read(min_relevance=5) is None
    mine = with_prompt(tmp_path, "extract.md")
    assert done.read(prompts=mine.prompts) is None, "prompts of one's own are meant"
    done.end(done.spec, older)
    assert done.read() is None, "and so are those of this version, where it wrote the folder"


def test_settings_that_nobody_sets_are_those_of_the_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert resume_spec(folder, RunSpec(), {}) == RunSpec()
    then = RunSpec(demonstrations=2, target=50)
    folder.write_manifest(make_manifest(then, {"demonstrations": "default", "target": "--target"}, {}, {}))
    resumed = resume_spec(folder, RunSpec(), {})
    assert (resumed.demonstrations, resumed.target) == (2, RunSpec().target)


def test_what_a_kill_left_is_no_foreign_file_and_goes_away(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    left = [
        f".run.json.{os.getpid()}-456.tmp",
        ".report.html.4194999-1.tmp",
        ".journal.sqlite.tmp",
        ".journal.sqlite.tmp-journal",
    ]
    for name in left:
        (tmp_path / name).touch()
    folder.create()
    folder.clear_scratch()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_records_without_their_journal_are_not_paid_for_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.check_journal()
    folder.shards.mkdir()
    (folder.shards / "part-00000.jsonl").touch()
    folder.check_journal()
    (folder.shards / "part-00000.jsonl").write_text('{"id": "a"}\n')
    with pytest.raises(InputError, match="pay for them again"):
        folder.check_journal()
    folder.journal.touch()
    with pytest.raises(InputError, match="is damaged"):
        folder.check_journal()
    folder.journal.unlink()
    Journal.open(folder.journal).close()
    folder.check_journal()


def test_a_folder_of_a_version_without_thoughts_goes_on_without_them(tmp_path: Path) -> None:
    folder, old = RunFolder(tmp_path), manifest_of(RunSpec())
    old["fingerprint_format"] = 2
    del old["fingerprint"]["reasoning"], old["spec"]["reasoning"]
    folder.manifest.write_text(json.dumps(old))
    spec = resume_spec(folder, RunSpec(), {})
    assert spec.reasoning == "drop"
    check_same_run(folder, folder.read_manifest(), compute_identity(spec), adopt=False)
    with pytest.raises(InputError, match='reasoning was "drop", is "keep"'):
        check_same_run(
            folder, folder.read_manifest(), compute_identity(RunSpec(reasoning="keep")), adopt=False
        )
