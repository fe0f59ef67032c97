import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.text.tags import TAGS, unwrap_tags


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("Why?", "Why?"),
        ("a < b and b > c", "a < b and b > c"),
        ("<input>Why?</input>", "Why?"),
        ("<example>\n<input>\nWhy?\nHow?\n</input>\n<answer>So.</answer>\n</example>", "Why?\nHow?"),
        ("<examples><example><input>Why?", "Why?"),
        ("<example>Why?</example><example>How?</example>", "Why?"),
        ("Why?</input>\n<answer>So.</answer>", "Why?"),
        ("<parent>Old one</parent>\n<input>Why?</input>", "Why?"),
        ('<item n="1">Why?</item>', "Why?"),
        ("Here it is: <text>Why?</text>", "Why?"),
        ("What does <input> do in HTML?", "What does <input> do in HTML?"),
        ('<input type="text"> stays empty', '<input type="text"> stays empty'),
        ("So.\n<evidence>quoted</evidence>", "So.\n<evidence>quoted</evidence>"),
    ],
)
def test_a_text_is_taken_out_of_our_tags(said: str, text: str) -> None:
    assert unwrap_tags(said, ("new", "input")) == text


@given(
    st.lists(st.sampled_from([*(f"<{tag}>" for tag in TAGS[:6]), "</input>", "Why?", " ", "\n"]), max_size=12)
)
def test_what_is_unwrapped_was_there(pieces: list[str]) -> None:
    said = "".join(pieces)
    assert unwrap_tags(said, ("input",)) in said
