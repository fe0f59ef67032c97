"""What the page on exports shows: its shell lines run, its configurations hold the paper's settings."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from aide.cli.export import To
from aide.dataset.lines import RecordLine
from aide.exporters import EXPORTERS, ExampleRenderer
from aide.exporters.trainers import AXOLOTL, TRL, TrainerExporter
from cli.shell import ROOT, bash, environment

PAGE = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
_FOUND = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
BLOCKS = dict(_FOUND) | {"bash": "".join(lines for kind, lines in _FOUND if kind == "bash")}


def test_the_shell_lines_run_unchanged(tmp_path: Path) -> None:
    (tmp_path / "sample_seeds").symlink_to(ROOT / "sample_seeds")
    done = bash(f"set -e; {BLOCKS['bash']}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    train, held = ((tmp_path / f"{name}.jsonl").read_text().splitlines() for name in ("train", "validation"))
    assert len(train) > len(held) > 0
    curriculum = (tmp_path / "hard.jsonl").read_text().splitlines()
    assert len(curriculum) == len((tmp_path / "curriculum.jsonl").read_text().splitlines()) > 0
    lines = map(json.loads, (*train, *held, *curriculum))
    assert all(line["messages"][-1]["role"] == "assistant" for line in lines)


def test_the_table_names_every_export() -> None:
    named = re.findall(r"^\| `([a-z][\w-]+)` \|", PAGE.partition("## Splits")[0], re.MULTILINE)
    assert named == list(EXPORTERS)


def test_the_help_names_every_export() -> None:
    [help] = [each.help for each in get_args(To)[1:]]
    assert [name for name in EXPORTERS if not re.search(rf"\b{name}\b", help)] == []


def test_the_template_reads_as_shown(tmp_path: Path) -> None:
    (tmp_path / "t.md").write_text(BLOCKS["text"])
    record = {"input": "Which?", "output": "b", "choices": ["a", "b"], "format": "multiple_choice"}
    example = ExampleRenderer(template=tmp_path / "t.md").example(RecordLine(record, b""))
    assert example.user == "Which?\nA) a\nB) b\nAnswer with one letter."
    assert example.answer == "B) b"


@pytest.mark.parametrize(("block", "trainer"), [("yaml", AXOLOTL), ("python", TRL)])
def test_the_configurations_are_those_that_are_written(block: str, trainer: TrainerExporter) -> None:
    assert BLOCKS[block] == trainer.render_config(held_out=True)
    alone = trainer.render_config(held_out=False)
    assert "train.jsonl" in alone
    assert "validation" not in alone
    assert "best" not in alone, "without validation data no checkpoint is better than another"


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


TINY_MODEL = """
import sys
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

words = Tokenizer(models.BPE())
words.pre_tokenizer = pre_tokenizers.ByteLevel()
alphabet = pre_tokenizers.ByteLevel.alphabet()
words.train_from_iterator(
    [open("train.jsonl").read()],
    trainers.BpeTrainer(vocab_size=400, special_tokens=["<pad>", "</s>"], initial_alphabet=alphabet),
)
tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="</s>", pad_token="<pad>")
tokenizer.save_pretrained("tiny")
size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **size)).save_pretrained("tiny")
"""


def test_the_trl_script_trains_on_what_was_exported(tmp_path: Path) -> None:
    pytest.importorskip("trl.trainer.sft_config")
    (tmp_path / "sample_seeds").symlink_to(ROOT / "sample_seeds")
    lines = BLOCKS["bash"].replace("--to messages", "--to prompt-completion")
    assert bash(f"set -e; {lines}", cwd=tmp_path).returncode == 0
    script = BLOCKS["python"]
    assert "num_train_epochs=10" in script
    for code in (TINY_MODEL, script.replace("num_train_epochs=10", "num_train_epochs=1")):
        done = subprocess.run(
            [sys.executable, "-c", code, "tiny"],
            capture_output=True,
            text=True,
            check=False,
            env=environment(HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "home")),
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
    adapter = json.loads((tmp_path / "student" / "adapter_config.json").read_text())
    assert (adapter["r"], adapter["lora_alpha"]) == (8, 16)
