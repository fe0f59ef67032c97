"""Names: one meaning a class name, verbs and nouns of the field, none of the words that only an insider knew.

`docs/style.md` has the glossary.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
MODULES = sorted(SOURCE.rglob("*.py"))

# Words of a private dialect, with the terms of the glossary that say the same.
INSTEAD = {
    "desk": "step runner",
    "brief": "recipe context",
    "ground": "prepared inputs",
    "ran": "test results",
    "forest": "restore",
    "points": "hops",
    "drifted": "drift report",
    "meant": "embedding, semantic",
    "novelty": "deduplicator",
    "claim": "deduplicator",
    "claimed": "deduplicator",
    "twin": "duplicate",
    "twins": "duplicates",
    "exam": "precheck",
    "sitting": "precheck",
    "moments": "crash points",
    "marked": "reviewed",
    "specimens": "record preview",
    "told": "shared context, aware",
    "wanted": "hop context",
    "habits": "endpoint profile",
    "company": "load tracker",
    "chance": "refusal detector",
    "lane": "endpoint worker",
    "room": "capacity",
    "flying": "in flight",
    "barren": "without attributes",
    "spill": "redistribute",
    "book": "record the outcome",
    "teacher": "model",
}
ALLOWED = {
    "crash_points",
    "chance",
}  # where a test crashes a run, and what guessing would reach: plain English

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def definitions(path: Path) -> Iterator[Definition]:
    """The public classes and functions of a module, methods included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node


def test_no_public_class_name_is_used_twice() -> None:
    places = defaultdict(list)
    for path in MODULES:
        for node in definitions(path):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(SOURCE)))
    assert {name: used for name, used in places.items() if len(used) > 1} == {}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_name_is_of_the_old_dialect(path: Path) -> None:
    names = {path.stem, path.parent.name, *(node.name for node in definitions(path))} - ALLOWED
    found = {
        name: f"say {INSTEAD[word.lower()]}"
        for name in names
        for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)
        if word.lower() in INSTEAD
    }
    assert found == {}
