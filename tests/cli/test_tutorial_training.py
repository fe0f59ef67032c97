"""The tutorial's last lines, in TRL: both students are trained and asked the test set, with a tiny student."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.shell import ROOT, environment
from cli.test_exports_page import TINY_MODEL
from cli.test_howto_pages import run_page


def test_both_students_of_the_tutorial_are_trained_and_scored(tmp_path: Path) -> None:
    pytest.importorskip("trl.trainer.sft_config", reason="TRL is not here: make test-trainers")
    run_page("tutorial.md", tmp_path)
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    [lines] = [block for block in re.findall(r"^```sh\n(.*?)^```$", page, re.M | re.S) if "train.py" in block]
    lines = re.sub(r"^pip install .*\n", "", lines, flags=re.M)
    lines = re.sub(r"^STUDENT=.*$", 'STUDENT="$PWD/train/tiny"', lines, flags=re.M)
    (tmp_path / "tiny.py").write_text(TINY_MODEL)
    (tmp_path / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "bin" / "python").chmod(0o755)
    done = subprocess.run(
        ["bash", "-euc", f"(cd train && python ../tiny.py)\n{lines}"],
        env=environment(
            HF_HUB_OFFLINE="1",
            HF_HOME=str(tmp_path / "home"),
            PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        ),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    scored = re.findall(r"^(\d) of 6 right: (\S+)$", done.stdout, re.M)
    assert [name for _, name in scored] == ["untrained", "alone/student", "train/student"]
