"""What may be in a journal: never a miss of what was added, few looks for what was not."""

from aide.journal.key_filter import FIRST, KeyFilter


def test_what_was_added_is_found_across_layers() -> None:
    keys = [("call", str(number)) for number in range(FIRST // 3)]
    known = KeyFilter(keys)
    assert all(key in known for key in keys)


def test_few_of_what_was_not_added_are_looked_for() -> None:
    known = KeyFilter(("call", str(number)) for number in range(FIRST // 3))
    assert sum(("decision", str(number)) in known for number in range(10_000)) < 600


def test_nothing_is_known_of_an_empty_journal() -> None:
    assert ("call", "1") not in KeyFilter()
