"""What filter, dedup, sample and split decide, without a process."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from aide.dataset.conditions import (
    FilterCounts,
    check_fields,
    compile_where,
    filter_lines,
    make_bound,
    match_any_value,
    match_regex,
)
from aide.dataset.duplicates import SeenTexts, index_seeds, remove_duplicates
from aide.dataset.lines import RecordLine
from aide.dataset.record_content import comparable_text
from aide.dataset.sampling import sample_places, sample_share, sample_size
from aide.dataset.splitting import TRAIN, VALIDATION, SplitPool, plan_split, separate_near_duplicates
from aide.dedup.lexical import LexicalIndex
from aide.errors import InputError
from aide.seeds import load_seeds
from aide.shards import IdSet

WORDS = [
    "amber", "boat", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jetty", "knoll", "larch",
    "marsh", "north", "otter", "pearl",
]  # fmt: skip


def line(number: int = 0, **record: Any) -> RecordLine:
    return RecordLine(record, json.dumps(record).encode(), "test", number)


def grown(count: int, *, seeds: int, labels: Sequence[str] = ()) -> Iterator[RecordLine]:
    """Families of one seed each: a record at hop 1, its children at hop 2; every text of its own."""
    for number in range(count):
        seed, place = number % seeds, number // seeds
        branch = f"s{seed}b{place // 4}"
        first = place % 4 == 0
        lineage = {
            "seed_id": f"s{seed}", "parent_id": f"s{seed}" if first else branch, "hop": 1 if first else 2,
            "operation": "constraint", "triple": None, "persona": None, "anchored": not first,
        }  # fmt: skip
        text = " ".join(
            WORDS[(number * 7 + step * (number % 5 + 1)) % 16] + str(number + step) for step in range(15)
        )
        form = (
            {"format": "classification", "output": labels[seed % len(labels)]}
            if labels
            else {"format": "open", "output": "1"}
        )
        yield line(number, id=branch if first else f"{branch}r{place}", input=text, lineage=lineage, **form)


def test_bounds_read_scores_shares_and_paths() -> None:
    record = {
        "scores": {"relevance": 7, "correct": True, "agreement": "2/3"},
        "lineage": {"hop": 2},
        "n": "8",
    }
    assert make_bound("relevance=7", least=True)(record)
    assert not make_bound("relevance=7.5", least=True)(record)
    assert make_bound("agreement=0.6", least=True)(record)
    assert not make_bound("agreement=3/4", least=True)(record)
    assert make_bound("correct=1", least=True)(record)
    assert make_bound("lineage.hop=2", least=False)(record)
    assert not make_bound("n=1", least=True)(record)  # text is no number
    assert not make_bound("missing=1", least=False)(record)
    for wrong in ("relevance", "relevance=high"):
        with pytest.raises(InputError):
            make_bound(wrong, least=True)


def test_conditions_on_origin_words_and_expressions() -> None:
    record = {"input": "The Invoice", "format": "open", "lineage": {"hop": 2, "operation": "persona"}}
    assert match_any_value("lineage.hop", ["1,2"])(record)
    assert not match_any_value("lineage.operation", ["reasoning"])(record)
    assert match_regex("input=(?i)invoice", wanted=True)(record)
    assert not match_regex("input=(?i)invoice", wanted=False)(record)
    assert compile_where("lineage.hop == 2 and len(input) > 5")(record)
    with pytest.raises(InputError, match="no regular expression"):
        match_regex("input=(", wanted=True)


def test_what_passes_is_counted_and_a_mistyped_name_is_found() -> None:
    asked = [make_bound("relevance=8", least=True), make_bound("relevnce=1", least=True)]
    records = [line(n, scores={"relevance": n}) for n in range(10)]
    count = FilterCounts()
    assert [each.number for each in filter_lines(records, asked[:1], count)] == [8, 9]
    assert (count.read, count.kept) == (10, 2)
    assert len(list(filter_lines(records, asked[:1], FilterCounts(), invert=True))) == 8
    assert list(filter_lines(records, asked, FilterCounts())) == []
    with pytest.raises(InputError, match="no record has the field 'relevnce'; did you mean 'relevance'"):
        check_fields(asked, records[0].record)


def test_a_field_that_records_may_have_is_no_typo_where_none_has_it() -> None:
    asked = [compile_where("persona != None and scores.agreement == '2/3' and lineage.traits.form == 'x'")]
    records = [line(n, scores={"relevance": n}) for n in range(3)]
    assert list(filter_lines(records, asked, FilterCounts())) == []
    assert check_fields(asked, records[0].record) == ["lineage.traits.form", "persona", "scores.agreement"]


def test_a_bare_name_in_an_expression_is_looked_up_as_elsewhere() -> None:
    records = [line(n, scores={"relevance": n}) for n in range(10)]
    kept = filter_lines(records, [compile_where("relevance > 7")], FilterCounts())
    assert [each.number for each in kept] == [8, 9]


def test_compared_is_the_varying_part_and_the_right_option_but_no_label() -> None:
    assert comparable_text(line(input="whole", parts={"text": "long", "question": "Q?"}, output="x")) == "Q?"
    quiz = line(input="Which is true?", output="b", choices=["a", "b"], format="multiple_choice")
    assert comparable_text(quiz) == "Which is true?\nb"
    assert comparable_text(line(input="Hi", output="b", choices=["a", "b"], format="classification")) == "Hi"
    assert comparable_text(line(question="What?", answer="That")) == "What?"


def test_the_first_of_duplicates_is_kept_also_when_files_are_put_together() -> None:
    rows = list(grown(40, seeds=4))
    told: list[tuple[str, str]] = []

    def drop(each: RecordLine, twin: Any) -> None:
        told.append((twin.of if hasattr(twin, "of") else twin.id, twin.how))

    edited = line(99, id="new", input=rows[3].record["input"].upper() + "!", output="1", format="open")
    kept = list(remove_duplicates([*rows, *rows, edited], SeenTexts(LexicalIndex("near", ())), drop))
    assert kept == rows  # the same ids a second time are twins, not replacements
    assert len(told) == 41
    assert told[-1] == (rows[3].record["id"], "exact")


def test_what_repeats_a_seed_is_dropped_only_where_the_seeds_are_there_too(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text('{"input": "How many crates are on the pier?", "output": "4"}\n')
    rows = [
        line(1, id="a", input="how many crates are on the pier"),
        line(2, id="b", input="Who sails at dawn?"),
    ]
    loaded = load_seeds([str(seeds)])
    assert list(remove_duplicates(rows, index_seeds(loaded), lambda *_: None)) == rows[1:]
    assert list(remove_duplicates(rows, index_seeds(loaded, entered=False), lambda *_: None)) == rows


def test_ids_that_are_counted_in_twenty_digits_cost_no_more_than_others() -> None:
    # Looked at: how far one has to go in the table of ids, not how long it takes.
    names = IdSet()
    for number in range(600):
        names.add(f"{number:020d}")
    steps = [
        (names._place(bytes.fromhex(name))[0] // 10 - crc32(bytes.fromhex(name))) % 1024 for name in names
    ]
    assert sum(steps) / len(steps) < 8
    assert len(names) == 600


def test_a_sample_is_stratified_keeps_order_and_does_not_depend_on_it() -> None:
    rows = list(grown(200, seeds=5))
    drawn = sample_size(rows, 40, seed=1, by=["hop"])
    assert len(drawn) == 40
    assert [each.number for each in drawn] == sorted(each.number for each in drawn)
    assert Counter(each.record["lineage"]["hop"] for each in drawn) == {1: 10, 2: 30}
    even = sample_size(rows, 40, seed=1, by=["hop"], evenly=True)
    assert Counter(each.record["lineage"]["hop"] for each in even) == {1: 20, 2: 20}
    assert {each.number for each in sample_size(rows[::-1], 40, seed=1)} == {
        each.number for each in sample_size(rows, 40, seed=1)
    }
    assert {each.number for each in sample_size(rows, 40, seed=2)} != {
        each.number for each in sample_size(rows, 40, seed=1)
    }
    assert sample_size(rows, 1000, seed=1) == rows
    assert sample_size(rows, 0, seed=1) == []


def test_a_share_is_about_that_share_and_a_larger_one_holds_the_smaller() -> None:
    rows = [line(n, id=str(n)) for n in range(4000)]
    tenth = {each.number for each in sample_share(rows, 0.1, seed=0)}
    assert 320 < len(tenth) < 480  # four standard deviations
    assert tenth < {each.number for each in sample_share(rows, 0.2, seed=0)}


def test_by_seed_no_descendant_of_a_training_seed_is_held_out() -> None:
    with SplitPool(grown(400, seeds=10)) as pool:
        made = plan_split(pool, "auto", validation=0.1, test=0.1, seed=0)
    sides: dict[str, set[int]] = {}
    for member, place in zip(pool.members, made.places, strict=True):
        sides.setdefault(member.seed, set()).add(place)
    assert made.by == "seed"
    assert all(len(places) == 1 for places in sides.values())
    assert [made.count(place) for place in range(3)] == [320, 40, 40]


def test_auto_takes_branches_where_a_label_would_be_missing_and_says_so() -> None:
    labels = [f"label {n}" for n in range(10)]
    with SplitPool(grown(400, seeds=10, labels=labels)) as pool:
        made = plan_split(pool, "auto", validation=0.1, test=0, seed=0)
        assert made.by == "branch"
        assert "would be missing from training" in made.remarks[0]
        family = {member.id: member.id if member.hop == 1 else member.parent for member in pool.members}
        sides: dict[str, set[int]] = {}
        for member, place in zip(pool.members, made.places, strict=True):
            sides.setdefault(family[member.id], set()).add(place)
        assert all(len(places) == 1 for places in sides.values())
        trained = {m.label for m, place in zip(pool.members, made.places, strict=True) if place == TRAIN}
        assert trained == set(labels)
        assert 20 <= made.count(VALIDATION) <= 60
        told = plan_split(pool, "seed", validation=0.1, test=0, seed=0)
        assert told.by == "seed"
        assert "missing" in told.remarks[0]


def test_auto_takes_branches_where_few_large_seeds_would_miss_the_share() -> None:
    with SplitPool(grown(300, seeds=3)) as pool:
        made = plan_split(pool, "auto", validation=0.1, test=0, seed=0)
        assert made.by == "branch"
        assert made.remarks == ["not by seed: validation would get 33% of the records instead of 10%"]
        assert 15 <= made.count(VALIDATION) <= 60
        assert plan_split(pool, "seed", validation=0.1, test=0, seed=0).count(VALIDATION) == 100


def test_one_seed_is_cut_by_branch_and_foreign_records_by_record() -> None:
    with SplitPool(grown(80, seeds=1)) as pool:
        assert plan_split(pool, "auto", validation=0.1, test=0, seed=0).by == "branch"
        with pytest.raises(InputError, match="nothing would be left to train on"):
            plan_split(pool, "seed", validation=1, test=0, seed=0)
    with SplitPool(line(n, input=f"text {n}", output="x") for n in range(50)) as pool:
        made = plan_split(pool, "auto", validation=0.2, test=0, seed=0)
        assert (made.by, made.count(VALIDATION)) == ("record", 10)
        with pytest.raises(InputError, match="no lineage"):
            plan_split(pool, "seed", validation=0.2, test=0, seed=0)


def test_near_duplicates_across_the_cut_go_to_training_until_none_is_left() -> None:
    rows = list(grown(100, seeds=10))
    with SplitPool(rows) as before:
        held = plan_split(before, "seed", validation=0.1, test=0, seed=0).places
    out, other = (next(n for n, place in enumerate(held) if place == side) for side in (VALIDATION, TRAIN))
    # A held-out text that copies a training text, and a second one that copies only the first.
    words = rows[other].record["input"].split()
    copy = " ".join([*words[:-1], "changed"])
    rows[out] = line(out, **{**rows[out].record, "input": copy})
    second = out + 10  # the next record of the same seed
    rows[second] = line(second, **{**rows[second].record, "input": copy + " again"})
    with SplitPool(rows) as pool:
        made = plan_split(pool, "seed", validation=0.1, test=0, seed=0)
        assert made.places == held
        separate_near_duplicates(pool, made, index_seeds(None))
    assert made.moved == 2
    assert made.places[out] == made.places[second] == TRAIN


def test_a_sample_is_the_same_for_the_same_seed_and_differs_for_another() -> None:
    assert sample_places(100, 10, 1) == sample_places(100, 10, 1) != sample_places(100, 10, 2)
    assert sample_places(3, 10, 1) == [0, 1, 2]
