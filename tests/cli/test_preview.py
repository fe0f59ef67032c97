"""`aide preview`: a few records before the run, whose answers the run does not pay for again."""

import json
import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from aide.run.preview import KEPT_DAYS, forget_old_previews
from cli.shell import SEEDS, aide
from runs import simulate

WORDS = SEEDS / "word_problems.jsonl"


class Place:
    """A folder with a cache of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def aide(self, *words: str | Path) -> CompletedProcess[str]:
        return aide(*words, cwd=self.path, XDG_CACHE_HOME=str(self.path / "cache"))

    def preview(self, *words: str | Path) -> dict[str, object]:
        done = self.aide("preview", WORDS, "--base-url", "sim:", *words, "--json")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def run(self, name: str, *words: str) -> Counter[bool]:
        """Grow a run; how many of its answers were taken over, and how many were not."""
        done = self.aide("expand", WORDS, "--base-url", "sim:", *words, "-o", name, "--quiet")
        assert done.returncode == 0, done.stderr
        with closing(sqlite3.connect(self.path / name / "journal.sqlite")) as journal:
            return Counter(bool(reused) for (reused,) in journal.execute("SELECT reused FROM calls"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_five_records_of_different_operations_and_what_the_run_would_take(place: Place) -> None:
    done = place.aide("preview", WORDS, "--base-url", "sim:", "--price", "1/2", "-o", "mine.aide")
    assert done.returncode == 0, done.stderr
    grown = [line.split(":")[0].split()[-1] for line in done.stdout.splitlines() if "grown by" in line]
    assert sorted(grown) == ["concretize", "constraint", "persona", "plain", "reasoning"]
    assert done.stdout.count("  seed ") == done.stdout.count("  grades ") == 5
    seeds = [line.split(None, 1)[1] for line in done.stdout.splitlines() if line.startswith("  seed ")]
    assert len(set(seeds)) >= 3, "guided records of one seed would show one corner of the task"
    *_, spent, run, following = done.stdout.splitlines()
    assert spent.startswith("this preview: ") and spent.endswith("USD")
    assert run.startswith("the run: 1,000 records; about ")
    assert following == f"next: aide expand {WORDS} --base-url sim: --price 1/2 -o mine.aide"
    assert not (place.path / "mine.aide").exists(), "nothing is fixed before the run"


def test_the_run_takes_over_what_the_preview_was_answered(place: Place) -> None:
    fresh = place.run("before", "--target", "60")
    asked = place.preview("--target", "60")
    after = place.run("after", "--target", "60")
    assert fresh[True] == 0
    assert after[True] >= int(str(asked["calls"])) / 2
    assert after[False] <= fresh[False] - after[True] + 10, (
        "only what depends on the order of answers is asked anew"
    )


def test_that_answers_are_taken_over_is_said_where_they_are(place: Place) -> None:
    place.preview("--target", "60")
    words = ("expand", WORDS, "--base-url", "sim:", "--target", "60", "-o", "run")
    told = "answers of `aide preview` to the same calls are taken over"
    assert place.aide(*words, "--max-calls", "20").stderr.count(told) == 1


def test_everything_may_be_changed_after_a_preview(place: Place) -> None:
    place.preview("--target", "60")
    told = place.aide(
        "expand",
        WORDS,
        "--base-url",
        "sim:",
        "--task",
        "Solve it.",
        "--target",
        "20",
        "--hops",
        "1",
        "-o",
        "other",
    )
    assert told.returncode == 0, told.stderr
    assert "are taken over" not in told.stderr, "another task makes other calls"


def test_a_second_look_asks_nothing_and_other_settings_ask_anew(place: Place) -> None:
    first, second = place.preview(), place.preview()
    assert second["calls"] == first["calls"]
    assert second["records"] == first["records"]
    other = place.preview("--task", "Solve it.")
    assert other["folder"] != first["folder"]


def test_card_and_precheck_of_a_preview_are_those_of_the_run(place: Place) -> None:
    with simulate() as url:
        words = (SEEDS / "support_tickets_de.jsonl", "--base-url", url, "--model", "m", "--target", "20")
        assert place.aide("preview", *words).returncode == 0
        done = place.aide("expand", *words, "-o", "run", "--quiet")
    assert done.returncode in (0, 6), done.stderr
    with closing(sqlite3.connect(place.path / "run" / "journal.sqlite")) as journal:
        paid = journal.execute("SELECT count(*) FROM calls WHERE step = 'card' AND NOT reused").fetchone()
        taken = journal.execute("SELECT count(*) FROM calls WHERE step = 'reflect' AND reused").fetchone()
    assert paid == (0,)
    assert taken[0] > 0


def test_a_preview_that_can_not_be_read_is_none(place: Place) -> None:
    folder = Path(str(place.preview("--target", "20")["folder"]))
    (folder / "journal.sqlite").write_bytes(b"no database")
    for suffix in ("-wal", "-shm"):
        (folder / f"journal.sqlite{suffix}").unlink(missing_ok=True)
    assert place.run("run", "--target", "20")[True] == 0


def test_previews_are_forgotten_after_a_month(tmp_path: Path) -> None:
    for name, days in (("old", KEPT_DAYS + 1), ("new", KEPT_DAYS - 1)):
        (tmp_path / name / "x").mkdir(parents=True)
        file = tmp_path / name / "x" / "journal.sqlite"
        file.touch()
        for path in (file, file.parent):
            os.utime(path, (1e9 - days * 86_400, 1e9 - days * 86_400))
    forget_old_previews(tmp_path, now=1e9)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    forget_old_previews(tmp_path / "nowhere", now=1e9)


def test_what_is_wrong_is_told_before_anything_is_asked(place: Place) -> None:
    done = place.aide("preview", "nowhere.jsonl", "--base-url", "sim:")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no file nowhere.jsonl" in done.stderr
    assert place.aide("preview", WORDS).returncode == 2
