"""Any input shape to seeds: rows are read, recognised, split into parts, and every bad one is named."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import Final

from aide.errors import InputError
from aide.records import FORMATS, Seed, find_varying_name
from aide.seeds.chat_rows import describe_chats
from aide.seeds.chats import describe_end, flatten_chat, settle_chats
from aide.seeds.column_names import CHOICES, IDS, INPUTS, KNOWN, OUTPUTS
from aide.seeds.columns import split_columns
from aide.seeds.files import name_task, read_files
from aide.seeds.headers import guess_columns
from aide.seeds.outputs import ReadRow, settle_outputs
from aide.seeds.parts import keep_fields, read_record_parts, split_by_pattern
from aide.seeds.problems import report_problems
from aide.seeds.shapes import (
    RowContent,
    RowFields,
    UnknownColumnsError,
    lack_field,
    make_content,
    recognise_shape,
)
from aide.seeds.spans import name_tags
from aide.seeds.tables import TABLES, LineProblem, SeedTable
from aide.seeds.templates import ColumnTemplate
from aide.seeds.values import BadRowError, MissingFieldError, is_missing, read_options, read_text_value
from aide.streams import NO_STREAMS, Streams
from aide.text.figures import format_plural
from aide.text.suggestions import suggest_name

# What a record of ours holds besides its content: about that record, not about what grows from it. Of foreign rows
# only the first kind is ours; a column named `model` or `scores` is theirs.
_OWN: Final = frozenset({"parts", "keep", "meta", "format", "task"})
_OF_A_RECORD: Final = frozenset({"lineage", "scores", "revisions", "model", "thought", "working"})
_SHOWN_OF_CELL: Final = 40  # characters: enough for a person to see whether it is a name
_TASK_NAME: Final = re.compile(r"[\w.\-]{1,64}")


@dataclass(frozen=True, slots=True)
class SeedMapping:
    """What a person says about the columns where guessing fails; empty means guess."""

    input_fields: Sequence[str] = ()
    output_field: str = ""
    choices_field: str = ""
    keep: Sequence[str] = ()
    meta: Sequence[str] = ()
    """Columns beside the example that go along into new records, though they differ between seeds."""
    input_pattern: str = ""
    encoding: str = ""
    header: bool | None = None
    """Whether a table's first row names the columns; `None` means that the row itself tells."""
    sheet: str = ""
    skip_bad: bool = False
    labels: Sequence[str] | None = ()
    """Outputs that are meant though they look like a missing value, such as `None`; `None` for all of them."""
    label_names: Sequence[str] = ()
    """All labels, where they are known: outputs may be several of them, with a separator."""
    label_separator: str = ""
    """What stands between several labels of one output; empty means look for it, where the labels are known."""
    unanswered: bool = False
    """Whether a chat may end with the user's turn; its output is then empty."""


@dataclass(frozen=True, slots=True)
class SeedOrigin:
    """How the seeds were stored, so that records can be written in the same way."""

    container: str
    """See `SeedTable.container`."""
    columns: tuple[str, ...]
    """Those of the first row, in order."""
    shape: str
    roles: Mapping[str, str]
    """The column of each role: `input`, `output`, `choices`, `choice 1`, …"""
    delimiter: str = ""
    header: bool = True
    separator: str = ""
    """What stands between several labels of one output; empty where outputs are none, or lists."""


@dataclass(frozen=True, slots=True)
class LoadedSeeds:
    """Seeds, and what was found out about them."""

    seeds: list[Seed]
    shape: str
    """One sentence for a person."""
    task: str
    """The name of the task."""
    format_hint: str
    """The format that the file names for all seeds; empty where it names none."""
    origin: SeedOrigin
    problems: list[LineProblem] = field(default_factory=list)
    sentence: str = ""
    """What the file itself says about the task."""
    repeated: int = 0
    """Rows with the content of an earlier one, which are left out."""
    left_out: tuple[str, ...] = ()
    """Columns that tell of one seed alone, which new records go without."""
    layouts: tuple[str, ...] = ()
    """How each table with separators was understood, in sentences."""
    templates: Mapping[str, ColumnTemplate] = field(default_factory=dict)
    """Those of them that repeat the example and can be made anew from it."""

    @property
    def notes(self) -> list[str]:
        """How tables were understood, what becomes of columns and of thoughts, in sentences."""
        thoughtful = sum(bool(seed.draft.thoughts) for seed in self.seeds)
        verb = "comes" if thoughtful == 1 else "come"
        told = (
            f"{format_plural(thoughtful, 'output')} {verb} with thoughts; those of the model are kept with new answers "
            "(--reasoning drop leaves them out)"
        )
        return [*self.layouts, *self.column_notes, *([told] if thoughtful else [])]

    @property
    def column_notes(self) -> list[str]:
        """What becomes of columns that new records can't take over as they are, in sentences."""
        gone = [name for name in self.left_out if name not in self.templates]
        notes = []
        if self.templates:
            made = ", ".join(self.templates)
            notes.append(f"made anew by `aide export --to seeds`, from each record's own texts: {made}")
        if gone:
            why = "which may tell of one seed alone (--meta NAME takes a column over as it is)"
            notes.append(f"left out of new records: {', '.join(gone)}, {why}")
        return notes


def load_seeds(
    paths: Sequence[str], mapping: SeedMapping | None = None, streams: Streams = NO_STREAMS
) -> LoadedSeeds:
    """The seeds of all files and folders; `-` is standard input. What `streams` holds is not read again.

    Raises:
        InputError: nothing to read, or a line that can't be used (unless `skip_bad`), each named with its reason.
    """
    mapping = mapping or SeedMapping()
    if not paths:
        raise InputError(
            "no seeds were given", hint="name a file with about ten examples, or - for standard input"
        )
    tables: list[SeedTable] = []
    problems: list[LineProblem] = []
    rows = list(_read_rows(paths, mapping, streams, tables, problems))
    _settle_chats(rows, mapping)
    rows, separator = settle_outputs(rows, mapping.label_names, mapping.label_separator, problems)
    abouts = [_join_preambles(rows), *(table.about for table in tables)]
    seeds: dict[str, Seed] = {}
    repeated = 0
    for row in rows:
        try:
            seed = _make_seed(row.content, row.fields, mapping)
        except BadRowError as fault:
            problems.append(LineProblem(row.path, row.line, str(fault)))
            continue
        # A seed stands for its content: twice in the file it would get two shares of the target.
        repeated += seed.id in seeds
        seeds.setdefault(seed.id, seed)
    report_problems(problems, skip_bad=mapping.skip_bad, any_left=bool(seeds))
    if not seeds:
        raise InputError(f"{paths[0]} holds no examples", hint="it needs about ten, one a line")
    chats = [row for row in rows if row.content.draft.turns]
    format, task = _find_common(rows, "format"), _find_common(rows, "task")
    parted, left_out = split_columns(list(seeds.values()), mapping.meta)
    return LoadedSeeds(
        parted,
        _describe(rows),
        task if _TASK_NAME.fullmatch(task) else name_task(paths[0]),
        format if format in FORMATS else "",
        replace(_find_origin(rows, tables[0]), separator=separator),
        problems,
        next(filter(None, abouts), ""),
        repeated,
        left_out,
        (
            *(_describe_layout(table) for table in tables if table.container in TABLES and table.rows),
            *describe_chats([row.fields.row for row in chats], [row.content.draft for row in chats]),
        ),
        _learn_templates(left_out, rows),
    )


def _read_rows(
    paths: Sequence[str],
    mapping: SeedMapping,
    streams: Streams,
    tables: list[SeedTable],
    problems: list[LineProblem],
) -> Iterator[ReadRow]:
    """The rows that can be read; the tables that they stood in, and what can't be read, go into the lists."""
    named = (*mapping.input_fields, mapping.output_field, mapping.choices_field, *mapping.keep, *mapping.meta)
    known = KNOWN | {name.casefold() for name in named if name}
    for table in read_files(paths, mapping.encoding, tuple(known), streams, mapping.header, mapping.sheet):
        tables.append(table)
        problems += table.problems
        rows: list[ReadRow] = []
        unknown = 0
        missing: Counter[str] = Counter()
        for line, row in table.rows:
            fields = RowFields(name_tags(row, mapping.label_names))
            try:
                rows.append(ReadRow(table.path, line, fields, *_read_content(fields, mapping)))
            except BadRowError as fault:
                unknown += isinstance(fault, UnknownColumnsError)
                missing.update([fault.name] if isinstance(fault, MissingFieldError) else [])
                problems.append(LineProblem(table.path, line, str(fault)))
        if unknown == len(table.rows) > 0 and not mapping.skip_bad:
            raise _ask_for_columns(table)
        if rows or mapping.skip_bad:
            missing.clear()
        for name, times in missing.items():
            if times == len(table.rows):  # said once, not for every row
                raise _ask_for_field(table, name)
        empty = _find_empty_halves(rows)
        problems += [LineProblem(table.path, rows[place].line, fault) for place, fault in empty.items()]
        yield from (row for place, row in enumerate(rows) if place not in empty)


def _ask_for_columns(table: SeedTable) -> InputError:
    """The fault of a file of which no column is known, said once, with a command that would read it."""
    columns = list(dict.fromkeys(name for _, row in table.rows for name in row))
    fields = RowFields(dict.fromkeys(columns, ""))
    input, output = guess_columns([row for _, row in table.rows])
    ways = [f"add --input-field {quote(input)} --output-field {quote(output)}"] if input and output else []
    if table.container in TABLES:
        ways.append("--no-header, if the first row is an example" if table.header else "--header")
    return InputError(
        f"{table.path}: has no column that is known for an {'output' if fields.find(INPUTS) else 'input'}; "
        f"its columns are {', '.join(columns)}",
        hint=", or ".join(ways) or "each example needs an input and an output",
        remedy=("--input-field", input, "--output-field", output) if input and output else (),
    )


def _ask_for_field(table: SeedTable, name: str) -> InputError:
    columns = list(dict.fromkeys(column for _, row in table.rows for column in row))
    return InputError(
        f"{table.path}: has no column {name!r}{suggest_name(name, columns)}",
        hint=f"its columns are {', '.join(columns)}",
    )


def _find_empty_halves(rows: Sequence[ReadRow]) -> dict[int, str]:
    """What is wrong, by the place of the row, where input or output were taken from another column than in most rows.

    Where one row's `answer` is empty, its `category` would be read as the answer, and nobody would notice. A column
    that no other row has beside the usual one is another name for the same thing.
    """
    faults: dict[int, str] = {}
    for half in ("input", "output"):
        taken = [row.content.roles.get(half, "") for row in rows]
        usual = max(set(taken), key=taken.count, default="")
        beside = {name for row in rows if row.fields.row.get(usual) is not None for name in row.fields.row}
        faults |= {
            place: f"has an empty {usual}"
            for place, column in enumerate(taken)
            if usual and column != usual and column in beside
        }
    return faults


def _read_content(fields: RowFields, mapping: SeedMapping) -> tuple[str, RowContent]:
    """The name of a row's shape, and what the row says.

    Raises:
        BadRowError: it can't be read, or a half of it is a missing value.
    """
    shape, content = recognise_row(fields, mapping)
    draft, labels = content.draft, mapping.labels
    if draft.turns and not draft.output:
        if mapping.unanswered:
            return shape, content
        raise BadRowError(describe_end(draft.turns))
    if is_missing(draft.input):
        raise BadRowError(f"has an empty input (it says {draft.input})")
    # An option of a question may be any word.
    if is_missing(draft.output) and not draft.choices and labels is not None and draft.output not in labels:
        raise BadRowError(f"has an empty output (it says {draft.output})")
    return shape, content


def recognise_row(fields: RowFields, mapping: SeedMapping) -> tuple[str, RowContent]:
    """The name of a row's shape, and what it says; raises `BadRowError`."""
    # What a person names is taken as named, and nothing is guessed from shapes that might overrule it.
    if not (mapping.input_fields or mapping.output_field or mapping.choices_field):
        shape = recognise_shape(fields)
        return shape.name, shape.read(fields)
    inputs = [name for name in mapping.input_fields if name not in mapping.keep]
    if mapping.input_fields and not inputs:
        raise BadRowError(f"has nothing besides {', '.join(mapping.keep)} that may vary")
    inputs = inputs or [fields.find(INPUTS)]
    output = mapping.output_field or fields.find(OUTPUTS, *inputs)
    choices = mapping.choices_field or fields.find(CHOICES)
    if not all(inputs) or not output:
        raise lack_field(fields, "output" if all(inputs) else "input")
    texts = [(name, read_text_value(fields.get(name))) for name in inputs]
    options, letters = read_options(fields.get(choices)) if choices else ((), ())
    whole = texts[0][1] if len(texts) == 1 else "\n".join(f"{name}: {text}" for name, text in texts)
    if len(inputs) == 1 and fields.row.keys() >= {inputs[0], output, *([choices] if choices else [])}:
        roles = {"input": inputs[0], "output": output, **({"choices": choices} if choices else {})}
    else:
        roles = {"output": output, **{f"input {n}": name for n, name in enumerate(inputs, 1)}}
    content = make_content(fields, roles, whole, fields.get(output), options, letters)
    return "the fields that were named", content


def _settle_chats(rows: Sequence[ReadRow], mapping: SeedMapping) -> None:
    """Make all rows chats where one is more than an input and its output, else none; a pattern needs texts."""
    drafts = settle_chats([row.content.draft for row in rows])
    if mapping.keep or mapping.input_pattern:
        drafts = [flatten_chat(draft) for draft in drafts]
    for row, draft in zip(rows, drafts, strict=True):
        content = row.content
        said = content.preamble or ("" if "instruction" in content.roles else draft.system)
        row.content = replace(content, draft=draft, preamble="" if draft.turns else said)


def _join_preambles(rows: Sequence[ReadRow]) -> str:
    """An instruction common to all examples says what the task is; one that differs is put before its input."""
    preambles = {row.content.preamble for row in rows}
    if len(preambles) == 1:
        return preambles.pop()
    for row in rows:
        if preamble := row.content.preamble:
            draft = row.content.draft
            joined = replace(draft, input=f"{preamble}\n\n{draft.input}")
            row.content = replace(row.content, draft=joined)
    return ""


def _make_seed(content: RowContent, fields: RowFields, mapping: SeedMapping) -> Seed:
    row, keep, own_parts = fields.row, tuple(mapping.keep), find_varying_name(fields.row)
    if mapping.input_pattern:
        varying, parts = split_by_pattern(content.draft.input, mapping.input_pattern, keep)
    elif own_parts:
        varying, parts = read_record_parts(row, content.draft.input, keep)
    else:
        kept = [(name, read_text_value(fields.get(name))) for name in keep]
        varying, parts = keep_fields(content, kept, mapping.input_fields)
    draft = replace(content.draft, input=varying)
    id_field = next((name for name in IDS if row.get(name) is not None), "")
    used = {*content.roles.values(), *keep, id_field, *_OWN, *(["varying"] if own_parts else [])}
    used |= _OF_A_RECORD if "lineage" in row else set()
    carried = row.get("meta")
    meta = dict(carried) if isinstance(carried, Mapping) else {}
    meta |= {key: value for key, value in row.items() if key not in used}
    # A record keeps its quote among the rest, because the data sets that it is exported to have no such field.
    quote = meta.pop("evidence", "") if "lineage" in row else ""
    if quote and not draft.evidence:
        draft = replace(draft, evidence=str(quote))
    name = read_text_value(row[id_field]) if id_field else ""
    return Seed(Seed.identify(draft, parts), draft, parts, name, meta)


def _describe(rows: Sequence[ReadRow]) -> str:
    shapes = Counter(row.shape for row in rows).most_common()
    names = [f"{name} ({count})" if len(shapes) > 1 else name for name, count in shapes]
    roles = rows[0].content.roles
    columns = ", ".join(f"{column} as {role}" if role != column else column for role, column in roles.items())
    return f"{format_plural(len(rows), 'example')}: {' and '.join(names)}; read {columns}."


def _learn_templates(names: Sequence[str], rows: Sequence[ReadRow]) -> dict[str, ColumnTemplate]:
    sources = tuple(rows[0].content.roles.values())
    learnt = {name: ColumnTemplate.learn(name, sources, [row.fields.row for row in rows]) for name in names}
    return {name: template for name, template in learnt.items() if template}


def _describe_layout(table: SeedTable) -> str:
    row = table.rows[0][1]
    if table.header:
        return f"{table.path}: its first row is a header: {', '.join(row)}"
    cells = " | ".join(" ".join(str(cell).split())[:_SHOWN_OF_CELL] for cell in row.values())
    return f"{table.path}: it has no header, its first example is: {cells}"


def _find_common(rows: Sequence[ReadRow], name: str) -> str:
    """The text that all rows have in this field of ours; empty where they differ or have none."""
    values = {value if isinstance(value := row.fields.row.get(name), str) else "" for row in rows}
    return values.pop() if len(values) == 1 else ""


def _find_origin(rows: Sequence[ReadRow], first: SeedTable) -> SeedOrigin:
    shape = Counter(row.shape for row in rows).most_common(1)[0][0]
    usual = next(row for row in rows if row.shape == shape)
    columns, roles = tuple(rows[0].fields.row), usual.content.roles
    return SeedOrigin(first.container, columns, shape, roles, first.delimiter, first.header)
