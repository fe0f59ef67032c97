"""Which items share a call, and when it is sent."""

import pytest

from aide.run.call_queue import CallQueue


class Bench:
    """A queue of words, with its size and whether nothing more can come."""

    def __init__(self, size: int = 3, *, mix: bool = False) -> None:
        self.size = size
        self.last = False
        self.queue: CallQueue[str] = CallQueue(
            size=lambda: self.size, is_last=lambda: self.last, order=lambda item: item, mix=mix
        )

    def put(self, items: str, **how: str) -> list[str]:
        """Each letter is an item; the calls that are sent, as words."""
        return ["".join(call) for item in items for call in self.queue.put(item, **how)]


def test_a_call_is_sent_once_it_is_full() -> None:
    bench = Bench()
    assert bench.put("ab") == []
    assert bench.queue.waiting == 2
    assert bench.put("c") == ["abc"]
    assert bench.queue.waiting == 0


def test_what_waits_is_sent_once_nothing_could_join_it() -> None:
    bench = Bench()
    bench.put("ab")
    assert bench.queue.take_ready() == []
    bench.last = True
    assert bench.queue.take_ready() == [["a", "b"]]
    assert bench.queue.take_ready() == []


def test_the_last_one_is_sent_alone_as_it_comes() -> None:
    bench = Bench()
    bench.last = True
    assert bench.put("a") == ["a"]


def test_a_smaller_size_holds_for_what_waits_already() -> None:
    bench = Bench(size=5)
    bench.put("abcd")
    bench.size = 2
    assert bench.queue.take_ready() == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize("last", [False, True])
def test_only_items_about_one_document_share_a_call(last: bool) -> None:
    bench = Bench()
    assert bench.put("ab", document="contract") == []
    assert bench.put("xy", document="letter") == []
    bench.last = last
    sent = [] if last else bench.put("c", document="contract")
    assert sent + ["".join(call) for call in bench.queue.take_ready()] == (["ab", "xy"] if last else ["abc"])
    assert bench.queue.waiting == (0 if last else 2)


def test_a_call_mixes_kinds_and_waits_until_there_is_a_choice() -> None:
    """Texts of one label side by side would tell the judge the label."""
    bench = Bench(mix=True)
    assert bench.put("aaa", kind="x") == []
    assert bench.put("bc", kind="y") == []
    (call,) = bench.put("d", kind="z")
    assert call == "abd"
    assert bench.queue.waiting == 3


def test_an_announced_group_goes_together_when_all_have_come_or_withdrawn() -> None:
    bench = Bench(size=5)
    bench.queue.announce("g", 4)
    bench.last = True
    assert bench.put("ab", group="g") == []
    assert bench.queue.waiting == 0, "it waits for its own, not for company"
    assert bench.queue.withdraw("g") == []
    assert bench.put("c", group="g") == ["abc"]
    assert bench.put("d", group="g") == ["d"], "it is no group any more"


def test_an_announced_group_stands_in_one_order_however_its_items_come() -> None:
    calls = []
    for items in ("bdaec", "ecdab"):
        bench = Bench(size=2)
        bench.queue.announce("g", 5)
        calls.append(bench.put(items, group="g"))
    assert calls == [["ab", "cd", "e"], ["ab", "cd", "e"]]


def test_a_group_that_all_withdraw_from_sends_nothing() -> None:
    bench = Bench()
    bench.queue.announce("g", 2)
    assert [*bench.queue.withdraw("g"), *bench.queue.withdraw("g"), *bench.queue.withdraw("g")] == []


def test_nothing_waits_after_a_clearing() -> None:
    bench = Bench()
    bench.queue.announce("g", 3)
    bench.put("a", group="g")
    bench.put("bc")
    assert sorted(bench.queue.clear()) == ["a", "b", "c"]
    bench.last = True
    assert bench.queue.take_ready() == []
    assert bench.queue.withdraw("g") == []
