"""`aide decontaminate`: drop records that give away items of test sets."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aide.cli.arguments import Quiet, Sources
from aide.cli.console import escape_for_console, make_stderr_console
from aide.errors import InputError
from aide.text.figures import format_plural

if TYPE_CHECKING:
    from aide.dataset.lines import RecordLine
    from aide.dedup.contamination import ContaminationHit

SHOWN = 10
"""So many hits are named on stderr; `--report` has all of them."""

Avoid = Annotated[
    list[str] | None,
    typer.Option("--avoid", metavar="FILE", help="Test set, or your own held-out data; repeatable."),
]
Mark = Annotated[
    bool, typer.Option("--mark", help="Keep these records; a field `contamination` names the test item.")
]
AnyNumber = Annotated[
    bool,
    typer.Option("--any-number", help="Treat all numbers as equal, so that changed numbers are found too."),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="13 shared words in a row are enough, however long the item is.")
]
InputField = Annotated[
    list[str] | None,
    typer.Option("--input-field", metavar="F", help="Column of the question, if it is not recognised."),
]
Report = Annotated[
    str | None,
    typer.Option("--report", metavar="FILE", help="Write every hit and its test item as JSON lines."),
]


def decontaminate(
    sources: Sources = None,
    avoid: Avoid = None,
    mark: Mark = False,
    any_number: AnyNumber = False,
    strict: Strict = False,
    input_field: InputField = None,
    report: Report = None,
    quiet: Quiet = False,
) -> None:
    """Drop records that give away an item of a test set; pass on the others unchanged.

    A record is dropped if its question equals a test item apart from case, punctuation and the order of
    options; if runs of eight shared words cover over half of an item; or, for short items, if nearly all
    letters agree. The first ten are named on stderr.
    """
    from aide.dataset.hits import HitLog, replace_hits
    from aide.dataset.lines import STDOUT, read_lines, write_lines
    from aide.dedup.contamination import Contamination
    from aide.dedup.test_sets import read_test_items, row_as_item

    if not avoid:
        raise InputError("no test set was given", hint="name one: --avoid test.jsonl")
    fields = tuple(input_field or ())
    tests = Contamination(read_test_items(avoid, fields), any_number=any_number, strict=strict)
    console, items = make_stderr_console(quiet=quiet), set[str]()

    def find_hit(line: "RecordLine") -> "ContaminationHit | None":
        item = row_as_item(line.record, line.where, fields)
        if item is None:
            raise InputError(f"{line.where}: holds no question", hint="name its column: --input-field")
        return tests.find(item.text, item.options, item.fixed)

    def handle_hit(line: "RecordLine", hit: "ContaminationHit") -> dict[str, Any] | None:
        items.add(hit.where)
        if log.counts.total() < SHOWN:
            shown = (*map(escape_for_console, (line.where, str(hit))), escape_for_console(hit.text, 60))
            console.print(": ".join(shown))
        return log.add(line, hit.how, {"item": hit.where, "rule": hit.how, "share": round(hit.share, 3)})

    with HitLog.open("contamination", mark=mark, report=report) as log:
        write_lines(STDOUT, replace_hits(log.count_lines(read_lines(sources or ())), find_hit, handle_hit))
    rules = ", ".join(f"{rule} {count:,}" for rule, count in log.counts.most_common()) or "no hit"
    console.print(
        f"{log.outcome} of {format_plural(log.read, 'record')}: {rules}; "
        f"{len(items):,} of {format_plural(len(tests), 'test item')}"
    )
