"""Of a page its text is read, as Markdown, and nothing of what stands around it."""

import time

import pytest

from aide.documents.pages import find_charset, read_page
from unit.documents.makers import DOCS, make_page

SIZE = 300_000
# A pass takes some tenths of a second; a square of it would take minutes.
CEILING = 20.0


def test_a_page_of_the_documentation_has_its_headings_lists_tables_and_code() -> None:
    read = read_page(make_page((DOCS / "report.md").read_text()))
    assert read.startswith("# The report\n\n")
    assert "\n## Likeness and the map\n" in read
    assert "| part | what it shows |\n| --- | --- |\n| opening |" in read
    assert "Red is only what is wrong" in read


def test_menus_headers_footers_and_scripts_are_no_text() -> None:
    read = read_page(make_page("# Rent\n\nIt is due on the first."))
    assert read == "# Rent\n\nIt is due on the first."


def test_a_menu_made_of_plain_lists_is_left_out_and_a_link_in_a_sentence_stays() -> None:
    menu = "".join(f'<li><a href="/{n}">Chapter {n}</a></li>' for n in range(5))
    text = '<p>See <a href="x">the lease</a> for the rent and all that belongs to it.</p>'
    assert (
        read_page(f"<body><ul>{menu}</ul>{text}</body>")
        == "See the lease for the rent and all that belongs to it."
    )


@pytest.mark.parametrize(("html", "text"), [
    ("<p>One<br>two <b>three</b>\n four</p>", "One\ntwo three four"),
    ("<ul><li>One<li>Two <p>more</ul><p>End", "- One\n- Two\n- more\n\nEnd"),
    ("<pre>a = 1\n  b = 2</pre>", "```\na = 1\n  b = 2\n```"),
    ("<h2>Rent <a class=headerlink href='#r'>¶</a></h2>Due.", "## Rent\n\nDue."),
    ("<title>Rent</title><p>Due &amp; paid&nbsp;on time", "# Rent\n\nDue & paid on time"),
    ("<table><tr><th>Flat<th>Rent<tr><td>1<td><p>900</table>", "| Flat | Rent |\n| --- | --- |\n| 1 | 900 |"),
    ("<p hidden>No</p><div role=navigation>No</div><p aria-hidden=true>No</p><p>Yes</p>", "Yes"),
    ("<p># no heading", "\\# no heading"),
    ("<nav>Never closed <p>The rent is due.", "Never closed\n\nThe rent is due."),
    ("<![broken <p>", None),
    ("</p></div>" + "<div>" * 3000 + "deep", "deep"),
    ("", ""),
])  # fmt: skip
def test_what_people_write(html: str, text: str | None) -> None:
    read = read_page(html)
    assert text is None or read == text


def test_a_page_names_its_encoding() -> None:
    assert find_charset(b'<meta charset="iso-8859-1">') == "iso-8859-1"
    assert (
        find_charset(b'<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">')
        == "Shift_JIS"
    )
    assert find_charset(b"<p>charset=none") == ""


def test_a_page_that_ends_inside_a_table_keeps_its_last_row() -> None:
    row = "what the last row says of the rent " * 20
    assert read_page(f"<p>Before.</p><table><tr><td>{row}") == f"Before.\n\n| {row.strip()} |\n| --- |"
    nested = read_page("<table><tr><td>One<td>Two<table><tr><td>Three")
    assert all(word in nested for word in ("One", "Two", "Three"))


@pytest.mark.parametrize("piece", [
    "<div>", "<p>x<b><i>", "<td>x<p>", "<table><tr><td>x", "<li>", "<a>x", "<h1>x", "<pre>x", "<main>x", "<p hidden>x",
    "<div><p>x</b>", "</p>", "<", "<a ", "<a b=c ", "<a/", "<a b='", "<a\n", "<!--", "<!-- > ", "<![CDATA[ ]> ",
    "<![if x", "<? ", "</", "&", "<script>", "] ", "-- ",
])  # fmt: skip
def test_a_page_of_any_kind_is_read_in_about_one_pass(piece: str) -> None:
    began = time.process_time()
    read_page(piece * (SIZE // len(piece)) + "word " * 300)
    assert time.process_time() - began < CEILING
