"""Seeds that come later: of a label that the card lacks, or of another task altogether."""

import json
from collections import Counter
from pathlib import Path

import pytest

from cli.shell import SEEDS, SIM, aide
from runs import records, summary

FIRST = [("I can't log in", "login"), ("My password fails", "login"), ("Where is my parcel?", "shipping"),
         ("The parcel came broken", "shipping")]  # fmt: skip
LATER = [
    ("I want my money back", "refund"),
    ("please refund the order", "refund"),
    ("The page is blank", "login"),
]


def write(path: Path, rows: list[tuple[str, str]]) -> Path:
    path.write_text("".join(json.dumps({"input": said, "output": label}) + "\n" for said, label in rows))
    return path


@pytest.fixture
def grown(tmp_path: Path) -> tuple[str | Path, ...]:
    """A command that has grown 20 records of two labels, whose seed file has got a third since."""
    seeds = write(tmp_path / "seeds.jsonl", FIRST)
    command = ("expand", seeds, "--base-url", SIM, "-o", tmp_path / "run", "--quiet", "--duplicates", "off")
    assert aide(*command, "--target", "20").returncode == 0
    write(seeds, [*FIRST, *LATER])
    return command


def test_seeds_of_a_new_label_wait_and_are_named(grown: tuple[str | Path, ...], tmp_path: Path) -> None:
    done = aide(*grown, "--target", "40")
    assert done.returncode == 0, done.stderr
    assert Counter(each["output"] for each in records(tmp_path / "run")) == {"login": 20, "shipping": 20}
    assert summary(tmp_path / "run")["waiting_labels"] == {"refund": 2}
    assert "refund" not in (tmp_path / "run" / "task.toml").read_text()


def test_a_new_label_is_taken_in_on_request_and_stays(grown: tuple[str | Path, ...], tmp_path: Path) -> None:
    assert aide(*grown, "--target", "60", "--new-labels", "add").returncode == 0
    assert Counter(each["output"] for each in records(tmp_path / "run"))["refund"] == 20
    assert aide(*grown, "--target", "66").returncode == 0, "without the option, too"
    assert summary(tmp_path / "run")["waiting_labels"] == {}


def test_labels_that_wait_in_a_finished_run_are_taken_in_without_another_target(
    grown: tuple[str | Path, ...], tmp_path: Path
) -> None:
    done = aide(*grown, "--target", "40")
    assert done.returncode == 0, done.stderr
    assert "refund" in aide("status", tmp_path / "run").stdout
    done = aide(*grown, "--target", "40", "--new-labels", "add")
    assert done.returncode == 0, done.stderr
    assert summary(tmp_path / "run")["waiting_labels"] == {}
    assert "refund" in (tmp_path / "run" / "task.toml").read_text()


def test_human_data_that_is_named_after_the_end_is_measured_and_costs_nothing(
    grown: tuple[str | Path, ...], tmp_path: Path
) -> None:
    people = write(tmp_path / "people.jsonl", [*FIRST, *LATER])
    calls = summary(tmp_path / "run")["calls"]
    write(tmp_path / "seeds.jsonl", FIRST)
    for _ in range(2):
        done = aide(*grown, "--target", "20", "--human", people)
        assert done.returncode == 0, done.stderr
    assert summary(tmp_path / "run")["distribution"]["human"]["size"] == len(people.read_text().splitlines())
    assert summary(tmp_path / "run")["calls"] == calls


def test_seeds_of_new_labels_alone_are_refused_and_the_run_stays_finished(
    grown: tuple[str | Path, ...], tmp_path: Path
) -> None:
    write(tmp_path / "seeds.jsonl", [*LATER[:2], ("The lamp is dark", "lamp"), ("My lamp broke", "lamp")])
    before = (tmp_path / "run" / "run.json").read_text()
    done = aide(*grown, "--target", "40")
    assert done.returncode == 2
    assert "no seed has a label of the folder's task card: they have lamp, refund" in done.stderr
    assert (tmp_path / "run" / "run.json").read_text() == before
    assert summary(tmp_path / "run")["accepted"] == 20


def test_other_columns_of_the_same_file_are_refused_by_name(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    rows = [f"{said},{label},{(n % 2 and 'web') or 'phone'}" for n, (said, label) in enumerate(FIRST)]
    table.write_text("\n".join(["said,team,source", *rows]))
    command = ("expand", table, "--base-url", SIM, "-o", tmp_path / "run", "--input-field", "said")
    assert aide(*command, "--output-field", "team", "--target", "6").returncode == 0
    for target in ("6", "8"):
        done = aide(*command, "--output-field", "source", "--target", target)
        assert done.returncode == 2
        assert "with --output-field team; with --output-field source every row" in done.stderr.replace(
            "\n", " "
        )
    assert "nothing to do" in aide(*command, "--output-field", "team", "--target", "6").stderr


def test_a_new_label_stops_the_run_on_request_and_the_summary_stays(
    grown: tuple[str | Path, ...], tmp_path: Path
) -> None:
    before = summary(tmp_path / "run")
    done = aide(*grown, "--target", "40", "--new-labels", "stop")
    assert done.returncode == 2
    assert "'refund'" in done.stderr
    assert "--new-labels add" in done.stderr
    assert summary(tmp_path / "run") == before


def test_seeds_of_another_task_do_not_get_into_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    sums, tickets = SEEDS / "word_problems.jsonl", SEEDS / "support_tickets_de.jsonl"
    command = ("--base-url", SIM, "-o", folder, "--quiet", "--target")
    assert aide("expand", sums, *command, "20").returncode == 0
    refused = aide("expand", tickets, *command, "40")
    assert refused.returncode == 2
    assert "grew from other seeds, of the format open; these are classification" in refused.stderr
    assert len(records(folder)) == 20
