"""What the page on exports shows: its shell lines run, its configurations hold the paper's settings."""

import ast
import json
import re
from pathlib import Path

import pytest

from aide.exporters import EXPORTERS, Rendering
from aide.filters.stream import Line
from cli.shell import ROOT, bash

PAGE = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def test_the_shell_lines_run_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "sample_seeds").symlink_to(ROOT / "sample_seeds")
    done = bash(f"set -e; {BLOCKS['bash']}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    train, held = ((tmp_path / f"{name}.jsonl").read_text().splitlines() for name in ("train", "validation"))
    assert len(train) > len(held) > 0
    assert all(json.loads(line)["messages"][-1]["role"] == "assistant" for line in (*train, *held))


def test_the_table_names_every_export() -> None:
    named = re.findall(r"^\| `([a-z][\w-]+)` \|", PAGE.partition("## Splits")[0], re.MULTILINE)
    assert named == list(EXPORTERS)


def test_the_template_reads_as_shown(tmp_path: Path) -> None:
    (tmp_path / "t.md").write_text(BLOCKS["text"])
    record = {"input": "Which?", "output": "b", "choices": ["a", "b"], "format": "multiple_choice"}
    example = Rendering(template=tmp_path / "t.md").example(Line(record, b""))
    assert example.user == "Which?\nA) a\nB) b\nAnswer with one letter."
    assert example.answer == "B) b"


def test_both_trainings_have_the_papers_settings() -> None:
    axolotl = dict(re.findall(r"^([a-z]\w*): (\S.*)$", BLOCKS["yaml"], re.MULTILINE))
    wanted = {"lora_r": 8, "lora_alpha": 16, "learning_rate": 5e-5, "num_epochs": 10}
    assert {name: float(axolotl[name]) for name in wanted} == wanted
    calls = {
        node.func.id: {each.arg: each.value for each in node.keywords}
        for node in ast.walk(ast.parse(BLOCKS["python"]))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    lora, settings = calls["LoraConfig"], calls["SFTConfig"]
    values = [lora["r"], lora["lora_alpha"], settings["learning_rate"], settings["num_train_epochs"]]
    assert [ast.literal_eval(value) for value in values] == [8, 16, 5e-5, 10]


def test_trl_knows_every_setting_of_the_script() -> None:
    trl = pytest.importorskip("trl.trainer.sft_config")
    known = trl.SFTConfig.__dataclass_fields__
    calls = [node for node in ast.walk(ast.parse(BLOCKS["python"])) if isinstance(node, ast.Call)]
    call = next(node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "SFTConfig")
    assert [each.arg for each in call.keywords if each.arg not in known] == []
