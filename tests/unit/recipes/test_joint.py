"""An input and its answer in one completion, as models write them."""

import pytest
from aide.recipes.joint import JointPayload

from aide.errors import Unusable
from aide.formats.choices import make_options_payload
from aide.parsing import TextPayload


@pytest.mark.parametrize(
    "said",
    [
        "<new>Why?</new>\n<answer>Because.</answer>",
        "Here you are:\n<new>\nWhy?\n</new>\n\n<answer>\nBecause.\n</answer>\nDone.",
        "<new>Why?</new><answer>Because.",
        "<new>Why?\n<answer>Because.</answer>",
        "<NEW>Question: Why?</NEW><ANSWER>Answer: Because.</ANSWER>",
    ],
)
def test_both_are_found_however_they_are_wrapped(said: str) -> None:
    assert JointPayload(TextPayload("answer")).read(said) == ("Why?", "Because.")


def test_the_answer_is_read_as_its_format_wants_it() -> None:
    said = '<new>Which?</new><answer>```json\n{"correct": "a", "wrong": ["b", "c"]}\n```</answer>'
    assert JointPayload(make_options_payload(2)).read(said) == ("Which?", ("a", ("b", "c")))


@pytest.mark.parametrize(
    "said", ["Why?", "<new>Why?</new>", "<new> </new><answer>x</answer>", "<answer>x</answer>"]
)
def test_what_lacks_one_of_them_is_told_how_to_write_it(said: str) -> None:
    with pytest.raises(Unusable, match="<new>") as caught:
        JointPayload(TextPayload("answer")).read(said)
    assert caught.value.reason == "not_joint"
