"""What the README shows works, and what the docs say of a run folder is what a run writes.

Blocks fenced `console` or `bash` need nothing but the simulator and are run here as they stand; those fenced
`sh` need a server, a key or a clone, and only their options are looked up.
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aide.cli.commands import COMMANDS
from aide.journal.database import TABLES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RUN_FOLDER = (ROOT / "docs" / "run-folder.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def script_of(kind: str, block: str) -> str:
    """The commands of a block: of a console the lines after its prompts, of a script all."""
    lines = block.splitlines()
    return "\n".join(line[2:] for line in lines if line.startswith("$ ")) if kind == "console" else block


SCRIPTS = [script_of(kind, block) for kind, block in BLOCKS if kind in ("console", "bash")]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with the sample seeds, and an environment with `aide` on the path and no settings."""
    here = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "sample_seeds", here / "sample_seeds")
    (here / "bin").mkdir()
    (here / "bin" / "aide").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aide "$@"\n')
    (here / "bin" / "aide").chmod(0o755)
    private = ("AIDE_", "OPENAI_", "EDITOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(private)}
    path = f"{here / 'bin'}{os.pathsep}{kept['PATH']}"
    places = {"PATH": path, "PYTHONPATH": str(ROOT / "src"), "XDG_STATE_HOME": str(here / "state")}
    places["XDG_CACHE_HOME"] = str(here / "cache")
    return here, {**kept, **places, "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def shown(shell: tuple[Path, dict[str, str]]) -> Path:
    """The folder in which all blocks were run, one after another, as somebody who reads on would."""
    here, environ = shell
    for script in SCRIPTS:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=here,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return here


def test_blocks_that_are_run_need_only_the_simulator() -> None:
    commands = re.findall(r"^aide (?:expand|plan) .*$", "\n".join(SCRIPTS), re.MULTILINE)
    assert len(commands) >= 5
    assert [command for command in commands if not re.search(r'--base-url "?sim:', command)] == []


def test_every_block_ends_well_and_the_kill_cost_nothing(shown: Path) -> None:
    for name, target in (("try", 300), ("quiz", 100), ("plain", 20)):
        lines = (shown / f"{name}.aide" / "shards" / "part-00000.jsonl").read_text().splitlines()
        assert len({json.loads(line)["id"] for line in lines}) == len(lines) == target


def test_the_record_that_is_shown_has_the_shape_of_a_real_one(shown: Path) -> None:
    sample = json.loads(next(block for kind, block in BLOCKS if kind == "json"))
    shards = (shown / "aide-demo" / "word_problems" / "shards" / "part-00000.jsonl").read_text()
    grown = map(json.loads, shards.splitlines())
    real = next(
        each
        for each in grown
        if each["lineage"]["operation"] == sample["lineage"]["operation"] and "fault" not in each["scores"]
    )
    assert list(sample) == list(real)
    assert list(sample["lineage"]) == list(real["lineage"])
    assert list(sample["scores"]) == list(real["scores"])


def test_options_named_in_the_readme_exist() -> None:
    reference = (ROOT / "docs" / "cli-reference.md").read_text(encoding="utf-8")
    ours = "\n".join(line for line in README.splitlines() if "systemctl" not in line)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours))
    assert sorted(option for option in named if option not in reference) == []


def test_links_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)", page.read_text())]
    assert [
        (page.name, link) for page, link in links if ":" not in link and not (page.parent / link).exists()
    ] == []


def test_every_file_and_field_of_a_run_folder_is_documented(shown: Path) -> None:
    folder = shown / "try.aide"
    prose = re.sub(r"^```.*?^```$", "", RUN_FOLDER, flags=re.MULTILINE | re.DOTALL)
    described = set(re.findall(r"`([^`]+)`", prose))
    files = {path.name for path in folder.iterdir()} - {"shards"} | {"shards/part-00000.jsonl"}
    names = {*names_in_lines(folder), *names_in_manifests(folder), *names_in_journal(folder)}
    assert sorted((files | names) - described) == []


def names_in_lines(folder: Path) -> Iterator[str]:
    """The fields of all records and rejects but those that a seed brought along in `meta`."""
    for file in (folder / "shards" / "part-00000.jsonl", folder / "rejects.jsonl"):
        for line in file.read_text().splitlines():
            yield from names_in({**json.loads(line), "meta": {}})


def names_in_manifests(folder: Path) -> Iterator[str]:
    """The fields of the card, of the manifest, and of the summary with its tables by step and endpoint."""
    yield from re.findall(r"^(\w+) = ", (folder / "task.toml").read_text(), re.MULTILINE)
    yield from json.loads((folder / "run.json").read_text())
    summary = json.loads((folder / "summary.json").read_text())
    yield from (*summary, *summary["tokens"], *summary["this_run"], *summary["reasons"])
    for row in (
        *summary["endpoints"].values(),
        *(row for step in summary["steps"].values() for row in step.values()),
    ):
        yield from row


def names_in_journal(folder: Path) -> Iterator[str]:
    """Its tables, the facts in `meta`, and the kinds of decisions and outcomes."""
    yield from re.findall(r"EXISTS (\w+) \(", TABLES)
    with closing(sqlite3.connect(f"file:{folder / 'journal.sqlite'}?mode=ro", uri=True)) as journal:
        kinds = "SELECT kind FROM decisions UNION SELECT kind FROM outcomes UNION SELECT name FROM meta"
        yield from (name for (name,) in journal.execute(kinds))


def names_in(value: Any) -> Iterator[str]:
    """The names of all fields, those of objects inside included."""
    for name, inner in value.items():
        yield name
        if isinstance(inner, dict):
            yield from names_in(inner)


def test_the_picture_of_the_way_names_every_command() -> None:
    picture = next(block for kind, block in BLOCKS if kind == "text" and "seeds ──►" in block)
    assert [name for name in COMMANDS if not re.search(rf"\b{name}\b", picture)] == []
    assert [line for line in picture.splitlines() if len(line) > 100] == []
