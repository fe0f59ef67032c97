"""PDF, Word, PowerPoint, Excel and EPUB files as Markdown, by markitdown (an optional part of the installation)."""

import io
import re
import warnings
from importlib import import_module
from typing import Any, Final

from aide.errors import InputError

_CONVERTERS: Final = {
    ".pdf": ("PDF", "PdfConverter"),
    ".docx": ("Word document", "DocxConverter"),
    ".pptx": ("PowerPoint file", "PptxConverter"),
    ".xlsx": ("Excel workbook", "XlsxConverter"),
    ".epub": ("EPUB", "EpubConverter"),
}
CONVERTED: Final = frozenset(_CONVERTERS)
"""Endings of the names of files that are converted."""
_INSTALL: Final = "pip install 'aide-expand[documents]'"
_HYPHEN: Final = re.compile(r"(?<=[^\W\d_])-\n(?=[a-zß-öø-ÿ])")
_PAGE_NUMBER: Final = re.compile(r"\n[ \t]*\d{1,4}[ \t]*(?=\n*\f|\n*\Z)")
_INSIDE: Final = re.compile(r"(?<=[^\W_]|,)\s*\f\s*")
_TOLD: Final = 200  # characters of what a library says of a fault


def convert_file(name: str, data: bytes, ending: str) -> str:
    """The text of a file as Markdown; `ending` is one of `CONVERTED`. Empty where it holds pictures alone.

    Raises:
        InputError: it is broken, locked by a password, or markitdown is missing.
    """
    kind, converter = _CONVERTERS[ending]
    markitdown = _load(name)
    try:
        # By the ending alone: markitdown's own guess takes a broken PDF for plain text.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            convert = getattr(markitdown.converters, converter)().convert
            text: str = convert(io.BytesIO(data), markitdown.StreamInfo(extension=ending)).text_content
    except markitdown.MissingDependencyException as fault:
        raise InputError(f"{name} needs a part of markitdown that is not installed", hint=_INSTALL) from fault
    except Exception as fault:  # each of its converters raises what its library does
        told = " ".join(str(fault).split())[:_TOLD] or type(fault).__name__
        raise InputError(
            f"{name} can't be read as a {kind}: {told}",
            hint="save it again without a password, take it out, or leave out what can't be read with --skip-bad",
        ) from fault
    return _join_pages(text) if ending == ".pdf" else text


def _load(name: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import_module("markitdown.converters")
            return import_module("markitdown")
    except ImportError as fault:
        raise InputError(f"{name} can't be read without markitdown", hint=_INSTALL) from fault


def _join_pages(text: str) -> str:
    """The text of a PDF without page numbers and hyphens at line ends; a sentence may go on on the next page."""
    return _HYPHEN.sub("", _INSIDE.sub("\n", _PAGE_NUMBER.sub("", text))).replace("\f", "\n\n")
