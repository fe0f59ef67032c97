import json
import os
import re
from pathlib import Path

import pytest

from aide.verify.arithmetic import describe_miscalculation, find_miscalculations

RIGHT = [
    "3 x 4 = 12 boxes",
    "She has 2/3 × 12 = 8 left.",
    "It costs $1,200 * 3 = $3,600.",
    "Das macht 1.200,50 + 0,50 = 1.201 Euro.",
    "10 / 3 = 3.33, so 3.33 * 2 = 6.66",
    "10 / 3 = 3 full boxes",
    "5 + 4 = 9 + 3 = 12",
    "60 * 40/100 = <<60*40/100=24>>24",
    "24 * 25% = 6",
    "6 / 24 = 25%",
    "6 / 24 * 100 = 25%",
    "x - 3 = 7, so x = 7 + 3 = 10",
    "2x + 3 = 9",
    "There are 60 questions x 40/100 = 24 easy ones",
    "because ¾ x 3/3 = 9/12",
    "5 cars + 3 + 2 = 10 cars",
    "the LCM of 6, 8 and 10 = 2^3 * 3 * 5 = 120",
    r"\(\frac{3}{4} \times 8 = 6\)",
    "1 1/2 + 2 = 3 1/2",
    "2 ** 10 = 1024 and 2^5 = 32",
    "a = 7\nb = 9 / 0 = 3",
    "-3 + 5 = 2",
    "12 / (2 + 2) = 3",
    "Of 24 people, 1/2 = 12 are women",
    "half of 8 + 4 = 6, third of 6 + 3 = 3",
    "So, 1,200 + 5 = 1,205",
]
WRONG = [
    ("3 x 4 = 13 boxes", "12"),
    ("He pays 5 + <<5+6=12>>12 dollars", "11"),
    ("It costs $1,200 * 3 = $3,500.", "3600"),
    ("10 / 4 = 2.4", "2.5"),
    ("So, 19 - 5 = 24 people got on.", "14"),
    ("She has a total of 8+24 = 34 points.", "32"),
    ("Then 2 * (3 + 4) = 15 = 5 * 3", "14"),
    ("0.5 * 9 = 6", "4.5"),
    ("5 − 8 = 3", "-3"),
    ("Lamps: 17 * 3 = 52\nFinal: 52 + 1 = 53", "51"),
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_holds_or_cannot_be_read_is_never_flagged(text: str) -> None:
    assert find_miscalculations(text) == []


@pytest.mark.parametrize(("text", "value"), WRONG)
def test_a_wrong_line_is_found_and_its_value_told(text: str, value: str) -> None:
    assert [each.value for each in find_miscalculations(text)][:1] == [value]
    assert value in describe_miscalculation(text)


def test_a_hostile_solution_costs_no_time() -> None:
    assert (
        find_miscalculations("9^9^9^9^9 = 1\n" + "(" * 5000 + "1 = 2\n" + "1+" * 20_000 + "1 = 20001") == []
    )


@pytest.mark.shared
@pytest.mark.skipif("AIDE_TASKS" not in os.environ, reason="AIDE_TASKS names no folder of task data")
def test_no_solution_that_people_wrote_is_flagged_and_most_planted_faults_are_found() -> None:
    lines = (Path(os.environ["AIDE_TASKS"]) / "gold/gsm8k.jsonl").read_text(encoding="utf-8").splitlines()
    solutions = [json.loads(line)["output"] for line in lines]
    assert [text for text in solutions if find_miscalculations(text)] == []
    planted = found = 0
    for text in solutions:
        marks = list(re.finditer(r"=(\d+)>>\d+", text))
        if marks:
            mark = marks[len(marks) // 2]
            value = int(mark[1]) + 7
            planted += 1
            found += bool(
                find_miscalculations(f"{text[: mark.start()]}={value}>>{value}{text[mark.end() :]}")
            )
    assert planted > 900
    assert found >= 0.97 * planted
