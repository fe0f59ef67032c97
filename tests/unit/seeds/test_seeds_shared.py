"""Real task data, where it lies beside the project: every file loads, and its format is told by its shape."""

from pathlib import Path

import pytest

from aide.formats import detect_format
from aide.seeds import load_seeds

SHARED = Path(__file__).resolve().parents[4] / "shared"
FILES = sorted((*SHARED.glob("seeds/*.jsonl"), *SHARED.glob("gold/*.jsonl")))


@pytest.mark.shared
@pytest.mark.skipif(not FILES, reason="the shared task data is absent")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_format_is_found_without_its_field(path: Path) -> None:
    loaded = load_seeds([str(path)])
    assert not loaded.problems
    assert detect_format([seed.draft for seed in loaded.seeds]).name == loaded.format_hint
