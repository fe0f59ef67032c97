import time

import pytest

from aide.text.loops import find_loop


@pytest.mark.parametrize(
    "text",
    [
        "I am happy with it. " * 20,
        "The bank declined my payment. " + "I want my money back and " * 9 + "I wan",
        "\n".join(f"{n}. The card was declined" for n in range(1, 30)),
        '{"topic": "card", ' + '"relation": "is", ' * 30,
        "a" * 500,
        "カードが" * 40,
        "\n".join(
            f"{line} It was a long and hot day at the bank in the old town for all of us."
            for line in "abcdefghij"
        )
        + "\nDone.",
    ],
)
def test_a_loop_is_found(text: str) -> None:
    assert find_loop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no no no no no no no no no",
        "12 - 2 - 2 - 2 - 2 - 2 - 2",
        "\n".join(f"Tablet {n} will be taken in {15 * n} min." for n in range(5)),
        "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily, life is but a dream.",
    ],
)
def test_people_repeat_themselves_a_little(text: str) -> None:
    assert not find_loop(text)


def test_it_takes_time_in_proportion_to_the_text() -> None:
    """A quadratic search would take minutes."""
    begun = time.process_time()
    find_loop("ab" * 400_000 + "c")
    find_loop("one two three " * 100_000 + "four")
    assert time.process_time() - begun < 10
