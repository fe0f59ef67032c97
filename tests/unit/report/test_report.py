"""The report as a file: what it says, what it never holds, and how large it may be."""

import base64
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from aide.errors import InputError
from aide.journal import Journal
from aide.metrics.distribution import DistributionMeter
from aide.metrics.realism import RealismAnswer, score_realism
from aide.metrics.references import SEEDS
from aide.records import Draft
from aide.report import write_report
from aide.report.data import make_visible
from aide.report.gather import gather_facts, list_labels
from aide.run.folder import RunFolder
from aide.run.judge_groups import REAL
from unit.report.folders import HOSTILE, SEED, bulky, hostile, labelled, record

OURS = {"script", "style", "meta", "link", "title"}


class Elements(HTMLParser):
    """All elements with their attributes, and the texts of scripts by id."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.found[-1][0] if self.found else "", data))


def parsed(path: Path) -> Elements:
    elements = Elements()
    elements.feed(path.read_text(encoding="utf-8"))
    return elements


def unpacked(html: str) -> Any:
    packed = re.search(r'<script type="text/plain" id="data">([A-Za-z0-9+/=]+)</script>', html)
    assert packed
    return json.loads(zlib.decompress(base64.b64decode(packed[1])))


def test_hostile_texts_are_never_markup(tmp_path: Path) -> None:
    path = write_report(hostile(tmp_path / "run"))
    html = path.read_text(encoding="utf-8")
    elements = parsed(path)
    assert not [tag for tag, _ in elements.found if tag in ("img", "iframe", "object", "embed", "base")]
    assert all((attrs.get("href") or "").startswith("#") for tag, attrs in elements.found if tag == "a")
    handlers = {(tag, name) for tag, attrs in elements.found for name in attrs if name.startswith("on")}
    assert handlers == {("form", "onsubmit")}
    assert "javascript:" not in "".join(str(value) for _, attrs in elements.found for value in attrs.values())
    assert not re.search("[\x00\x07\x1b\u202a-\u202e\u2066-\u2069]", html)
    assert "⟨U+202E⟩gnp.exe" in html  # told, and without effect
    scripts = [tag for tag, _ in elements.found if tag == "script"]
    assert len(scripts) == 3  # records, one batch of calls, our own


def test_no_address_leads_out_of_the_file(tmp_path: Path) -> None:
    html = write_report(hostile(tmp_path / "run")).read_text(encoding="utf-8")
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?\s*(?:https?:)?//", html, re.IGNORECASE)
    assert not re.findall(r"@import|url\(", html)
    assert "default-src 'none'" in html


def test_long_texts_are_cut_and_say_so(tmp_path: Path) -> None:
    path = write_report(hostile(tmp_path / "run", long=1_000_000))
    assert path.stat().st_size < 300_000
    texts = [row[10] for row in unpacked(path.read_text(encoding="utf-8"))["records"]]
    assert any("more characters are in the run folder" in text for text in texts)


def test_a_report_stays_below_two_megabytes(tmp_path: Path) -> None:
    path = write_report(bulky(tmp_path / "run", 400))
    assert 1_000_000 < path.stat().st_size < 2_000_000
    html = path.read_text(encoding="utf-8")
    shown = len(unpacked(html)["records"])
    assert 100 <= shown < 400
    assert f"This file holds a sample of {shown} of 400 records" in html


def test_counts_reconcile_and_records_hang_on_their_parents(tmp_path: Path) -> None:
    html = write_report(hostile(tmp_path / "run")).read_text(encoding="utf-8")
    assert "accepted 2 + rejected 1 = 3 planned" in html
    data = unpacked(html)
    assert [seed[0] for seed in data["seeds"]] == [SEED]
    assert [(row[0][0], row[1], row[2]) for row in data["records"]] == [("a", 0, 1), ("b", 1, 2)]
    assert data["seeds"][0][4:6] == [1, 1]  # one child accepted, one rejected


def test_likeness_is_that_of_the_runs_own_meter(tmp_path: Path) -> None:
    folder = hostile(tmp_path / "run", long=3)
    with Journal.open(folder.journal, readonly=True) as journal:
        found = gather_facts(folder, journal)
        assert {hop: round(fmean(values), 3) for hop, values in found.likeness.items()} == {
            int(hop): round(mean["to_seed"], 3) for hop, mean in found.drift["by_hop"].items()
        }
        summary = json.loads(folder.summary.read_text())
        told = {"between_seeds": 0.125, "by_hop": {"1": {"records": 1, "to_seed": 0.875, "to_nearest": 0.9}}}
        folder.summary.write_text(json.dumps({**summary, "drift": told}))
        assert gather_facts(folder, journal).drift == told
        folder.summary.write_text(json.dumps({**summary, "drift": told, "accepted": 1}))
        assert gather_facts(folder, journal).drift == found.drift  # the summary is of an earlier run


def test_drift_by_embeddings_is_shown_beside_that_by_words(tmp_path: Path) -> None:
    folder = hostile(tmp_path / "run")
    assert "by embeddings" not in write_report(folder).read_text(encoding="utf-8")
    with Journal.open(folder.journal, readonly=True) as journal:
        told = dict(gather_facts(folder, journal).drift)
    told["meaning"] = {
        "between_seeds": 0.25,
        "by_hop": {"1": {"records": 1, "to_seed": 0.8125, "to_nearest": 0.9375}},
    }
    folder.summary.write_text(json.dumps({"accepted": 2, "drift": told}))
    html = write_report(folder).read_text(encoding="utf-8")
    assert "by embeddings (two seeds to each other: 0.250)" in html
    assert "0.812" in html
    assert "0.938" in html


def test_a_run_that_has_nothing_yet_says_so(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    Journal.open(folder.journal).close()
    html = write_report(folder).read_text(encoding="utf-8")
    for told in (
        "has not come to an end",
        "no candidate was planned yet",
        "no candidate has been settled yet",
        "no records yet",
    ):
        assert told in html


def test_human_data_are_shown_if_they_were_measured(tmp_path: Path) -> None:
    folder = hostile(tmp_path / "run")
    assert 'id="human"' not in write_report(folder).read_text(encoding="utf-8")
    figures = {"against": {"these": {"self_bleu": 0.5625, "length": {}}, "those": {"self_bleu": 0.25}}}
    (folder.path / "stats.json").write_text(json.dumps(figures))
    html = write_report(folder).read_text(encoding="utf-8")
    assert "Self-BLEU" in html
    assert "0.562" in html
    assert "0.250" in html


def test_the_distribution_is_shown_if_it_is_of_these_records(tmp_path: Path) -> None:
    folder = hostile(tmp_path / "run")
    assert 'id="distribution"' not in write_report(folder).read_text(encoding="utf-8")
    with Journal.open(folder.journal, readonly=True) as journal:
        accepted = gather_facts(folder, journal).accepted
    meter = DistributionMeter.of({SEEDS: [Draft("one two"), Draft("Is it three?")]}, "words", count_question)
    for _ in range(accepted):
        meter.add(Draft(f"{HOSTILE} is so long a text?"))
    realism = score_realism([RealismAnswer("plain", 1, 0.25, True, 3, HOSTILE)])
    summary = {"accepted": accepted, "distribution": meter.as_dict(), "realism": realism}
    folder.summary.write_text(json.dumps(summary))
    html = write_report(folder).read_text(encoding="utf-8")
    for told in ("longer than the seeds", "question", "1 of 1 records were told from real texts", "hop 1"):
        assert told in html
    assert HOSTILE not in html
    folder.summary.write_text(json.dumps({**summary, "accepted": accepted + 1}))
    assert 'id="distribution"' not in write_report(folder).read_text(encoding="utf-8")


def count_question(draft: Draft) -> dict[str, bool | int | str]:
    return {"question": "?" in draft.input}


def test_a_folder_without_a_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run folder"):
        write_report(RunFolder(tmp_path))


def test_shown_leaves_honest_text_alone() -> None:
    assert make_visible("two\nlines\tand שלום 漢字 é") == "two\nlines\tand שלום 漢字 é"
    assert "\x1b" not in make_visible(HOSTILE)
    assert make_visible("a" * 50, 10).startswith("a" * 10 + "…")


def test_labels_stand_beside_those_of_the_seeds_and_rejects_keep_their_text(tmp_path: Path) -> None:
    html = write_report(labelled(tmp_path / "run")).read_text(encoding="utf-8")
    data = unpacked(html)
    assert data["labels"] == ["bill", "card"]
    assert [row[17] for row in data["records"]] == [[1], [1], [1]]
    assert [(row[5], row[7], row[8]) for row in data["rejects"]] == [("off_task", "a lost text", [0])]
    assert data["reasons"] == ["off_task"]
    section = html[html.index('<section id="labels">') :]
    assert section.index("card") < section.index("bill")  # the most frequent first
    assert 'title="100% of the seeds"' in section[section.index("bill") :]
    assert "no record has the label bill" in html


def test_members_of_a_set_of_labels_count_one_by_one() -> None:
    assert list_labels('["food", "service"]') == ("food", "service")
    assert list_labels("food") == ("food",)
    assert list_labels("[no array") == ("[no array",)
    assert list_labels(None) == ()


def test_records_follow_the_figures_and_a_run_without_labels_has_no_such_section(tmp_path: Path) -> None:
    sections = re.compile(r'<section id="(\w+)"')
    html = write_report(labelled(tmp_path / "labelled")).read_text(encoding="utf-8")
    assert sections.findall(html)[:4] == ["opening", "records", "labels", "map"]
    html = write_report(bulky(tmp_path / "other", 1)).read_text(encoding="utf-8")
    assert sections.findall(html)[:3] == ["opening", "records", "map"]


@pytest.mark.parametrize(
    ("right", "fooled", "told"),
    [
        (10, 0, None),
        (6, 0, "take a stronger model"),
        (10, 3, "rely on --agreement"),
    ],
)
def test_only_what_the_precheck_finds_wrong_is_red(
    tmp_path: Path, right: int, fooled: int, told: str | None
) -> None:
    folder = labelled(tmp_path / "run")
    misses = [{"seed": HOSTILE, "expected": "1", "said": "2"}] * (10 - right)
    exam = {
        "right": {"n": right, "of": 10},
        "judge_takes_right": {"n": 10, "of": 10},
        "judge_takes_wrong": {"n": fooled, "of": 10},
        "misses": misses,
    }
    folder.summary.write_text(json.dumps({"accepted": 3, "target": 3, "exam": exam}))
    html = write_report(folder).read_text(encoding="utf-8")
    page = html[html.index("<body>") : html.index('id="data"')]
    assert f"the model answered {right} of 10 seeds as they are" in page
    assert ('class="wrong"' in page) == (told is not None)
    assert told is None or told in page
    assert HOSTILE not in page


@pytest.mark.parametrize(("faulted", "red"), [(1, False), (2, True)])
def test_how_the_judge_read_real_texts_is_told_and_red_where_it_faults_them(
    tmp_path: Path, faulted: int, red: bool
) -> None:
    folder = labelled(tmp_path / "run")
    with Journal.open(folder.journal) as journal:
        for n in range(5):
            reading = {"seed": f"s{n}", "relevance": 8 + n % 2, "fault": "clumsy" if n < faulted else ""}
            journal.decide(REAL, f"call {n}", reading)
    page = write_report(folder).read_text(encoding="utf-8")
    told = "the judge met 5 seeds unmarked among the new texts: relevance 8.4 of 10 in the mean, a fault in"
    assert f"{told} {faulted}" in page
    assert ("it refuses what is real" in page) == red


def test_a_run_that_fell_short_of_its_target_is_warned_of(tmp_path: Path) -> None:
    folder = labelled(tmp_path / "run")
    warning = "the run fell 7 records short of its target"
    folder.summary.write_text(json.dumps({"accepted": 3, "target": 10}))
    assert warning in write_report(folder).read_text(encoding="utf-8")
    folder.summary.write_text(json.dumps({"accepted": 3, "target": 3}))
    assert warning not in write_report(folder).read_text(encoding="utf-8")


def test_reviews_apply_to_what_a_report_shows(tmp_path: Path) -> None:
    folder = labelled(tmp_path / "run")
    with Journal.open(folder.journal, readonly=True) as journal:
        [reject] = journal.read_outcomes("rejected")
        lost = json.loads(reject.payload)
    added = {**record("d" * 20, SEED, 1, "a lost text"), "lineage": lost["lineage"], "scores": {}}
    reviews = (
        {"id": "a" * 20, "verdict": "reject", "reason": "not a real case"},
        {"id": "b" * 20, "verdict": "accept", "input": "The card was taken"},
        {"id": "d" * 20, "verdict": "accept", "record": added},
    )
    (folder.path / "reviews.jsonl").write_text("".join(json.dumps(each) + "\n" for each in reviews))
    html = write_report(folder).read_text(encoding="utf-8")
    data = unpacked(html)
    shown = {row[0][0]: (row[10], row[6]) for row in data["records"]}
    assert shown == {
        "b": ("The card was taken", None),
        "c": ("A <b>new</b> card, please", 8),
        "d": ("a lost text", None),
    }
    assert [(row[0][0], row[4], row[5]) for row in data["rejects"]] == [("a", "review", "not a real case")]
    assert "accepted 3 + refused 1 = 4 planned" in html
    assert "A person accepted 2 records (1 edited, 1 that the run had rejected) and refused 1" in html


def test_likeness_is_explained_where_it_is_drawn(tmp_path: Path) -> None:
    html = write_report(hostile(tmp_path / "run")).read_text(encoding="utf-8")
    assert "Likeness is the share of words that two texts have in common" in html
