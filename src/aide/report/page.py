"""The page as a whole: its templates, their filters, and what they are given.

The templates escape everything that is not `Markup` already, so that no text of a model or a file can become
part of the page's own markup.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any, Final

import jinja2
from markupsafe import Markup

from aide import __version__
from aide.report import sections
from aide.report.data import DATA_BYTES, show_text
from aide.report.distribution import view_distribution, view_realism
from aide.report.endpoint import view_endpoint
from aide.report.findings import view_findings
from aide.report.gather import ReportFacts
from aide.report.kinds import view_kinds
from aide.text.figures import format_count, format_plural

SCRIPTS: Final = ("base", "picture", "detail", "records", "rejects", "layout", "map", "begin")
"""The parts of the page's script, in the order in which they run as one."""


def render_page(
    facts: ReportFacts,
    packed: str,
    calls: Iterable[str],
    timings: Iterable[tuple[float, float, str, int]],
    comparison: Mapping[str, Any],
) -> Iterator[str]:
    """The document in pieces, so that it never is in memory as a whole. `packed` and `calls` are base64."""
    page = _load_templates().get_template("page.html")
    return page.generate(
        version=__version__,
        name=facts.folder.path.resolve().name,
        opening=sections.view_opening(facts),
        findings=view_findings(facts),
        kinds=view_kinds(facts),
        embedded=bool(facts.vectors),
        yields=sections.view_yields(facts),
        coverage=sections.view_coverage(facts),
        drift=sections.view_drift(facts),
        distribution=view_distribution(facts),
        realism=view_realism(facts),
        rejects=sections.view_rejects(facts),
        duplicates=sections.view_duplicates(facts),
        spending=sections.view_spending(facts),
        endpoint=view_endpoint(facts, timings),
        human=sections.view_human_data(facts, comparison),
        accepted=facts.accepted,
        shown=len(facts.records),
        bound=f"{DATA_BYTES / 1e6:.1f} MB",
        packed=packed,
        calls=calls,  # an iterator: a batch is read from the journal when the template comes to it
    )


def _load_templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("aide.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(
        show=show_text, commas=lambda number: f"{number:,}", short=format_count, plural=format_plural
    )
    templates.globals.update(style=_read_asset("report.css"), script=_read_script())
    return templates


def _read_asset(name: str) -> Markup:
    """The style sheet or a part of the script: our own markup, which is put into the page as it is."""
    return Markup(files("aide.report").joinpath(name).read_text(encoding="utf-8"))


def _read_script() -> Markup:
    """All parts as one script: a page that was opened as a file may not load modules."""
    base, *parts = (_read_asset(f"script/{name}.js") for name in SCRIPTS)
    shared = files("aide.text").joinpath("new_words.js").read_text(encoding="utf-8")
    return Markup("\n").join((base, Markup(shared.replace("export function", "function")), *parts))
