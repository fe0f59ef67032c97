"""What the command line says of itself, in real processes."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aide.cli.commands import COMMANDS
from aide.config.resolve import spell_option
from aide.config.spec import RunSpec, get_flag

BUILT = [name for name in COMMANDS if importlib.util.find_spec(f"aide.cli.{name}")]


def aide(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIDE_", "OPENAI_"))}
    return subprocess.run(
        [sys.executable, "-m", "aide", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**clean, "COLUMNS": "160", "NO_COLOR": "1", **environ},
        timeout=60,
    )


def test_root_help_lists_every_command_on_stdout() -> None:
    done = aide("--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert [name for name in COMMANDS if f"  {name} " not in done.stdout] == []


@pytest.mark.parametrize("name", BUILT)
def test_help_of_a_command_has_examples(name: str) -> None:
    done = aide(name, "--help")
    assert done.returncode == 0, done.stderr
    assert "Examples:" in done.stdout
    for example in COMMANDS[name].examples:
        assert example in done.stdout


def test_every_setting_has_an_option_unless_it_is_for_files_alone() -> None:
    shown = aide("config", "--help-all").stdout
    missing = [
        name for name in RunSpec.model_fields if not get_flag(name).hidden and spell_option(name) not in shown
    ]
    assert missing == []


def test_version() -> None:
    assert aide("--version").stdout.startswith("aide ")


@pytest.mark.parametrize(
    ("words", "meant"),
    [(("expnd",), "expand"), (("config", "--hopps", "2"), "--hops"), (("--versin",), "--version")],
)
def test_a_typo_is_exit_2_with_a_suggestion(words: tuple[str, ...], meant: str) -> None:
    done = aide(*words)
    assert done.returncode == 2
    assert meant in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("name", BUILT)
def test_every_command_reports_an_unknown_option_in_one_sentence_and_a_hint(name: str) -> None:
    done = aide(name, "--no-such-option")
    assert done.returncode == 2
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert first == "aide: no such option: --no-such-option"
    assert second.startswith("hint: ") and f"`aide {name} --help`" in second


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("expand",), "aide: missing argument 'SEEDS…'"),
        (("trace", "x.aide"), "aide: missing argument 'ID'"),
        (("expand", "seeds.jsonl", "--hops"), "aide: option '--hops' requires an argument"),
        (("expand", "seeds.jsonl", "--quiet=yes"), "aide: option '--quiet' does not take a value"),
        (("simulate", "--port", "abc"), "aide: --port must be a whole number, not 'abc'"),
        (("simulate", "--near", "2"), "aide: --near must be at most 1.0, not '2'"),
        (("split", "--by", "x"), "aide: --by 'x' is not one of 'auto', 'seed', 'branch', 'record'"),
        (("config", "set"), "aide: got unexpected extra argument(s) (set)"),
        (("prompts", "exprt"), "aide: no such command 'exprt'"),
        (("prompts", "diff"), "aide: missing argument 'DIR'"),
    ],
)
def test_a_command_line_that_can_not_be_read_is_one_sentence_and_a_hint(
    words: tuple[str, ...], told: str
) -> None:
    done = aide(*words)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert first == told
    assert second.startswith("hint: ") and f"`aide {words[0]} " in second


@pytest.mark.parametrize("words", [(), ("prompts",)])
def test_a_group_alone_shows_its_help_on_stderr_and_is_exit_2(words: tuple[str, ...]) -> None:
    done = aide(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == aide(*words, "--help").stdout


def test_no_boxes_are_drawn_on_a_terminal_either() -> None:
    screen, end = os.openpty()
    with os.fdopen(screen, "rb") as read:
        done = subprocess.run(
            [sys.executable, "-m", "aide", "sample", "--nope"],
            stderr=end,
            stdout=end,
            check=False,
            timeout=60,
        )
        os.close(end)
        shown = read.read1(1 << 16).decode()
    assert done.returncode == 2
    assert shown.splitlines()[0] == "aide: no such option: --nope"


def test_help_fits_a_screen_of_80_columns_but_for_examples() -> None:
    options = aide("expand", "--help-all", COLUMNS="80").stdout.partition("Examples:")[0]
    assert [row for row in options.splitlines() if len(row) > 80] == []
    assert "|\n    json|multi_label|chat\n" in options


def test_a_wrong_value_is_one_sentence_and_a_hint() -> None:
    done = aide("config", "--hops", "two")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "aide: --hops must be a whole number, not 'two'"
    assert done.stderr.splitlines()[1].startswith("hint: ")


def test_config_shows_values_with_their_origin() -> None:
    shown = json.loads(aide("config", "--json", "--target", "all", AIDE_HOPS="3").stdout)
    assert shown["hops"] == {"value": 3, "origin": "AIDE_HOPS"}
    assert shown["target"] == {"value": "all", "origin": "--target"}
    assert shown["attributes"] == {"value": 3, "origin": "default"}


def test_what_config_prints_is_a_config_file_that_says_the_same(tmp_path: Path) -> None:
    given = (
        "--labels",
        "a,b",
        "--price",
        "1/2",
        "--extra",
        '{"top_k": 20, "deep": {"a b": [1]}}',
        "--no-reflection",
    )
    printed = aide("config", *given).stdout
    (tmp_path / "all.toml").write_text(printed)
    before = json.loads(aide("config", "--json", *given).stdout)
    after = json.loads(aide("config", "--json", "--config", str(tmp_path / "all.toml")).stdout)
    assert {name: each["value"] for name, each in after.items()} == {
        name: each["value"] for name, each in before.items()
    }


def test_prompts_are_exported_guarded_and_compared(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert aide("prompts", "export", str(folder)).returncode == 0
    assert aide("prompts", "diff", str(folder)).stdout == ""
    (folder / "extract.md").write_text("# system\nmine\n# user\nhello\n")
    assert "+mine" in aide("prompts", "diff", str(folder)).stdout
    refused = aide("prompts", "export", str(folder))
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert aide("prompts", "export", str(folder), "--force").returncode == 0
    assert aide("prompts", "diff", str(folder)).stdout == ""


def test_a_reader_that_leaves_early_is_no_error() -> None:
    shell = f"set -o pipefail; {sys.executable} -m aide config | head -n 1"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(shell: str) -> None:
    script = aide(_AIDE_COMPLETE=f"source_{shell}").stdout
    assert "aide" in script
    words = {"COMP_WORDS": "aide ex", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "aide ex"}
    action = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"} if shell == "fish" else {}
    assert "expand" in aide(_AIDE_COMPLETE=f"complete_{shell}", **words, **action).stdout


def test_the_groups_stand_in_the_order_of_the_way() -> None:
    shown = aide("--help").stdout
    headings = [line[:-1] for line in shown.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Options", "Grow", "Look", "Curate", "Ship", "Set up", "Examples"]


def test_rare_options_are_left_to_help_all() -> None:
    usual, everything = aide("expand", "--help").stdout, aide("expand", "--help-all").stdout
    assert "--target" in usual and "--shard-size" not in usual and "--help-all" in usual
    assert "--target" in everything and "--shard-size" in everything
    assert "Running (rare)" not in everything
    for switch in ("--no-attributes", "--no-personas", "--no-residual"):
        assert switch in everything and switch not in usual
    assert "--no-attributes" not in aide("grade", "--help-all").stdout, "it has no --attributes either"


def test_help_all_needs_no_argument_and_is_no_value() -> None:
    done = aide("expand", "seeds.jsonl", "--help-all")
    assert (done.returncode, done.stderr) == (0, "")
    assert aide("sample", "--help").stdout.count("--help-all") == 0, "all of its options are shown"


@pytest.mark.parametrize("spelled", ["--random-seed", "--seed"])
def test_the_random_seed_is_read_by_its_old_name(spelled: str) -> None:
    shown = json.loads(aide("config", "--json", spelled, "7").stdout)
    assert shown["random_seed"] == {"value": 7, "origin": "--random-seed"}
    assert "seed" not in shown
    assert json.loads(aide("config", "--json", f"{spelled}=7").stdout)["random_seed"]["value"] == 7


def test_a_config_file_and_a_variable_may_have_the_old_name(tmp_path: Path) -> None:
    (tmp_path / "old.toml").write_text("[tree]\nseed = 5\n")
    shown = json.loads(aide("config", "--json", "--config", str(tmp_path / "old.toml")).stdout)
    assert shown["random_seed"] == {"value": 5, "origin": "old.toml, line 2"}
    assert json.loads(aide("config", "--json", AIDE_SEED="6").stdout)["random_seed"]["value"] == 6
