"""What a call for plain records is shown of those that are there."""

from aide.llm.usage import estimate_tokens
from aide.records import PLAIN, Draft, Hop, Lineage, Parts, Point, Record
from aide.run.known_texts import MOST, TOKENS, KnownTexts
from unit.run.prepared import make_seed

SEED = make_seed("Where is my card?", "card_arrival")


def make_record(
    number: int, *, label: str = "", topic: str = "", operation: str = PLAIN, words: int = 6
) -> Record:
    text = " ".join([f"text{number}", *["word"] * (words - 1)])
    lineage = Lineage(
        SEED.id, SEED.id, 1, operation, None, None, anchored=False, label=label or None, topic=topic
    )
    return Record(f"{label}{topic}{number}", "bank", "classification", Draft(text, label), Parts(), lineage)


def make_hop(*, label: str = "", topic: str = "", operation: str = PLAIN) -> Hop:
    return Hop(
        SEED, Point(SEED.id, SEED.draft, SEED.parts, 0), 1, operation, label=label or None, topic=topic
    )


def know(*records: Record) -> KnownTexts:
    known = KnownTexts()
    for record in records:
        known.note(record)
    return known


def test_the_latest_of_the_own_label_are_shown() -> None:
    known = know(*(make_record(n, label="a") for n in range(30)), make_record(0, label="b"))
    assert known.choose([make_hop(label="a")]) == [(SEED.id, f"a{n}") for n in range(29, 29 - MOST, -1)]
    assert known.choose([make_hop(label="b")]) == [(SEED.id, "b0")]
    assert known.choose([make_hop(label="new")]) == []


def test_without_labels_topics_take_turns() -> None:
    known = know(*(make_record(n, topic=topic) for n in range(3) for topic in ("rent", "cats")))
    hops = [make_hop(topic="rent"), make_hop(topic="cats"), make_hop(topic="rent")]
    assert [id for _, id in known.choose(hops)] == ["rent2", "cats2", "rent1", "cats1", "rent0", "cats0"]


def test_guided_records_neither_are_shown_nor_see_any() -> None:
    known = know(make_record(0, label="a", operation="reasoning"), make_record(1, label="a"))
    assert known.choose([make_hop(label="a")]) == [(SEED.id, "a1")]
    assert known.choose([make_hop(label="a", operation="reasoning")]) == []


def test_of_long_texts_there_are_fewer_for_they_are_paid_for_with_each_call() -> None:
    records = [make_record(n, label="a", words=90) for n in range(9)]
    size = estimate_tokens(records[0].draft.input)
    shown = know(*records).choose([make_hop(label="a")])
    assert 1 <= len(shown) == TOKENS // size < MOST
