"""SIGKILL while a person decides: what the page was told to be kept is kept."""

import json
import signal
import threading
from pathlib import Path
from random import Random

from aide.dataset.reviews import Reviews
from cli.shell import Running
from unit.review.folders import ask_server, make_record, write_folder

RECORDS, KILLS, WINDOWS = 400, 8, 3


def decide(url: str, numbers: list[int], told: dict[str, str], enough: threading.Semaphore) -> None:
    """Decide one after the other, and note what the server said is kept, until it is gone."""
    for number in numbers:
        verdict = "accept" if number % 2 else "reject"
        try:
            answer = ask_server(url, "decide", {"n": number, "verdict": verdict, "seen": 0})
        except OSError:
            return
        told[answer["changed"][0]["id"]] = verdict
        enough.release()


def test_every_decision_that_was_told_survives_kills_in_the_middle_of_others(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "run", [make_record(f"r{n}", f"Text {n}") for n in range(RECORDS)])
    dice = Random(5)
    told: dict[str, str] = {}
    for _ in range(KILLS):
        enough = threading.Semaphore(0)
        with Running("review", folder.path, "--no-browser") as page:
            page.until("stdout", 1)
            url = page.lines["stdout"][0].strip()
            rows = ask_server(url, "choose", {"state": "to do"})["numbers"]
            windows = [
                threading.Thread(target=decide, args=(url, rows[n::WINDOWS], told, enough))
                for n in range(WINDOWS)
            ]
            for window in windows:
                window.start()
            assert all(enough.acquire(timeout=60) for _ in range(dice.randint(3, 25)))
            page.send(signal.SIGKILL)
            for window in windows:
                window.join(60)
        kept = {id: review["verdict"] for id, review in Reviews.read(folder.path).decided.items()}
        assert told.items() <= kept.items()
    lines = (folder.path / "reviews.jsonl").read_bytes().split(b"\n")
    assert len({json.loads(line)["id"] for line in lines[:-1]}) == len(lines) - 1
