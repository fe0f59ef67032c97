"""Recipes of other packages that are broken: each is named with its package, and the others work."""

import subprocess
from pathlib import Path

import pytest

from aide.recipes import RECIPES
from aide.recipes.plugins import find_fault
from runs import ROOT, SEEDS, aide, command, environment

TEXTS = 'name, summary, source = "broken", "A sentence.", "nobody"'
WRITTEN = "from aide.recipes import Recipe, WrittenRecipe\nclass Broken(WrittenRecipe):\n    "
BROKEN = {
    "module": (None, "ModuleNotFoundError"),
    "syntax": ("def (", "SyntaxError"),
    "raises": ("1 / 0", "ZeroDivisionError"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "class": ("", "has no attribute 'Broken'"),
    "kind": ("class Broken: pass", "Broken is no subclass of aide.recipes.Recipe"),
    "function": ("def Broken(): pass", "Broken is no subclass of aide.recipes.Recipe"),
    "texts": (f"{WRITTEN}pass", "the class Broken has no name, summary, source, find_template(), describe()"),
    "methods": (f"{WRITTEN}{TEXTS}", "the class Broken has no find_template(), describe()"),
    "grow": (
        f"from aide.recipes import Recipe\nclass Broken(Recipe):\n    {TEXTS}",
        "the class Broken has no grow()",
    ),
    "settings": (
        f"{WRITTEN}{TEXTS}; settings = frozenset({{'hoops'}}); find_template = describe = print",
        "names settings that aide has not: hoops",
    ),
    "prompts": (
        f"from pathlib import Path\n{WRITTEN}{TEXTS}; prompts = Path('/nowhere/prompts')"
        "; find_template = describe = print",
        "the folder of its prompts, /nowhere/prompts, was not installed",
    ),
}  # fmt: skip


def install(folder: Path, code: str | None) -> dict[str, str]:
    """A package as pip leaves it, and the surroundings in which it is found."""
    described = folder / "broken_recipes-1.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-recipes\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("[aide.recipes]\nbroken = broken_module:Broken\n")
    if code is not None:
        (folder / "broken_module.py").write_text(code)
    return {"PYTHONPATH": f"{ROOT / 'src'}:{folder}"}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_recipe_is_named_with_its_package(kind: str, tmp_path: Path) -> None:
    code, reason = BROKEN[kind]
    env = install(tmp_path, code)
    words = ("plan", SEEDS / "word_problems.jsonl", "--base-url", "sim:", "--recipe")
    told = aide(*words, "broken", code=2, env=env)
    assert told.startswith("aide: the recipe 'broken' of the package broken-recipes can't be used: ")
    assert reason in told
    assert "(entry point broken = broken_module:Broken)" in told
    assert "hint: mend the package, or take it away with `pip uninstall broken-recipes`" in told


def test_beside_a_broken_recipe_the_others_are_listed_and_found(tmp_path: Path) -> None:
    env = install(tmp_path, "import missing_library")
    done = subprocess.run(
        command("recipes"), env=environment(**env), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    names = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert set(RECIPES) <= set(names)
    assert "broken" not in names
    assert (
        "the recipe 'broken' of the package broken-recipes can't be used: ModuleNotFoundError" in done.stderr
    )
    words = ("plan", SEEDS / "word_problems.jsonl", "--base-url", "sim:", "--recipe")
    told = aide(*words, "EVOL", code=2, env=env)
    assert told.startswith("aide: there is no recipe named 'EVOL'; did you mean 'evol'?")
    assert aide(*words, "", code=2, env=env).startswith("aide: there is no recipe named ''\n")


@pytest.mark.parametrize("name", RECIPES)
def test_our_own_recipes_would_do_as_plugins(name: str) -> None:
    assert find_fault(RECIPES[name]) == ""
