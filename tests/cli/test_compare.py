"""`aide compare` in a real shell."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from cli.shell import SEEDS, SIM, aide

TICKETS = SEEDS / "support_tickets_de.jsonl"
QUESTIONS = SEEDS / "word_problems.jsonl"
SIMULATED = ("--embeddings", "simulator", "--base-url", SIM)


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, found: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    return path


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """Labelled messages, each three times in other words of the simulator's taste: it knows no order of words."""
    turned = [
        {**row, "input": " ".join(str(row["input"]).split()[::-1][n:])}
        for n in range(3)
        for row in rows(TICKETS)
    ]
    return write(tmp_path / "gold.jsonl", turned)


def test_embeddings_are_paid_for_once_and_figures_stand_beside_gold(tmp_path: Path, gold: Path) -> None:
    state = str(tmp_path / "state")
    words = ("compare", f"ours={TICKETS}", "--gold", gold, *SIMULATED, "--per-label", "1,2", "--draws", "2")
    first = aide(*words, "--json", XDG_STATE_HOME=state)
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert [each["data"] for each in told["data"]] == ["gold", "ours"]
    assert told["data"][1]["like"] == pytest.approx(1.0, abs=1e-4), "the simulator reads words without order"
    assert "embeddings by simulator: 40 calls" in first.stderr
    again = aide(*words, XDG_STATE_HOME=state)
    assert "embeddings by simulator: 0 calls" in again.stderr
    assert again.stdout.splitlines()[0].split() == [
        "n", "words", "5/50/95%", "EMD", "cover", "like", "self-BLEU"
    ]  # fmt: skip
    if find_spec("sklearn"):
        assert {(each["student"], each["per_label"]) for each in told["students"]} == {
            ("embeddings", 1), ("embeddings", 2), ("tf-idf", 1), ("tf-idf", 2)
        }  # fmt: skip
        assert "accuracy on gold, ± one standard error" in again.stdout
    else:
        assert "pip install 'aide-expand[compare]'" in again.stdout


def test_without_gold_data_are_held_against_the_seeds_of_a_run(tmp_path: Path) -> None:
    run = tmp_path / "run.aide"
    aide("expand", QUESTIONS, "--base-url", SIM, "--target", "20", "-o", run, "--quiet", "--no-exam")
    done = aide("compare", run, f"again={run}", *SIMULATED, "--quiet", XDG_STATE_HOME=str(tmp_path / "state"))
    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:4]] == [
        ["seeds", "10"],
        ["run", "20"],
        ["again", "20"],
    ]
    assert "without human data (--gold) nobody can tell which of them teaches better" in done.stdout
    assert done.stderr == ""


def test_gold_without_labels_trains_nobody(tmp_path: Path) -> None:
    words = ("compare", QUESTIONS, "--gold", QUESTIONS, *SIMULATED, "--seeds", QUESTIONS, "--json")
    done = aide(*words, XDG_STATE_HOME=str(tmp_path / "state"))
    told = json.loads(done.stdout)
    assert "outputs are not labels of a fixed set, so no students are trained" in told["notes"]
    assert "10 of 10 in seeds stand in the gold too: take them out of one of them" in told["notes"]
    assert told["students"] == []


def test_what_is_not_installed_is_named(tmp_path: Path, gold: Path) -> None:
    """As on a machine without any extra: the import system finds neither scikit-learn nor numpy."""
    block = (
        "import sys, importlib.util as u\n"
        "found = u.find_spec\n"
        "away = ('numpy', 'sklearn', 'safetensors', 'tokenizers', 'all_minilm_l6_v2')\n"
        "u.find_spec = lambda name, *rest: None if name in away else found(name, *rest)\n"
        "sys.argv = ['aide', *sys.argv[1:]]\n"
        "import aide.cli.main as m\n"
        "try: m.main()\n"
        "finally: assert 'numpy' not in sys.modules, 'numpy'\n"
    )
    import subprocess

    from cli.shell import environment

    done = subprocess.run(
        [sys.executable, "-c", block, "compare", str(TICKETS), "--gold", str(gold)],
        capture_output=True, text=True, check=False, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no embeddings, so only words are compared: give --embeddings MODEL, or pip install" in done.stdout
    assert "no students are trained without scikit-learn: pip install" in done.stdout


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--per-label", "3,x"), "is no list of numbers"),
        (("--per-label", "0"), "is no list of numbers"),
        (("--base-url", SIM), "--embeddings MODEL"),
        (("--gold", "nowhere.jsonl"), "there is no file or folder nowhere.jsonl"),
    ],
)
def test_what_makes_no_sense_is_refused(words: tuple[str, ...], problem: str) -> None:
    done = aide("compare", TICKETS, *words)
    assert done.returncode == 2
    assert problem in done.stderr


def write_table(path: Path) -> Path:
    path.write_text(
        "message,team\nIt is slow,support\nIt costs much,sales\nIt broke,support\nSell me two,sales\n"
    )
    return path


def test_a_hint_names_no_option_that_the_command_lacks(tmp_path: Path) -> None:
    done = aide("split", TICKETS, "--seeds", write_table(tmp_path / "odd.csv"), "-o", tmp_path / "cut")
    assert done.returncode == 2
    assert "rename the columns" in done.stderr
    assert "--input-field" not in done.stderr


@pytest.mark.parametrize("option", ["--gold", "--seeds"])
def test_columns_of_any_name_are_asked_for_and_then_read(option: str, tmp_path: Path) -> None:
    command = ("compare", f"ours={TICKETS}", option, write_table(tmp_path / "odd.csv"))
    asked = aide(*command)
    assert asked.returncode == 2
    assert "its fields are message, team" in asked.stderr or "its columns are message, team" in asked.stderr
    named = ("--input-field", "message", "--output-field", "team")
    assert f"odd.csv {' '.join(named)}" in asked.stderr, "a command that goes on"
    done = aide(*command, *named, "--json")
    assert done.returncode == 0, done.stderr
    assert {each["data"]: each["n"] for each in json.loads(done.stdout)["data"]}[option[2:]] == 4


def test_a_column_that_gold_lacks_is_named(tmp_path: Path) -> None:
    gold = write_table(tmp_path / "odd.csv")
    done = aide("compare", TICKETS, "--gold", gold, "--input-field", "mesage", "--output-field", "team")
    assert done.returncode == 2
    assert "odd.csv:2: has no field 'mesage'" in done.stderr
    assert "message" in done.stderr
