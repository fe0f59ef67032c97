"""Small files of the kinds that have to be converted, written by hand: a PDF, a Word document, a page of a site."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

from markdown_it import MarkdownIt

DOCS = Path(__file__).parents[3] / "docs"
NAVIGATION = "".join(f'<li><a href="/{n}">Page {n} of the manual</a></li>' for n in range(6))


def make_pdf(text: str, lines_a_page: int = 40) -> bytes:
    """A PDF with the text in Helvetica, wrapped, and a number at the end of each page."""
    lines = [line for paragraph in text.split("\n") for line in (wrap(paragraph, 80) or [""])]
    pages = [lines[at : at + lines_a_page] for at in range(0, len(lines), lines_a_page)]
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, page in enumerate(pages):
        stream = _draw([*page, "", str(number + 1)])
        resources = f"<< /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources {resources} >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return _write_objects(objects)


def _draw(lines: Sequence[str]) -> bytes:
    shown = "".join(f"({_escape(line)}) Tj T*\n" for line in lines)
    return f"BT /F1 10 Tf 14 TL 50 800 Td\n{shown}ET".encode("cp1252", "replace")


def _escape(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _write_objects(objects: Sequence[bytes]) -> bytes:
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def make_word_document(paragraphs: Sequence[str]) -> bytes:
    """A Word document of these paragraphs, the first of which is a heading."""
    kind = "http://schemas.openxmlformats.org"
    styles = ['<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>', *[""] * len(paragraphs)]
    body = "".join(
        f"<w:p>{style}<w:r><w:t>{text}</w:t></w:r></w:p>"
        for style, text in zip(styles, paragraphs, strict=False)
    )
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{kind}/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{kind}/package/2006/relationships"><Relationship Id="r" '
        f'Type="{kind}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{kind}/wordprocessingml/2006/main"><w:body>{body}</w:body>'
        "</w:document>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def make_page(markdown: str) -> str:
    """A page of a site as documentation has it: menu, text, footer."""
    text = MarkdownIt("commonmark").enable("table").render(markdown)
    return (
        "<!DOCTYPE html><html><head><title>The manual</title><style>p { color: red }</style>"
        f'<script>var menu = "<p>x</p>";</script></head><body><header><a href="/">Home</a></header>'
        f"<nav><ul>{NAVIGATION}</ul></nav><main><article>{text}</article></main>"
        "<footer><p>Made with care. All rights reserved.</p></footer></body></html>"
    )
