"""`aide trace` on texts that would harm a terminal."""

import json
import re
import subprocess
import sys
from pathlib import Path

from unit.report.folders import SEED, hostile


def trace(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "aide", "trace", str(folder), *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_hostile_texts_are_shown_on_one_screen_and_act_on_nothing(tmp_path: Path) -> None:
    folder = hostile(tmp_path / "run").path
    screen = trace(folder, "bbbb")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202d\u202e]", screen)
    assert "<script>alert('owned')</script>" in screen
    assert len(screen.splitlines()) < 30
    assert max(map(len, screen.splitlines())) < 1300  # the text of a million characters is cut
    assert not re.search("[\x1b\x07\u202e]", trace(folder, "bbbb", "--prompts"))


def test_the_way_as_json_runs_from_the_seed_to_the_record_with_cost(tmp_path: Path) -> None:
    told = json.loads(trace(hostile(tmp_path / "run").path, "bbbb", "--json"))
    assert [step["id"][:4] for step in told["way"]] == [SEED[:4], "aaaa", "bbbb"]
    assert [step["kind"] for step in told["way"]] == ["seed", "accepted", "accepted"]
    assert told["way"][1]["tokens"] == {"prompt": 10, "completion": 4}
    assert told["way"][1]["cost"] == 0.25
