import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide.text.cleaning import clean_text


@pytest.mark.parametrize(
    ("dirty", "tidy"),
    [
        ("  plain \n", "plain"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x1b[31mred\x1b[0m and \x1b]0;title\x07this", "red and this"),
        ("nul\x00 bell\x07 c1\x9d", "nul bell c1"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("\ufeffmark", "mark"),
        ("no\ufffe character\uffff", "no character"),
        ("abc\u202edcba", "abcdcba"),
        ("tab\tstays", "tab\tstays"),
        ("\u200fשלום\u200f עולם", "\u200fשלום\u200f עולם"),
        ("👩\u200d👩\u200d👧 café cafe\u0301", "👩\u200d👩\u200d👧 café cafe\u0301"),
    ],
)
def test_clean_takes_what_breaks_files_and_leaves_every_script(dirty: str, tidy: str) -> None:
    assert clean_text(dirty) == tidy


@given(st.text(alphabet=st.characters()))
def test_clean_text_is_encodable_and_stays_as_it_is(text: str) -> None:
    once = clean_text(text)
    once.encode("utf-8")
    assert "\x1b" not in once
    assert "\x00" not in once
