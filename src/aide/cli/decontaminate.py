"""`aide decontaminate`: drop records that give away items of test sets."""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from aide.cli.console import escape_for_console, make_stderr_console
from aide.cli.sources import Quiet, Sources, format_record_count
from aide.errors import InputError

SHOWN = 10


Against = Annotated[
    list[str] | None,
    typer.Option("--against", metavar="FILE", help="Test set, your own held-out data too; may be repeated."),
]
Mark = Annotated[
    bool, typer.Option("--mark", help="Keep hits, with a field `contamination` that names the item.")
]
AnyNumber = Annotated[
    bool, typer.Option("--any-number", help="Take all numbers for the same: changed ones hide nothing.")
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="13 words in a row are a hit, however little of an item they are."),
]
InputField = Annotated[
    list[str] | None,
    typer.Option("--input-field", metavar="F", help="Column of the question, where guessing fails."),
]
Report = Annotated[
    str | None,
    typer.Option("--report", metavar="FILE", help="Write every hit with its test item, as JSON lines."),
]


def decontaminate(
    sources: Sources = None,
    against: Against = None,
    mark: Mark = False,
    any_number: AnyNumber = False,
    strict: Strict = False,
    input_field: InputField = None,
    report: Report = None,
    quiet: Quiet = False,
) -> None:
    """Let records through that give no item of a test set away.

    A hit is a question that is the same but for case, punctuation and the order of its options; one that
    covers over half of a test item with shared runs of eight words; a short one with nearly the same letters.
    The first hits are named on stderr.
    """
    from aide.dataset.lines import STDIN, RecordLine, open_output, read_lines, write_lines
    from aide.dedup.contamination import Contamination
    from aide.dedup.test_sets import read_test_items, row_as_item
    from aide.shards import encode_line

    if not against:
        raise InputError("no test set was given", hint="name one: --against test.jsonl")
    fields = tuple(input_field or ())
    known = Contamination(read_test_items(against, fields), any_number=any_number, strict=strict)
    console, rules, items = make_stderr_console(quiet=quiet), Counter[str](), set[str]()
    hits: Any = None
    read = 0

    def kept() -> Iterator[RecordLine | dict[str, Any]]:
        nonlocal read
        for line in read_lines(sources or ()):
            read += 1
            item = row_as_item(line.record, line.where, fields)
            if item is None:
                raise InputError(f"{line.where}: holds no question", hint="name its column: --input-field")
            hit = known.find(item.text, item.options, item.fixed)
            if hit is None:
                yield line
                continue
            rules[hit.how] += 1
            items.add(hit.where)
            if rules.total() <= SHOWN:
                console.print(
                    f"{escape_for_console(line.where)}: {escape_for_console(str(hit))}: "
                    f"{escape_for_console(hit.text, 60)}"
                )
            found = {"item": hit.where, "rule": hit.how, "share": round(hit.share, 3)}
            if hits is not None:
                hits.write(encode_line({"id": line.record.get("id"), "where": line.where, **found}))
            if mark:
                yield {**line.record, "contamination": found}

    if report:
        with open_output(report) as hits:
            write_lines(STDIN, kept())
    else:
        write_lines(STDIN, kept())
    told = ", ".join(f"{rule} {count:,}" for rule, count in rules.most_common()) or "no hit"
    done = f"{'marked' if mark else 'dropped'} {rules.total():,} of {format_record_count(read, 'record')}"
    console.print(f"{done}: {told}; {len(items):,} of {format_record_count(len(known), 'test item')}")


__all__ = ["decontaminate"]
