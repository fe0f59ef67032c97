"""`aide demo`: recorded runs, played back and shown, with nothing but what the package ships."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from rich.console import Console

from aide.cli.demo import GROWTH, play
from aide.demo import open_demo, read_recordings, read_replay
from aide.demo.recording import FACTS
from cli.shell import ROOT, aide, bash, environment

NAMES = ("plain_explanations", "word_problems")
KILOBYTES = 400


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the demo was run, and what it said."""
    here = tmp_path_factory.mktemp("demo")
    done = aide("demo", cwd=here)
    assert (done.returncode, done.stderr) == (0, "")
    return here, done.stdout


def test_it_says_what_it_is_and_shows_a_tree_a_mended_text_and_the_balance(shown: tuple[Path, str]) -> None:
    here, said = shown
    assert said.startswith("A recording of real runs of ")
    assert "checked by nobody" in said and "\x1b" not in said
    heads = [
        f"{NAMES[0]}: ",
        f"{NAMES[1]}: ",
        "One seed of ",
        "A text that did not pass",
        "What it took",
        "Next",
    ]
    assert sorted(places := [said.index(head) for head in heads]) == places
    tree = said[said.index("One seed of ") : said.index("A text that did not pass")]
    assert len(re.findall(r"^[├└]── hop 1, ", tree, re.MULTILINE)) == 3
    assert len(re.findall(r"└── hop 2, ", tree)) == 1
    assert re.search(r"^  judge  \S.{20}", said, re.MULTILINE)
    records = sum(
        len((here / "aide-demo" / name / "shards" / "part-00000.jsonl").read_text().splitlines())
        for name in NAMES
    )
    assert re.search(rf"^  together +{records} records, .* tokens in", said, re.MULTILINE)
    assert re.search(r"0\.\d\d USD with gpt-6-sol", said)
    for name in NAMES:
        assert f"aide-demo/{name}/report.html" in said
        assert (here / "aide-demo" / name / "report.html").stat().st_size > 50_000


def test_the_commands_that_come_next_run_as_they_stand(shown: tuple[Path, str]) -> None:
    here, said = shown
    following = said[said.index("\nNext") : said.index("With your own")]
    commands = re.findall(r"^  (aide .+)$", following, re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["records", "plan", "expand"]
    for command in commands:
        done = bash(command, cwd=here)
        assert done.returncode == 0, f"{command}\n{done.stderr}"


@pytest.mark.parametrize(
    "command",
    [
        "report DIR -o other.html",
        "records DIR -n 3 --json",
        "stats DIR",
        "status DIR",
        "export DIR --to messages",
        "filter DIR --hop 2",
        "split DIR -o parts",
        "prune DIR --where hop==2 --dry-run",
        "trace DIR {id} --prompts",
    ],
)
def test_other_commands_work_on_what_was_unpacked(shown: tuple[Path, str], command: str) -> None:
    here, _ = shown
    folder = here / "aide-demo" / NAMES[1]
    first = json.loads((folder / "shards" / "part-00000.jsonl").read_text().splitlines()[0])
    words = command.replace("DIR", str(folder)).format(id=first["id"]).split()
    done = aide(*words, cwd=here)
    assert done.returncode == 0, done.stderr
    assert done.stdout or done.stderr


def test_statistics_find_the_seeds_that_the_runs_grew_from(shown: tuple[Path, str]) -> None:
    done = aide("stats", shown[0] / "aide-demo" / NAMES[0])
    assert "likeness to the seeds" in done.stdout


def test_a_second_demo_shows_the_same_and_leaves_what_a_person_put_there(tmp_path: Path) -> None:
    first = aide("demo", "-o", "mine", cwd=tmp_path)
    reviews = tmp_path / "mine" / NAMES[0] / "reviews.jsonl"
    reviews.write_text('{"id": "74372db85fabfdd24fa9", "verdict": "accept"}\n')
    (tmp_path / "mine" / "train.jsonl").write_text("{}\n")
    shards = tmp_path / "mine" / NAMES[0] / "shards" / "part-00000.jsonl"
    before = shards.stat().st_mtime_ns
    second = aide("demo", "-o", "mine", cwd=tmp_path)
    assert (second.returncode, second.stdout) == (0, first.stdout)
    assert reviews.exists() and shards.stat().st_mtime_ns == before


def put_own_file(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")


def put_other_recording(folder: Path) -> None:
    open_demo(folder, read_recordings())
    facts = folder / NAMES[1] / FACTS
    facts.write_text(json.dumps({**json.loads(facts.read_text()), "date": "2020-01-01"}))


def put_own_folder(folder: Path) -> None:
    (folder / NAMES[0]).mkdir(parents=True)


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (put_own_file, "is not empty and holds no demo"),
        (put_other_recording, "holds another recording"),
        (put_own_folder, "holds something else"),
        (lambda folder: folder.write_text("a file"), "is a file"),
    ],
)
def test_what_is_in_the_way_is_left_alone(tmp_path: Path, put: Callable[[Path], object], words: str) -> None:
    folder = tmp_path / "aide-demo"
    put(folder)
    before = sorted(folder.rglob("*"))
    done = aide("demo", cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr and "-o DIR" in done.stderr
    assert sorted(folder.rglob("*")) == before


def test_what_a_killed_demo_left_half_unpacked_is_unpacked_anew(tmp_path: Path) -> None:
    half = tmp_path / "aide-demo" / f".{NAMES[0]}.unpacking"
    half.mkdir(parents=True)
    (half / "run.json").write_text("{")
    done = aide("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in half.parent.iterdir()) == sorted(NAMES)


def test_a_reader_who_leaves_early_is_no_error(tmp_path: Path) -> None:
    done = bash("aide demo | head -n 1", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("A recording of ")


@pytest.mark.parametrize("width", [80, 120])
def test_on_a_terminal_it_is_played_within_half_a_minute(tmp_path: Path, width: int) -> None:
    pauses: list[float] = []
    recordings = read_recordings()
    for folder in open_demo(tmp_path / "demo", recordings).values():
        screen = StringIO()
        console = Console(file=screen, force_terminal=True, width=width, height=40, color_system=None)
        play(console, read_replay(folder), pauses.append)
        drawn = screen.getvalue()
        assert re.search(r"accepted 60 / 60 .* a recording, sped up", drawn)
        assert len(set(re.findall(r"input  (\S.*)", drawn))) >= 5, "records roll by"
        assert max(map(len, re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", drawn).splitlines())) <= width
    assert len(recordings) * GROWTH < sum(pauses) < 30


def test_an_interruption_ends_the_picture_and_leaves_the_folder_whole(tmp_path: Path) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=80, height=40, color_system=None)
    folder = open_demo(tmp_path / "demo", read_recordings())[NAMES[0]]
    with pytest.raises(KeyboardInterrupt):
        play(console, read_replay(folder), interrupt)
    assert screen.getvalue().rindex("\x1b[?25h") > screen.getvalue().rindex("accepted"), "the cursor is back"
    assert aide("status", folder.path).stdout.startswith("state         finished")


def test_it_runs_from_the_wheel_alone(tmp_path: Path) -> None:
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    done = subprocess.run(
        [sys.executable, "-m", "aide", "demo"],
        cwd=tmp_path,
        env={**environment(), "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    manifest = json.loads((tmp_path / "aide-demo" / NAMES[0] / "run.json").read_text())
    assert manifest["seeds"][0]["path"].startswith(str(tmp_path / "installed")), "not from the checkout"


def test_the_recordings_are_small_and_say_what_they_are() -> None:
    recordings = read_recordings()
    assert sum(path.stat().st_size for path in recordings) < KILOBYTES * 1000
    assert tuple(each.name for each in recordings.values()) == NAMES
    for each in recordings.values():
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", each.date) and each.model and each.aide
        assert each.tree
    assert any(each.mended for each in recordings.values()), "a text that did not pass at once is shown"
