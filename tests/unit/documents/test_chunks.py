"""Chunks stand in their document as they are, under their headings, and begin and end with sentences."""

from itertools import pairwise

import pytest

from aide.documents.blocks import find_blocks
from aide.documents.chunks import Chunk, cut_chunks, measure_size
from aide.documents.files import Document
from aide.text.sentences import find_sentences

SENTENCE = "The rent for flat {} is due on the first day of each month, in advance."


def cut(text: str, size: int = 60, whole: int = 0) -> list[Chunk]:
    return list(cut_chunks(Document("lease.md", text), list(find_blocks(text)), size, whole))


def paragraph(count: int, first: int = 0) -> str:
    return " ".join(SENTENCE.format(n) for n in range(first, first + count))


def test_a_short_document_is_one_chunk() -> None:
    (chunk,) = cut("# The lease\n\nThe rent is due on the first.")
    assert chunk == Chunk("# The lease\n\nThe rent is due on the first.", "lease.md", "The lease", 0)
    assert chunk.as_meta() == {"file": "lease.md", "heading": "The lease", "offset": 0}


def test_chunks_begin_at_headings_and_know_the_ones_above() -> None:
    headings = ["# Lease", "## Rent", "### Late", "## End"]
    text = "\n\n".join(f"{heading}\n\n{paragraph(3, place * 3)}" for place, heading in enumerate(headings))
    chunks = cut(text)
    assert [chunk.heading for chunk in chunks] == [
        "Lease",
        "Lease > Rent",
        "Lease > Rent > Late",
        "Lease > End",
    ]
    assert [chunk.text.split("\n")[0] for chunk in chunks] == headings
    assert all(text[chunk.offset :].startswith(chunk.text) for chunk in chunks)


def test_a_long_section_is_cut_between_sentences_with_overlap() -> None:
    sentences = [" ".join(SENTENCE.format(n).split()[:7]) + "." for n in range(40)]
    text = f"# Lease\n\n{' '.join(sentences)}"
    chunks = cut(text, size=64)
    assert len(chunks) > 3
    for before, after in pairwise(chunks):
        assert before.text.endswith(".")
        assert after.text.split(". ")[0] + "." in sentences
        end = before.offset + len(before.text)
        assert before.offset < after.offset < end  # the last sentence of one is the first of the next
        assert before.text.endswith(text[after.offset : end])
    assert all(measure_size(chunk.text) <= 64 for chunk in chunks)
    assert all(any(sentence in chunk.text for chunk in chunks) for sentence in sentences)


def test_lengths_are_even_so_that_no_scrap_is_left() -> None:
    sizes = [measure_size(chunk.text) for chunk in cut(paragraph(21), size=100)]
    assert min(sizes) > 60


def test_short_sections_share_a_chunk_under_the_first_ones_heading() -> None:
    text = f"# Questions\n\n## May I sublet?\n\nNo.\n\n## May I paint?\n\nYes, in white.\n\n## Rent\n\n{paragraph(7)}"
    chunks = cut(text, size=120)
    assert [chunk.heading for chunk in chunks] == ["Questions", "Questions > Rent"]
    assert "May I paint?" in chunks[0].text


def test_headings_inside_code_are_none() -> None:
    text = f"# Setup\n\n```sh\n# a comment\naide plan\n```\n\n{paragraph(8)}"
    assert {chunk.heading for chunk in cut(text)} == {"Setup"}


def test_the_title_of_a_row_is_the_outermost_heading() -> None:
    text = f"{paragraph(3)}\n\n# Rent\n\n{paragraph(3, 3)}"
    chunks = cut_chunks(Document("leases.jsonl:1", text, "Lease"), list(find_blocks(text)), 60)
    assert [chunk.heading for chunk in chunks] == ["Lease", "Lease > Rent"]
    whole = Document("leases.jsonl:1", "# Lease\n\nPay.", "Lease")
    assert [chunk.heading for chunk in cut_chunks(whole, list(find_blocks(whole.text)))] == ["Lease"]


def test_a_title_in_front_matter_is_the_first_heading() -> None:
    text = f"---\ntitle: 'The lease'\nlayout: page\n---\n\n{paragraph(3)}\n\n## Rent\n\n{paragraph(3, 3)}"
    chunks = cut(text)
    assert [chunk.heading for chunk in chunks] == ["The lease", "The lease > Rent"]
    assert not any("layout" in chunk.text for chunk in chunks)


@pytest.mark.parametrize("text", [
    "- " + "\n- ".join(SENTENCE.format(n) for n in range(30)),
    "```\n" + "\n".join(f"rent[{n}] = due(first, month={n})" for n in range(90)) + "\n```",
    "a word " * 500,
    "x" * 9000,
    "租金应在每月的第一天支付。" * 80,
    "租金应在每月的第一天支付" * 80,
])  # fmt: skip
def test_nothing_is_longer_than_a_chunk_may_be(text: str) -> None:
    chunks = cut(f"# A\n\nShort.\n\n{text}")
    assert len(chunks) > 3 or "x" * 9000 in text
    assert all(measure_size(chunk.text) <= 60 for chunk in chunks)
    covered = "".join(chunk.text for chunk in chunks)
    assert set(text.split()) <= set(covered.split()) or " " not in text


def test_a_document_that_may_stay_whole_does() -> None:
    assert len(cut(paragraph(20), whole=1000)) == 1


@pytest.mark.parametrize(("text", "sentences"), [
    ("Dr. Lee paid. She left at 5 p.m. sharp.", ["Dr. Lee paid.", "She left at 5 p.m. sharp."]),
    ("It costs 3.50 euros. Pay now!", ["It costs 3.50 euros.", "Pay now!"]),
    ('He said "No." Then he left', ['He said "No."', "Then he left"]),
    ("Das gilt z.B. Montag. Und dann?", ["Das gilt z.B. Montag.", "Und dann?"]),
    ("租金到期。请支付！好", ["租金到期。", "请支付！", "好"]),
    ("One\nline. \n\nanother", ["One\nline.", "another"]),
    ("", []),
])  # fmt: skip
def test_sentences_end_where_a_reader_would_pause(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in find_sentences(text)] == sentences
