"""`--engine ray`: what it refuses before anything is spent."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from cli.shell import SEEDS, SIM, aide

TEXTS = SEEDS / "plain_explanations.jsonl"


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_the_command_that_installs_it_is_told(tmp_path: Path) -> None:
    done = aide("expand", TEXTS, "--base-url", SIM, "--engine", "ray", "-o", tmp_path / "run")
    assert done.returncode == 2
    assert "--engine ray needs Ray, which is not installed" in done.stderr
    assert "hint: pip install 'aide-expand[ray]'" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-o", "-"), "-o - streams the records of one process"),
        (("--partition", "0/2"), "--engine ray runs all parts"),
        (("--batch", "files:waves"), "--batch needs one process alone"),
    ],
)
def test_what_can_not_be_divided_is_refused(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    out = () if "-o" in words else ("-o", tmp_path / "run")
    done = aide("expand", TEXTS, "--base-url", SIM, "--engine", "ray", *words, *out)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr


def test_seeds_that_only_one_process_can_read_are_refused(tmp_path: Path) -> None:
    given = TEXTS.read_text(encoding="utf-8")
    done = aide("expand", "-", "--base-url", SIM, "--engine", "ray", "-o", tmp_path / "run", stdin=given)
    assert done.returncode == 2
    assert "seeds from a stream can be read by one process alone" in done.stderr


def test_parts_need_a_cluster(tmp_path: Path) -> None:
    done = aide("expand", TEXTS, "--base-url", SIM, "--parts", "2", "-o", tmp_path / "run")
    assert done.returncode == 2
    assert "--parts divides a run on a cluster" in done.stderr
    assert "hint: add --engine ray" in done.stderr
