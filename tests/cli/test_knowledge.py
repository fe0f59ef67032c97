"""`aide expand --knowledge`: which passages were shown stands in the records, and other passages are another run."""

import json
from pathlib import Path

from cli.shell import SEEDS, SIM, aide

FACTS = (
    "Yeast makes carbon dioxide, so bread dough rises.",
    "A fever slows down germs in the body.",
    "Air scatters blue light, and we see a blue sky.",
)


def test_passages_are_shown_named_and_held_to(tmp_path: Path) -> None:
    facts, seeds = tmp_path / "facts.jsonl", SEEDS / "plain_explanations.jsonl"
    facts.write_text("\n".join(map(json.dumps, FACTS)), encoding="utf-8")
    given = ("--base-url", SIM, "--knowledge", facts, "--quiet", "--no-exam")
    done = aide("expand", seeds, *given, "--target", "12", "-o", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    [shard] = (tmp_path / "run" / "shards").glob("*.jsonl")
    records = [json.loads(line) for line in shard.read_text(encoding="utf-8").splitlines()]
    named = [passage["file"] for record in records for passage in record["meta"]["knowledge"]]
    assert set(named) <= {"facts.jsonl:1", "facts.jsonl:2", "facts.jsonl:3"}
    shown = next(record for record in records if record["meta"]["knowledge"])
    prompts = aide("trace", tmp_path / "run", shown["id"], "--prompts").stdout
    number = int(shown["meta"]["knowledge"][0]["file"].partition(":")[2])
    assert FACTS[number - 1] in prompts

    facts.write_text(json.dumps("Bread is brown."), encoding="utf-8")
    other = aide("expand", seeds, *given, "--target", "14", "-o", tmp_path / "run")
    assert other.returncode == 2
    assert "holds another run: --knowledge was given files with other contents\n" in other.stderr


def test_a_run_whose_knowledge_is_missing_says_so_and_how_to_go_on(tmp_path: Path) -> None:
    facts, seeds = tmp_path / "facts.jsonl", SEEDS / "plain_explanations.jsonl"
    facts.write_text("\n".join(map(json.dumps, FACTS)), encoding="utf-8")
    asked = ("expand", seeds, "--base-url", SIM, "--no-exam", "-o", tmp_path / "run", "--target")
    assert aide(*asked, "12", "--knowledge", facts).returncode == 0
    without = aide(*asked, "14")
    assert without.returncode == 2
    told, hint, attempt = without.stderr.splitlines()[-3:]
    assert told.endswith(" holds another run: --knowledge was given, now it is not")
    assert hint.startswith("hint: give --knowledge again to go on here, or name another folder with -o DIR")
    assert attempt.startswith("try: ")
    assert attempt.endswith(f"--target 14 --knowledge {facts}")


def test_knowledge_that_cannot_be_read_is_told_before_anything_is_spent(tmp_path: Path) -> None:
    seeds = SEEDS / "plain_explanations.jsonl"
    done = aide(
        "expand", seeds, "--base-url", SIM, "--knowledge", tmp_path / "none.md", "-o", tmp_path / "run"
    )
    assert done.returncode == 2
    assert "there is no file" in done.stderr
    assert not (tmp_path / "run").exists()


def test_what_skip_bad_leaves_out_is_told_by_plan_and_run(tmp_path: Path) -> None:
    seeds, folder = SEEDS / "plain_explanations.jsonl", tmp_path / "facts"
    folder.mkdir()
    (folder / "facts.jsonl").write_text("\n".join(map(json.dumps, FACTS)), encoding="utf-8")
    (folder / "more.jsonl").write_text('{"text":', encoding="utf-8")
    given = (seeds, "--base-url", SIM, "--knowledge", folder, "--skip-bad", "--target", "12")
    left_out = "--knowledge leaves out what can't be read: facts/more.jsonl:1 is not JSON"
    assert f"note    {left_out}" in aide("plan", *given).stdout
    assert f"note: {left_out}" in aide("expand", *given, "--no-exam", "-o", tmp_path / "run").stderr
