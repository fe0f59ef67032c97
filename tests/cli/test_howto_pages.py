"""The commands of the how-tos run as they stand: all blocks fenced `bash` of a page, one after another.

Blocks fenced `sh` need a server, a key or minutes, and are not run.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TICKETS = """text,label
My card was charged twice for one order,billing
I was billed for a plan I cancelled,billing
Where can I download last month's invoice?,billing
The refund has not arrived on my account yet,billing
The app crashes when I open the camera,technical
I cannot log in since the update,technical
The page stays white after I press send,technical
My parcel has been at the depot for a week,delivery
The courier left my box at the wrong door,delivery
Can I change the delivery address of my order?,delivery
"""


def run_page(name: str, folder: Path) -> None:
    """Run the blocks of a page in a folder with nothing but `tickets.csv`."""
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert blocks
    (folder / "tickets.csv").write_text(TICKETS, encoding="utf-8")
    (folder / "bin").mkdir()
    (folder / "bin" / "aide").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aide "$@"\n')
    (folder / "bin" / "aide").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIDE_", "OPENAI_"))}
    places = {"XDG_STATE_HOME": str(folder / "state"), "XDG_CACHE_HOME": str(folder / "cache")}
    path = f"{folder / 'bin'}{os.pathsep}{kept['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=folder,
        env={**kept, **places, "PATH": path, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def count_lines(shards: Path) -> int:
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in shards.glob("*.jsonl"))


def test_a_nightly_job_makes_records_for_the_seeds_that_were_appended(tmp_path: Path) -> None:
    run_page("nightly.md", tmp_path)
    assert count_lines(tmp_path / "tickets.aide" / "shards") == 11 * 20
    assert (tmp_path / "train" / "train.py").exists()


def test_ablations_leave_out_what_they_name(tmp_path: Path) -> None:
    run_page("research.md", tmp_path)
    operations = {
        name: set(
            re.findall(r'"operation":"(\w+)"', (tmp_path / name / "shards" / "part-00000.jsonl").read_text())
        )
        for name in ("full", "no_attributes", "no_personas")
    }
    assert operations == {
        "full": {"constraint", "reasoning", "concretize", "persona"},
        "no_attributes": {"persona"},
        "no_personas": {"constraint", "reasoning", "concretize"},
    }


def test_the_tutorial_goes_from_rows_to_a_folder_for_the_trainer(tmp_path: Path) -> None:
    run_page("tutorial.md", tmp_path)
    assert count_lines(tmp_path / "messages.aide" / "shards") == 300
    assert {path.name for path in (tmp_path / "train").iterdir()} == {
        "train.jsonl",
        "validation.jsonl",
        "train.py",
        ".aide-export.json",
    }


def test_options_of_the_pages_exist() -> None:
    reference = (ROOT / "docs" / "cli-reference.md").read_text(encoding="utf-8")
    for name in ("tutorial.md", "nightly.md", "research.md", "troubleshooting.md"):
        page = (ROOT / "docs" / name).read_text(encoding="utf-8")
        ours = "\n".join(line for line in page.splitlines() if not re.search("systemctl|pip install", line))
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours))
        assert sorted(option for option in named if option not in reference) == [], name


@pytest.mark.parametrize(("page", "made"), [("tasks", "tasks.aide"), ("self-guide", "self.aide")])
def test_the_commands_of_a_recipe_run(page: str, made: str, tmp_path: Path) -> None:
    run_page(f"recipes/{page}.md", tmp_path)
    assert count_lines(tmp_path / made / "shards") >= 60


def test_a_curriculum_goes_level_by_level_and_sub_tasks_take_turns(tmp_path: Path) -> None:
    run_page("recipes/tasks.md", tmp_path)
    text = (tmp_path / "curriculum.jsonl").read_text(encoding="utf-8")
    ways = [json.loads(line)["lineage"]["way"] for line in text.splitlines()]
    levels = [way["level"] for way in ways]
    assert levels == sorted(levels)
    assert set(levels) == {1, 2, 3}
    first = [way["subtask"] for way in ways[: len({way["subtask"] for way in ways if way["level"] == 1})]]
    assert len(set(first)) == len(first), "no sub-task has a second turn before each had its first"
