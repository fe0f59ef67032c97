"""What every recipe keeps to: it grows to its target, a resume pays for nothing twice, the plan knows its calls."""

import inspect
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aide.config.resolve import resolve_settings, spell_option
from aide.config.settings import METHOD, RECIPE_SETTINGS
from aide.config.spec import RunSpec
from aide.errors import InputError
from aide.recipes import RECIPES
from aide.recipes.settings import apply_recipe
from runs import ROOT, SEEDS, aide, contents, expand, reconciles, rejects, summary

PAGE = ROOT / "docs/design/recipes.md"
PASSAGES = ("--contexts", str(ROOT / "benchmarks/retrieval_data/passages.jsonl"))
GIVEN: dict[str, tuple[str, ...]] = {"documents": PASSAGES, "retrieval": PASSAGES}
"""What a recipe needs beside seeds, as options."""
TASK: dict[str, str] = {"retrieval": "plain_explanations"}
"""The sample seeds of a recipe that not every task will do for."""
OTHERWISE: dict[str, str] = {"passage_variants": "paraphrase"}
"""What is given for a setting whose default can't be."""
TARGET = 12


def find_seeds(name: str) -> Path:
    return SEEDS / f"{TASK.get(name, 'word_problems')}.jsonl"


def make_unfinished(folder: Path) -> None:
    """As of a version that has more to do for a finished run: it is gone through once more."""
    (folder / "summary.json").unlink()
    manifest = folder / "run.json"
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace('"finished"', '"before"'), encoding="utf-8"
    )


def count_calls(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        count: int = journal.execute("SELECT count(*) FROM calls").fetchone()[0]
    return count


def read_calls(folder: Path) -> dict[str, float]:
    """The time of each journaled answer."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        return dict(journal.execute("SELECT key, at FROM calls").fetchall())


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_plants_and_grows_and_says_what_it_is(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe.name == name
    assert inspect.iscoroutinefunction(recipe.plant)
    assert inspect.isasyncgenfunction(recipe.grow)
    assert recipe.summary.endswith(".")
    assert recipe.source
    assert recipe.needs
    assert recipe.settings <= RECIPE_SETTINGS
    assert set(recipe.defaults) <= set(RunSpec.model_fields)


@pytest.mark.parametrize("name", [each for each in RECIPES if each != METHOD])
def test_a_recipe_has_a_page_and_a_row(name: str) -> None:
    page = (ROOT / f"docs/recipes/{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# `{name}`")
    assert f"[`{name}`]({name}.md)" in (ROOT / "docs/recipes/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RECIPES)
def test_a_setting_that_a_recipe_has_no_use_for_is_refused(name: str) -> None:
    for setting in RECIPE_SETTINGS - RECIPES[name].settings | RECIPES[name].unheeded:
        if setting == "persona_file":
            continue
        default = RunSpec.model_fields[setting].default
        flags: dict[str, Any] = {
            "recipe": name,
            setting: OTHERWISE.get(setting, str(default if default is not None else 1)),
        }
        settings = resolve_settings(flags, environ={}, endpoint_needed=False)
        with pytest.raises(
            InputError, match=f"^the recipe {name} has no use for {spell_option(setting)}$"
        ) as fault:
            apply_recipe(settings)
        assert fault.value.hint.startswith(f"leave it out; {name} takes ")
        assert fault.value.hint.endswith(" of the recipes' options")
        named = {word.strip(",") for word in fault.value.hint.split() if word.startswith("--")}
        assert named == {spell_option(each) for each in RECIPES[name].settings}


def test_a_foreign_setting_of_a_file_or_variable_is_named_by_its_place_and_as_an_option() -> None:
    settings = resolve_settings({"recipe": "self-guide"}, environ={"AIDE_HOPS": "3"}, endpoint_needed=False)
    with pytest.raises(
        InputError, match=r"^AIDE_HOPS: the recipe self-guide has no use for --hops$"
    ) as fault:
        apply_recipe(settings)
    assert fault.value.hint == "leave it out; self-guide takes none of the recipes' options"


@pytest.mark.parametrize("name", RECIPES)
def test_a_file_that_lists_every_default_does_for_every_recipe(name: str) -> None:
    listed = resolve_settings({"recipe": name}, environ={}, config="default", endpoint_needed=False)
    alone = resolve_settings({"recipe": name}, environ={}, endpoint_needed=False)
    foreign = RECIPE_SETTINGS - RECIPES[name].settings | RECIPES[name].unheeded
    taken, wanted = apply_recipe(listed).spec.as_dict(), apply_recipe(alone).spec.as_dict()
    assert {each: taken[each] for each in foreign} == {each: wanted[each] for each in foreign}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_that_is_killed_grows_to_its_target_and_pays_for_no_answer_twice(
    name: str, tmp_path: Path
) -> None:
    seeds, folder = find_seeds(name), tmp_path / "run"
    options = ("--recipe", name, "--target", str(TARGET), *GIVEN.get(name, ()))
    expand(seeds, folder, *options, code=-9, env={"AIDE_CRASH_AT": "after_journal:9"})
    before = read_calls(folder)
    assert before
    expand(seeds, folder, *options)
    after = read_calls(folder)
    assert {key: after[key] for key in before} == before, (
        "what was answered is the same answer, of the same time"
    )
    records = contents(folder)
    assert len(records) == TARGET
    assert reconciles(folder)
    make_unfinished(folder)
    expand(seeds, folder, *options)
    assert read_calls(folder) == after, "a rerun asks nothing"
    assert contents(folder) == records


@pytest.mark.parametrize("name", RECIPES)
def test_the_plan_of_a_recipe_knows_its_calls_and_tokens(name: str, tmp_path: Path) -> None:
    seeds, folder = find_seeds(name), tmp_path / "run"
    options = ("--recipe", name, "--target", "100", "--realism", "0", *GIVEN.get(name, ()))
    expand(seeds, folder, *options)
    made = count_calls(folder)
    accepted = len(contents(folder))
    written = accepted + len(rejects(folder))
    told = aide("plan", seeds, "--base-url", "sim:", *options, "--expect-yield", accepted / written, "--json")
    planned = json.loads(told)["expected"]
    assert abs(planned["calls"] - made) <= 0.15 * made
    used = summary(folder)["tokens"]
    tokens = used["prompt"] + used["completion"]
    assert abs(planned["tokens"] - tokens) <= 0.15 * tokens


def test_the_recipe_of_the_page_runs_as_a_package_of_its_own(tmp_path: Path) -> None:
    package = tmp_path / "package"
    for name, text in re.findall(
        r"^`([\w./]+)`[^\n]*:\n\n```\w+\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    ):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, encoding="utf-8")
    installed = tmp_path / "installed"
    offline = ("--no-build-isolation", "--no-deps", "--no-index", "--no-cache-dir")
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(installed), "."]
    built = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    environ = {**os.environ, "PYTHONPATH": str(installed), "OPENAI_API_KEY": "none"}
    words = ["expand", str(find_seeds("paraphrase")), "--base-url", "sim:", "--recipe", "paraphrase"]
    done = subprocess.run(
        [sys.executable, "-m", "aide", *words, "--target", "10", "-o", str(tmp_path / "run"), "--yes"],
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = contents(tmp_path / "run").values()
    assert len(found) == 10
    assert {record["lineage"]["operation"] for record in found} == {"paraphrase"}
    assert all(record["lineage"]["way"]["about"] for record in found)
    listed = subprocess.run(
        [sys.executable, "-m", "aide", "recipes"], env=environ, capture_output=True, text=True, check=True
    )
    assert "paraphrase" in listed.stdout
