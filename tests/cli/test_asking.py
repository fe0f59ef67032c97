"""The precheck and the commands that ask about given records, as a person uses them.

The simulator answers, but for the precheck: whether a key is right needs an endpoint that knows the quiz.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aide.journal import Journal
from aide.seeds import load_seeds
from aide.simulator import Simulator, SimulatorSettings
from aide.simulator.request import read_request
from endpoints.beside import Reply, Station, beside

ROOT = Path(__file__).parents[2]
QUIZ = ROOT / "sample_seeds" / "science_quiz.jsonl"
PROSE = ROOT / "sample_seeds" / "plain_explanations.jsonl"
SUMS = ROOT / "sample_seeds" / "word_problems.jsonl"


@pytest.fixture
def aide(tmp_path: Path) -> "Aide":
    return Aide(tmp_path)


class Aide:
    """The command in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            **os.environ,
            "XDG_STATE_HOME": str(folder / "state"),
            "PYTHONPATH": str(ROOT / "src"),
        }

    def __call__(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "aide", *words]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )


def wrong_key(folder: Path) -> Path:
    """The quiz with a wrong key in its third question."""
    rows = [json.loads(line) for line in QUIZ.read_text(encoding="utf-8").splitlines()]
    rows[2]["output"] = next(choice for choice in rows[2]["choices"] if choice != rows[2]["output"])
    path = folder / "quiz.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def knows_the_quiz(done: int, headers: Mapping[str, str], body: Any) -> Reply | None:
    """Blind readings of somebody who knows the answers; all else is left to the simulator."""
    asked = read_request(body)
    if asked.step != "reflect":
        return None
    keys = {row["input"]: row["output"] for row in map(json.loads, QUIZ.read_text("utf-8").splitlines())}
    reply = Simulator(SimulatorSettings(low=0, reject=0)).answer(body)
    message = reply["choices"][0]["message"]
    readings = json.loads(message["content"])
    for reading, text in zip(readings["verdicts"], asked.numbered, strict=True):
        question, *options = text["text"].splitlines()
        reading["answer"] = next(line[0] for line in options if line[3:] == keys[question])
    message["content"] = json.dumps(readings)
    return 200, {}, reply


def test_the_precheck_names_the_wrong_key_and_min_exam_stops_before_a_record(aide: Aide) -> None:
    seeds = wrong_key(aide.folder)
    with beside(Station(twist=knows_the_quiz).serving()) as url:
        words = ("expand", str(seeds), "--base-url", url, "--model", "m", "--target", "4", "-o", "run")
        stopped = aide(*words, "--min-exam", "1")
        again = aide(*words, "--min-exam", "1", "--max-calls", "31")
    assert stopped.returncode == 4
    assert "the model got 9 of 10 seeds right, the judge finds no fault in 10 of 10" in stopped.stderr
    assert "quiz-03: the seed says" in stopped.stderr
    assert "hint:" in stopped.stderr
    assert not list((aide.folder / "run" / "shards").glob("*.jsonl"))
    assert again.returncode == 4, "the precheck was journaled: none of its calls is made again"


def test_the_plain_simulator_has_no_precheck(aide: Aide) -> None:
    done = aide("expand", str(QUIZ), "--base-url", "sim:", "--target", "2", "-o", "run")
    assert (done.returncode, "precheck:" in done.stderr) == (0, False)


def test_answer_and_grade_pipe_and_pay_once(aide: Aide) -> None:
    asked = "".join(
        json.dumps({"id": row["id"], "input": row["input"], "mine": 1}) + "\n"
        for row in map(json.loads, SUMS.read_text(encoding="utf-8").splitlines())
    )
    words = ("answer", "-", "--seeds", str(SUMS), "--base-url", "sim:?wrong=0")
    first = aide(*words, given=asked)
    assert first.returncode == 0, first.stderr
    rows = [json.loads(line) for line in first.stdout.splitlines()]
    assert [row["id"] for row in rows] == [json.loads(line)["id"] for line in asked.splitlines()]
    assert all(row["output"] and row["mine"] == 1 and row["scores"]["agreement"] == "2/2" for row in rows)
    again = aide(*words, given=asked)
    assert again.stdout == first.stdout
    assert "10 records, 0 calls" in again.stderr
    graded = aide("grade", "-", "--seeds", str(SUMS), "--base-url", "sim:", given=first.stdout)
    assert all(json.loads(line)["verdict"]["correct"] for line in graded.stdout.splitlines())


@pytest.mark.parametrize("recipe", ["documents", "chain", "retrieval"])
def test_a_recipe_that_is_meant_for_expand_changes_nothing(aide: Aide, recipe: str) -> None:
    tickets = str(ROOT / "sample_seeds" / "support_tickets_de.jsonl")
    for words in (("answer", tickets), ("grade", tickets)):
        plain = aide(*words, "--base-url", "sim:")
        assert plain.returncode == 0, plain.stderr
        file = aide.folder / "mine.toml"
        file.write_text(f'recipe = "{recipe}"\ncontexts = ["gone.txt"]\n', encoding="utf-8")
        named = aide(*words, "--base-url", "sim:", "--config", str(file))
        assert named.stdout == plain.stdout, named.stderr
        assert "0 calls" in named.stderr
    aide.environ["AIDE_RECIPE"] = recipe
    assert aide("answer", tickets, "--base-url", "sim:").stdout


def test_a_record_is_graded_beside_the_seed_it_names_and_else_beside_the_nearest(aide: Aide) -> None:
    first, *_, last = load_seeds([str(SUMS)]).seeds
    row = {"input": last.draft.input.rstrip("?") + ", then?", "output": last.draft.output}
    shown = []
    for lineage in ({"seed_id": first.id}, {"seed_id": "gone"}):
        given = json.dumps({**row, "lineage": lineage})
        words = ("--seeds", str(SUMS), "--base-url", "sim:", "--journal", lineage["seed_id"])
        done = aide("grade", "-", *words, given=given)
        assert done.returncode == 0, done.stderr
        with Journal.open(aide.folder / lineage["seed_id"] / "journal.sqlite", readonly=True) as journal:
            (call,) = (call for call in journal.read_calls() if "<parent>" in call.user)
        shown.append([seed.draft.input in call.user for seed in (first, last)])
    assert shown == [[True, False], [False, True]]


def test_standard_input_alone_does_not_say_what_the_task_is(aide: Aide) -> None:
    refused = aide("answer", "-", "--base-url", "sim:", given='{"input": "1 + 1"}\n')
    assert (refused.returncode, "--seeds" in refused.stderr) == (2, True)


def test_calibrate_finds_the_grades_that_fit_a_person(aide: Aide) -> None:
    graded = aide("grade", str(PROSE), "--base-url", "sim:?low=0&reject=0")
    rows = [json.loads(line) for line in graded.stdout.splitlines()]
    least = sorted(row["scores"]["diversity"] for row in rows)[len(rows) // 2]
    marked = aide.folder / "marked.jsonl"
    for row in rows:
        row["mark"] = "good" if row["scores"]["diversity"] >= least else "bad"
    marked.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    done = aide("calibrate", str(marked), "--base-url", "sim:?low=0&reject=0", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["best"]["agreed"] == 10
    assert found["now"]["of"] == 10
    bare = aide("calibrate", "--labels", str(PROSE), "--base-url", "sim:")
    assert (bare.returncode, "plain_explanations.jsonl:1" in bare.stderr) == (2, True)


# --- a student ------------------------------------------------------------------------------------------------


def weak_student(done: int, headers: Mapping[str, str], body: Any) -> Reply | None:
    """A student that knows one label and says it to everything."""
    assert read_request(body).step in ("answer", "check"), "a student is asked for answers alone"
    said = {"role": "assistant", "content": '{"label": "Rechnung"}'}
    return 200, {}, {"model": "small", "choices": [{"index": 0, "message": said, "finish_reason": "stop"}]}


def test_a_student_s_answers_tell_the_difficulty_and_more_draws_cost_the_difference(aide: Aide) -> None:
    tickets = ROOT / "sample_seeds" / "support_tickets_de.jsonl"
    rows = [json.loads(line) for line in tickets.read_text(encoding="utf-8").splitlines()]
    with beside(Station(twist=weak_student).serving()) as url:
        words = ("grade", str(tickets), "--student", url, "--student-model", "small")
        first, again, more = aide(*words, "--draws", "2"), aide(*words, "--draws", "2"), aide(*words)
    assert first.returncode == 0, first.stderr
    graded = [json.loads(line) for line in first.stdout.splitlines()]
    assert [row["scores"]["difficulty"] for row in graded] == [
        float(row["output"] != "Rechnung") for row in rows
    ]
    assert graded[0]["student"] == {
        "model": "small", "draws": 2, "right": int(rows[0]["output"] == "Rechnung"), "answers": ["Rechnung"] * 2,
    }  # fmt: skip
    assert f"{len(rows)} records, {2 * len(rows)} calls" in first.stderr, "no call for a task card either"
    assert (again.stdout, f"{len(rows)} records, 0 calls" in again.stderr) == (first.stdout, True)
    assert f"{len(rows)} records, {2 * len(rows)} calls" in more.stderr

    (aide.folder / "graded.jsonl").write_text(first.stdout, encoding="utf-8")
    easy = aide("filter", "graded.jsonl", "--difficulty", "easy")
    assert {json.loads(line)["output"] for line in easy.stdout.splitlines()} == {"Rechnung"}
    spread = aide("sample", "graded.jsonl", "-n", "4", "--difficulty", "spread", "--order", "difficulty")
    assert [json.loads(line)["scores"]["difficulty"] for line in spread.stdout.splitlines()] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((str(PROSE), "--student", "sim:"), "answers of the format free_text can't be compared"),
        ((str(QUIZ), "--student", "sim:", "--base-url", "sim:"), "--base-url is not asked with --student"),
        ((str(QUIZ), "--student", "sim:", "--model", "m"), "--model is not asked with --student"),
        ((str(QUIZ), "--base-url", "sim:", "--draws", "3"), "--draws has no effect without --student"),
        ((str(QUIZ), "--student", "nowhere"), "--student: 'nowhere' is no URL"),
    ],
)
def test_what_a_student_can_not_be_asked_is_told_before_anything_is_spent(
    aide: Aide, words: tuple[str, ...], told: str
) -> None:
    refused = aide("grade", *words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert told in refused.stderr.splitlines()[0]
    assert refused.stderr.splitlines()[1].startswith("hint: ")
    assert not (aide.folder / "state").exists()


def test_a_student_gets_the_task_card_of_the_run_that_the_records_came_from(aide: Aide) -> None:
    grown = aide("expand", str(QUIZ), "--base-url", "sim:", "--target", "4", "-o", "run", "--quiet")
    assert grown.returncode == 0, grown.stderr
    card = aide.folder / "run" / "task.toml"
    done = aide("grade", "run", "--student", "sim:", "--journal", "tried", "--draws", "1")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 4), done.stderr
    task = [line for line in card.read_text("utf-8").splitlines() if line.startswith("task = ")]
    assert task[0] in (aide.folder / "tried" / "task.toml").read_text(encoding="utf-8")
