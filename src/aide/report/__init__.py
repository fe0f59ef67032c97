"""The report: one HTML file that shows a run, without a network, in light and dark, on a phone too.

Nothing that a model wrote is ever markup in it: the templates escape all text, and records and prompts are
packed as base64, which the page's script puts in place as text.
"""

from pathlib import Path

from aide.atomic import write_atomic
from aide.journal import Journal
from aide.places import make_parent
from aide.report.data import PACKED_BYTES, fit_rows, pack_calls
from aide.report.gather import gather_facts, read_comparison
from aide.report.page import render_page
from aide.report.vectors import read_map_vectors
from aide.run.folder import RunFolder
from aide.run.parts import require_merged


def write_report(folder: RunFolder, out: Path | None = None) -> Path:
    """Write the report of a run folder, finished or not; returns its path (`report.html` in the folder).

    Raises:
        InputError: the folder holds no run.
        AideError: the file can't be written.
    """
    folder.require(folder.journal)
    require_merged(folder.path)
    path = out or folder.report
    make_parent(path)
    with Journal.open(folder.journal, readonly=True) as journal:
        facts = gather_facts(folder, journal)
        facts.vectors = read_map_vectors(facts, journal)
        packed = fit_rows(facts)  # before all else: it may drop records from the facts
        calls = pack_calls(journal, facts.records, PACKED_BYTES - len(packed))
        pieces = render_page(facts, packed, calls, journal.read_timings(), read_comparison(folder))
        write_atomic(path, (piece.encode("utf-8", "replace") for piece in pieces))
    return path


__all__ = ["write_report"]
