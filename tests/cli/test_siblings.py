"""`--siblings aware`: each prompt names what the other children of its parent are about."""

import json
import re
from pathlib import Path

from aide.journal import Journal
from cli.shell import SEEDS, SIM, aide


def prompts(folder: Path) -> list[str]:
    """The synthesis prompts of a run, as they stand in its journal."""
    with Journal.open(folder / "journal.sqlite", readonly=True) as journal:
        return [call.user for call in journal.read_calls() if call.step == "synthesize"]


def test_each_prompt_names_what_the_others_are_about_and_the_same_when_run_again(tmp_path: Path) -> None:
    alone = ("--plain-share", "0", "--together", "1")
    wanted = ("--base-url", SIM, "--target", "all", "--hops", "1", *alone, "--no-exam", "--quiet")
    few = tmp_path / "few.jsonl"
    few.write_text(
        "".join((SEEDS / "word_problems.jsonl").read_text(encoding="utf-8").splitlines(True)[:2]),
        encoding="utf-8",
    )
    seen = []
    for name, how in (("apart", "apart"), ("aware", "aware"), ("again", "told")):
        done = aide("expand", few, *wanted, "--siblings", how, "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
        seen.append(sorted(prompts(tmp_path / name)))
    apart, aware, again = seen
    assert not any("others take up" in prompt for prompt in apart)
    assert aware == again  # `told` is the word of 0.1
    for prompt in aware:
        [(own, others)] = re.findall(r'<line n="1">(.*?) \(others take up: (.*?)\)', prompt)
        taken = others.split("; ")
        assert len(taken) >= 3
        assert own.partition(";")[0].rpartition(" ")[2] not in taken
    assert (
        json.loads((tmp_path / "aware" / "run.json").read_text(encoding="utf-8"))["fingerprint"]["siblings"]
        == '"aware"'
    )
