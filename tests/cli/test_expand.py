"""What `aide expand` promises to whoever runs it: the same records anywhere, and nothing paid for twice."""

import json
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aide.journal import Journal
from aide.simulator.texts import hash_label, read_mark
from runs import (
    ROOT,
    SEEDS,
    SMALL,
    command,
    contents,
    environment,
    expand,
    few,
    lines,
    paid,
    query,
    reconciles,
    records,
    rejects,
    served,
    shard_bytes,
    simulate,
    summary,
)

TREE = (*SMALL, "--target", "all", "--duplicates", "off", "--no-exam", "--realism", "0")


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Four seeds, and the folder of their whole small tree."""
    here = tmp_path_factory.mktemp("four")
    seeds = few(here, "word_problems.jsonl")
    expand(seeds, here / "run", *TREE)
    return seeds, here / "run"


@pytest.fixture
def again(four: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """A copy of both to go on with."""
    seeds, folder = four
    return Path(shutil.copy(seeds, tmp_path)), Path(shutil.copytree(folder, tmp_path / "run"))


# --- the same records anywhere ------------------------------------------------------------------


def test_over_http_with_stragglers_come_the_same_records(four: tuple[Path, Path], tmp_path: Path) -> None:
    seeds, in_process = four
    with simulate("--latency", "0.02", "--slots", "64") as url:
        expand(seeds, tmp_path / "http", *TREE, url=url)
        assert served(url) == paid(tmp_path / "http") == paid(in_process)
        expand(seeds, tmp_path / "http", *TREE, url=url)
        assert served(url) == paid(in_process), "a rerun of a finished run calls nobody"
    assert contents(tmp_path / "http") == contents(in_process)
    assert reconciles(tmp_path / "http")


def test_failing_calls_cost_time_and_no_record(four: tuple[Path, Path], tmp_path: Path) -> None:
    seeds, in_process = four
    with simulate("--faults", "429:0.05,503:0.05,html:0.03,reset:0.03,error200:0.03") as url:
        expand(seeds, tmp_path / "faulty", *TREE, url=url)
    assert contents(tmp_path / "faulty") == contents(in_process)


def test_a_reader_of_messages_that_leaves_does_not_stop_the_run(tmp_path: Path) -> None:
    seeds, folder = few(tmp_path, "science_quiz.jsonl"), tmp_path / "run"
    line = command("expand", seeds, "--base-url", "sim:?latency=0.01", "--target", "12", "-o", folder)
    with subprocess.Popen(
        line, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.close()
        assert process.wait() == 0
    assert len(records(folder)) == 12


# --- extensions pay for the difference ----------------------------------------------------------


def test_a_rerun_of_a_finished_run_is_over_at_once_and_says_so(again: tuple[Path, Path]) -> None:
    seeds, folder = again
    before, told = paid(folder), summary(folder)
    assert json.loads(expand(seeds, folder, *TREE, "--json")) == told
    assert paid(folder) == before


def test_three_more_seeds_are_all_that_is_paid_for(again: tuple[Path, Path], tmp_path: Path) -> None:
    seeds, folder = again
    before, kept = paid(folder), shard_bytes(folder)
    known = {seed for (seed,) in query(folder, "SELECT DISTINCT seed FROM outcomes")}
    more = few(tmp_path, "word_problems.jsonl", 7)
    seeds.write_text(more.read_text(encoding="utf-8"), encoding="utf-8")
    with simulate() as url:
        expand(seeds, folder, *TREE, url=url)
        assert served(url) == paid(folder) - before > 0
    of_whom = query(
        folder,
        f"SELECT DISTINCT outcomes.seed FROM calls JOIN outcomes USING (node) WHERE calls.id > {before}",
    )
    assert len(of_whom) == 3
    assert not known & {seed for (seed,) in of_whom}
    assert shard_bytes(folder).startswith(kept)
    assert reconciles(folder)


def test_more_seeds_under_a_target_bring_their_own_share(tmp_path: Path) -> None:
    seeds, folder = few(tmp_path, "science_quiz.jsonl"), tmp_path / "run"
    expand(seeds, folder, "--target", "24")
    kept, before = shard_bytes(folder), {record["lineage"]["seed_id"] for record in records(folder)}
    seeds.write_text(few(tmp_path, "science_quiz.jsonl", 7).read_text(encoding="utf-8"), encoding="utf-8")
    expand(seeds, folder, "--target", "24")
    shares = Counter(record["lineage"]["seed_id"] for record in records(folder))
    assert len(shares) == 7
    assert sum(shares[seed] for seed in before) == 24, "seeds that were there have what they were to have"
    assert sum(shares.values()) == 24 + 3 * 6
    assert shard_bytes(folder).startswith(kept)


def test_a_higher_target_goes_on_where_the_lower_one_ended(tmp_path: Path) -> None:
    seeds, folder = few(tmp_path, "plain_explanations.jsonl"), tmp_path / "run"
    expand(seeds, folder, "--target", "16")
    before, kept = paid(folder), shard_bytes(folder)
    with simulate() as url:
        expand(seeds, folder, "--target", "32", url=url)
        assert served(url) == paid(folder) - before
    assert shard_bytes(folder).startswith(kept)
    assert len(records(folder)) == 32
    assert reconciles(folder)


def test_another_hop_grows_from_what_is_there(again: tuple[Path, Path]) -> None:
    seeds, folder = again
    before, kept, tree = paid(folder), shard_bytes(folder), count_guided(folder)
    with simulate() as url:
        expand(seeds, folder, *TREE, "--hops", "3", url=url)
        assert served(url) == paid(folder) - before
    deeper = count_guided(folder)
    assert {hop: deeper[hop] for hop in tree} == tree
    assert deeper[3] > tree[2]
    assert shard_bytes(folder).startswith(kept)
    parents = {record["id"]: record["lineage"]["hop"] for record in records(folder)}
    assert {parents[r["lineage"]["parent_id"]] for r in records(folder) if r["lineage"]["hop"] == 3} == {2}


def count_guided(folder: Path) -> Counter[int]:
    """The records of the tree by hop; plain ones stand beside it, in proportion to the whole."""
    lineages = [record["lineage"] for record in records(folder)]
    return Counter(lineage["hop"] for lineage in lineages if lineage["operation"] != "plain")


def test_reuse_pays_only_for_calls_whose_text_changed(four: tuple[Path, Path], tmp_path: Path) -> None:
    seeds, old = four
    prompts = tmp_path / "prompts"
    (prompts / "reflect").mkdir(parents=True)
    for name in ("blind.md", "beside.md"):
        text = (ROOT / "prompts" / "reflect" / name).read_text(encoding="utf-8")
        changed = text.replace("# user", "Take your time.\n\n# user")
        (prompts / "reflect" / name).write_text(changed, encoding="utf-8")
    with simulate() as url:
        expand(seeds, tmp_path / "new", *TREE, "--prompts", prompts, "--reuse", old, url=url)
        assert served(url) == paid(tmp_path / "new")
    assert query(tmp_path / "new", "SELECT DISTINCT step FROM calls WHERE reused = 0") == [("reflect",)]
    asked = "SELECT count(*) FROM calls WHERE step = 'reflect'"
    assert paid(tmp_path / "new") == query(tmp_path / "new", asked)[0][0] == query(old, asked)[0][0]
    assert contents(tmp_path / "new") == contents(old)


# --- whose folder it is ---------------------------------------------------------------------------


def test_the_folder_of_another_run_is_refused_by_what_differs(again: tuple[Path, Path]) -> None:
    seeds, folder = again
    before = shard_bytes(folder)
    told = expand(seeds, folder, *TREE, "--min-relevance", "6", "--residual-after", "2", code=2)
    assert "min_relevance was 7, is 6" in told
    assert "residual_after was 1, is 2" in told
    assert "hint: name another folder" in told
    assert shard_bytes(folder) == before


def test_changed_prompts_are_refused_until_adopted(again: tuple[Path, Path], tmp_path: Path) -> None:
    seeds, folder = again
    (tmp_path / "prompts").mkdir()
    text = (ROOT / "prompts" / "rules.md").read_text(encoding="utf-8")
    (tmp_path / "prompts" / "rules.md").write_text(text + "\nAnd be kind.\n", encoding="utf-8")
    changed = (*TREE, "--prompts", tmp_path / "prompts", "--hops", "3")
    told = expand(seeds, folder, *changed, code=2)
    assert "prompts/rules.md" in told
    assert "--adopt" in told
    kept = shard_bytes(folder)
    expand(seeds, folder, *changed, "--adopt")
    assert shard_bytes(folder).startswith(kept)
    assert "3" in summary(folder)["by_hop"]


def test_a_run_goes_on_in_another_tier_and_on_request_with_other_thinking(tmp_path: Path) -> None:
    """Of the one run in three ways no call is paid for twice."""
    seeds, folder = few(tmp_path, "word_problems.jsonl"), tmp_path / "run"
    low, high = '{"reasoning_effort": "low"}', '{"reasoning_effort": "high", "user": "me"}'
    expand(seeds, folder, *TREE, "--extra", low, "--max-calls", "6", code=3)
    flex = '{"reasoning_effort": "low", "service_tier": "flex", "user": "me"}'
    expand(seeds, folder, *TREE, "--extra", flex, "--max-calls", "12", code=3)
    assert "--adopt" in expand(seeds, folder, *TREE, "--extra", high, code=2)
    expand(seeds, folder, *TREE, "--extra", high, "--adopt")
    with Journal.open(folder / "journal.sqlite", readonly=True) as journal:
        asked = [(call.node, call.step, call.draw, call.attempt, call.user) for call in journal.read_calls()]
    assert len(asked) == len(set(asked)) == paid(folder)
    assert reconciles(folder)
    expand(seeds, folder, *TREE, "--extra", high)
    assert paid(folder) == len(asked)


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    assert "thesis.tex" in expand(few(tmp_path, "word_problems.jsonl"), tmp_path / "mine", code=2)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


# --- what a run is made of ----------------------------------------------------------------------


def test_the_settings_of_the_paper_plan_the_whole_tree_and_reach_it(tmp_path: Path) -> None:
    """c = 3 x (3 + 2) + 5 = 20 children of a node: 20 + 400 candidates a seed. All ten seeds: benchmarks."""
    seeds = few(tmp_path, "word_problems.jsonl", 2)
    expand(
        seeds,
        tmp_path / "run",
        "--config",
        "paper",
        "--no-reflection",
        "--duplicates",
        "off",
        "--target",
        "all",
    )
    told = summary(tmp_path / "run")
    assert told["possible"] == told["planned"] == told["accepted"] == 2 * (20 + 400)


def test_a_target_over_three_hops_has_its_plain_records_and_is_even_over_hops_and_kinds(
    tmp_path: Path,
) -> None:
    expand(SEEDS / "word_problems.jsonl", tmp_path / "run", "--hops", "3", "--target", "240")
    lineages = [record["lineage"] for record in records(tmp_path / "run")]
    guided = [lineage for lineage in lineages if lineage["operation"] != "plain"]
    assert len(lineages) - len(guided) == 144, "0.6 of 240"
    assert Counter(lineage["hop"] for lineage in guided) == {1: 32, 2: 32, 3: 32}
    for field, kinds, among in (("operation", 4, guided), ("seed_id", 10, lineages)):
        counts = Counter(lineage[field] for lineage in among)
        assert len(counts) == kinds
        assert max(counts.values()) <= 2 * min(counts.values()), field
    assert {lineage["anchored"] for lineage in lineages if lineage["hop"] > 1} == {True}
    assert {lineage["anchored"] for lineage in lineages if lineage["hop"] == 1} == {False}


@pytest.mark.parametrize("name", ["word_problems.jsonl", "support_tickets_de.jsonl"])
def test_plain_records_grow_without_attributes_and_personas(name: str, tmp_path: Path) -> None:
    switches = ("--no-attributes", "--no-personas", "--no-residual", "--plain-share", "1", "--target", "30")
    expand(SEEDS / name, tmp_path / "run", *switches)
    assert [record["lineage"]["operation"] for record in records(tmp_path / "run")] == ["plain"] * 30
    kept = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (kept["spec"]["attributes"], kept["spec"]["personas"], kept["spec"]["residual"]) == (0, 0, "off")
    assert kept["origins"]["attributes"] == "--no-attributes"
    assert "no_attributes" not in kept["spec"]


@pytest.fixture(scope="module")
def mislabelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tickets answered by a simulator that labels one in five wrongly."""
    folder = tmp_path_factory.mktemp("tickets") / "run"
    expand(SEEDS / "support_tickets_de.jsonl", folder, "--target", "250", url="sim:?mislabel=0.2")
    return folder


def test_labels_end_even(mislabelled: Path) -> None:
    counts = Counter(record["output"] for record in records(mislabelled))
    assert sum(counts.values()) == 250
    assert max(counts.values()) - min(counts.values()) <= 2


def test_blind_answers_keep_wrong_labels_out(mislabelled: Path) -> None:
    """A text of the simulator bears the mark of the label it was written for."""
    labels = {label for record in records(mislabelled) for label in record.get("choices", [record["output"]])}
    by_mark = {hash_label(label): label for label in labels}
    truths = [
        (by_mark.get(read_mark(record["input"]).label), record["output"]) for record in records(mislabelled)
    ]
    known = [(truth, output) for truth, output in truths if truth is not None]
    assert len(known) > 0.9 * len(truths)
    wrong = sum(truth != output for truth, output in known)
    assert wrong < 0.03 * len(known)
    assert any(reject["reason"] == "label_mismatch" for reject in rejects(mislabelled))


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contracts") / "run"
    expand(SEEDS / "contract_questions.jsonl", folder, "--target", "60", "--keep", "contract")
    return folder


def test_a_fixed_part_is_byte_equal_in_every_record(contracts: Path) -> None:
    given = {line["contract"] for line in lines(SEEDS / "contract_questions.jsonl")}
    found = records(contracts)
    assert len(found) == 60
    for record in found:
        assert record["parts"]["contract"] in given
        assert record["parts"]["contract"] in record["input"]
        assert record["parts"]["question"] in record["input"]
        quote = " ".join(record["meta"]["evidence"].split())
        assert quote in " ".join(record["parts"]["contract"].split())


def test_a_fixed_part_comes_first_in_every_prompt_about_it(contracts: Path) -> None:
    given = {line["contract"] for line in lines(SEEDS / "contract_questions.jsonl")}
    fronts = {f'<part name="contract">\n{text}\n</part>' for text in given}
    systems = dict(systems_by_step(contracts))
    assert set(systems) >= {"extract", "synthesize", "reflect"}
    for step, texts in systems.items():
        shown = [text for text in texts if "<part " in text]
        assert shown or step == "card"
        assert [text[:80] for text in shown if not any(text.startswith(front) for front in fronts)] == [], (
            step
        )


def systems_by_step(folder: Path) -> Iterator[tuple[str, list[str]]]:
    by_step: dict[str, list[str]] = {}
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        sql = "SELECT step, (SELECT text FROM texts WHERE id = system) FROM calls"
        for step, text in journal.execute(sql):
            by_step.setdefault(step, []).append(text.decode())
    yield from by_step.items()


def test_siblings_over_one_document_come_from_one_call(contracts: Path) -> None:
    calls = summary(contracts)["steps"]["synthesize"]["simulator"]["calls"]
    assert calls < len(records(contracts))
