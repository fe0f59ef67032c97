"""A run in parts on a cluster, without a cluster: how many, with what share, on which storage, and how they end."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from aide.config.partition import Partition
from aide.config.spec import RunSpec
from aide.engines import ENGINES
from aide.engines.part_actor import PartActor, leave_rest, sum_cost
from aide.engines.part_job import PartEnd, PartJob, SharedStorage, find_worst_stop, list_secrets, share_token
from aide.engines.ray import choose_count, enter_own_part, summarise_parts
from aide.errors import AideError, BudgetSpent, EndpointUnusable, HopelessRun, InputError
from aide.run.folder import RunFolder
from aide.run.parts import CARD_SPENT, list_parts
from aide.run.parts_progress import read_root_progress
from aide.run.progress import Progress
from runs import contents, expand, few, paid
from unit.run.prepared import make_spec


def make_root(path: Path, spent: Mapping[str, Any] | None = None) -> RunFolder:
    """A root whose card is made, for so much."""
    root = RunFolder(path)
    root.create()
    root.card.write_text("", encoding="utf-8")
    root.write_manifest({CARD_SPENT: spent or {}})
    return root


def make_jobs(
    seeds: Path, root: RunFolder, count: int, storage: SharedStorage, **given: Any
) -> list[PartJob]:
    spec = make_spec(target=24, exam=False, **given)
    jobs = []
    for index in range(count):
        own, folder = enter_own_part(spec, {}, root, Partition(index, count))
        jobs.append(
            PartJob(Partition(index, count), own, {}, (str(seeds),), folder.path, storage, {}, 0.0, 0.0)
        )
    return jobs


def test_each_engine_of_the_setting_is_registered() -> None:
    assert set(get_args(RunSpec.model_fields["engine"].annotation)) == set(ENGINES)


@pytest.mark.parametrize(
    ("cpus", "count"), [([8.0], 8), ([8.0, 8.0, 4.0], 3), ([2.5], 2)], ids=["cpus", "nodes", "part of a cpu"]
)
def test_there_is_a_part_for_each_node_or_on_one_node_for_each_cpu(
    tmp_path: Path, cpus: list[float], count: int
) -> None:
    found, why = choose_count(make_spec(), RunFolder(tmp_path), cpus)
    assert found == count
    assert "--parts says otherwise" in why
    assert choose_count(make_spec(parts=5), RunFolder(tmp_path), cpus)[0] == 5


def test_a_folder_keeps_the_number_of_its_parts(tmp_path: Path) -> None:
    (tmp_path / "part-00001-of-00003").mkdir()
    assert choose_count(make_spec(), RunFolder(tmp_path), [8.0])[0] == 3
    assert choose_count(make_spec(parts=3), RunFolder(tmp_path), [8.0])[0] == 3
    with pytest.raises(InputError, match="has 3 parts, and --parts asks for 4"):
        choose_count(make_spec(parts=4), RunFolder(tmp_path), [8.0])


def test_a_cluster_that_has_no_node_yet_needs_a_number(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no node with a CPU"):
        choose_count(make_spec(), RunFolder(tmp_path), [])
    assert choose_count(make_spec(parts=2), RunFolder(tmp_path), [])[0] == 2


def test_parts_take_the_card_of_the_root_also_where_another_was_named(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root")
    (spec, folder) = enter_own_part(make_spec(card=tmp_path / "other.toml"), {}, root, Partition(1, 2))
    assert spec.card == root.card
    assert folder.path == root.path / "part-00001-of-00002"


@pytest.mark.parametrize("count", [1, 2, 7])
def test_caps_are_divided_before_a_part_begins(tmp_path: Path, count: int) -> None:
    root = make_root(tmp_path / "root", {"calls": 5, "tokens": 100, "cost": 1.0})
    caps = {"max_calls": 45, "max_total_tokens": 1000, "max_cost": 8.0, "max_cost_per_run": 4.0}
    spec = make_spec(**caps, rpm=100, tpm=9000, endpoints=[{"base_url": "http://localhost/v1", "rpm": 60}])
    parts = [enter_own_part(spec, {}, root, Partition(index, count))[0] for index in range(count)]
    assert sum(part.max_calls or 0 for part in parts) == 40
    assert sum(part.max_total_tokens or 0 for part in parts) == 900
    assert sum(part.max_cost or 0 for part in parts) == pytest.approx(7.0)
    assert sum(part.max_cost_per_run or 0 for part in parts) == pytest.approx(4.0)
    for name, whole in (("rpm", 60), ("tpm", 9000)):
        paces = [part.list_endpoints()[-1] for part in parts]
        assert sum(getattr(pace, name) for pace in paces) == whole
    assert [str(part.part) for part in parts] == [f"{index}/{count}" for index in range(count)]


def test_what_a_part_spent_before_ray_began_it_again_counts(tmp_path: Path) -> None:
    expand(few(tmp_path, "plain_explanations.jsonl"), tmp_path / "run", "--target", "4", "--price", "1/1")
    folder = RunFolder(tmp_path / "run")
    spent = sum_cost(folder)
    assert spent > 0
    storage = SharedStorage(str(tmp_path), "", "")
    spec = make_spec(max_cost_per_run=spent * 3, max_minutes=1e9, max_calls=7)
    job = PartJob(Partition(0, 2), spec, {}, (), folder.path, storage, {}, began=0.0, money_before=0.0)
    left = leave_rest(job, folder)
    assert left.max_cost_per_run == pytest.approx(spent * 2)
    assert left.max_minutes is not None and 0 < left.max_minutes < 1e9
    assert left.max_calls == 7, "counted over all runs of the folder as it is"
    later = leave_rest(replace(job, money_before=spent), folder)
    assert later.max_cost_per_run == pytest.approx(spent * 3), "an earlier run's costs are not this run's"


def test_a_node_that_lacks_the_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "root"
    root.mkdir()
    with share_token(root) as storage:
        assert storage.find_problem() == ""
        assert "doesn't see the run folder" in replace(storage, token=str(root / "gone")).find_problem()
        assert "doesn't see the run folder" in replace(storage, text="another").find_problem()
        assert "has no folder" in replace(storage, working_folder=str(tmp_path / "gone")).find_problem()
        assert "the driver 0.0" in replace(storage, version="0.0").find_problem()
    assert list(root.iterdir()) == []


def test_only_variables_that_endpoints_name_go_along() -> None:
    endpoint = {"base_url": "http://x/v1", "api_key_env": "OWN_KEY", "headers": {"X": "Bearer ${TOKEN}"}}
    spec = make_spec(endpoints=[endpoint], query={"user": "${NAME}"})
    environ = {"OWN_KEY": "k", "TOKEN": "t", "NAME": "n", "OPENAI_API_KEY": "o", "HOME": "/h", "SECRET": "s"}
    assert list_secrets(spec, environ) == {"NAME": "n", "OPENAI_API_KEY": "o", "OWN_KEY": "k", "TOKEN": "t"}
    assert list_secrets(spec, {}) == {}


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ([], None),
        ([BudgetSpent("--max-calls 5 is reached", hint="more")], 3),
        ([BudgetSpent("calls"), EndpointUnusable("no key"), HopelessRun("nothing")], 4),
        ([EndpointUnusable("no key"), InputError("no folder")], 2),
        ([InputError("no folder"), AideError("its actor died")], 1),
    ],
)
def test_the_worst_end_of_a_part_is_that_of_the_whole(faults: list[AideError], code: int | None) -> None:
    ends = [PartEnd(Partition(3, 4), "node", False)]
    ends += [
        PartEnd.stopped(Partition(index, 4), fault, restarted=False) for index, fault in enumerate(faults)
    ]
    worst = find_worst_stop(ends, 4)
    assert (worst.exit_code if worst else None) == code
    if worst is not None:
        assert f"({len(faults)} of 4 parts stopped)" in str(worst)
        assert str(worst).startswith("part-0000")


def test_parts_that_run_as_actors_make_the_records_of_partitions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seeds = few(tmp_path, "support_tickets_de.jsonl")
    words = ("--target", "24", "--no-exam")
    for name in ("processes", "actors"):
        expand(seeds, tmp_path / name, *words, "--card-only")
    for index in range(2):
        expand(seeds, tmp_path / "processes", *words, "--partition", f"{index}/2")
    root = RunFolder(tmp_path / "actors")
    with share_token(root.path) as storage:
        ends = [
            asyncio.run(PartActor(job).run()) for job in make_jobs(seeds, root, 2, storage, model="simulator")
        ]
    assert [(end.kind, end.restarted) for end in ends] == [("", False)] * 2
    for part, folder in list_parts(root.path).items():
        assert contents(folder.path) == contents(tmp_path / "processes" / part.folder_name)
    totals = summarise_parts(root)
    assert (totals["accepted"], totals["target"], totals["exit_code"]) == (24, 24, 0)
    assert totals["calls"] == sum(paid(folder.path) for folder in list_parts(root.path).values())


def test_a_part_that_was_told_to_stop_asks_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seeds = few(tmp_path, "support_tickets_de.jsonl")
    expand(seeds, tmp_path / "root", "--target", "24", "--no-exam", "--card-only")
    root = RunFolder(tmp_path / "root")

    async def stop_at_once(job: PartJob) -> PartEnd:
        actor = PartActor(job)
        await actor.drain(5.0)
        return await actor.run()

    with share_token(root.path) as storage:
        (job, _) = make_jobs(seeds, root, 2, storage, model="simulator")
        end = asyncio.run(stop_at_once(job))
        assert end.kind == "Interrupted"
        assert paid(job.folder) == 0
    gone = asyncio.run(PartActor(job).run())
    assert gone.kind == "InputError", "the token is gone, as on a node that doesn't see the folder"
    assert "doesn't see the run folder" in gone.message


def test_what_parts_write_is_shown_as_the_progress_of_one_run(tmp_path: Path) -> None:
    expand(few(tmp_path, "support_tickets_de.jsonl"), tmp_path / "run", "--target", "12", "--price", "1/1")
    told = RunFolder(tmp_path / "run").read_progress()
    shown = Progress(target=12)
    shown.take_over(told)
    assert {**shown.as_dict(), "this_run": None} == {**told, "this_run": None}
    shown.take_over(read_root_progress(RunFolder(tmp_path / "nothing")))
    assert shown.as_dict()["tokens"]["prompt"] == shown.accepted == 0
