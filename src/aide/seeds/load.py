"""Any input shape to seeds: rows are read, recognised, split into parts, and every bad one is named."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Final

from aide.errors import InputError
from aide.records import FORMATS, Draft, Seed, find_varying_name
from aide.seeds.files import LineProblem, SeedTable, name_task, read_files
from aide.seeds.parts import keep_fields, read_record_parts, split_by_pattern
from aide.seeds.shapes import (
    CHOICES,
    IDS,
    INPUTS,
    KNOWN,
    OUTPUTS,
    BadRowError,
    RowContent,
    RowFields,
    add_extras,
    read_content,
    read_options,
    read_text_value,
    recognise_shape,
    resolve_option,
)

# What a record of ours holds besides its content: about that record, not about what grows from it.
_OWN: Final = frozenset(
    {"lineage", "scores", "revisions", "model", "parts", "keep", "meta", "format", "task"}
)
_TOLD: Final = 20
_SLUG: Final = re.compile(r"[\w.\-]{1,64}")


@dataclass(frozen=True, slots=True)
class SeedMapping:
    """What a person says about the columns where guessing fails; empty means guess."""

    input_fields: Sequence[str] = ()
    output_field: str = ""
    choices_field: str = ""
    keep: Sequence[str] = ()
    input_pattern: str = ""
    encoding: str = ""
    skip_bad: bool = False


@dataclass(frozen=True, slots=True)
class SeedOrigin:
    """How the seeds were stored, so that records can be written in the same way.

    `container` is `jsonl`, `json`, `csv`, `parquet` or `arrow`; `columns` are those of the first row, in
    order; `roles` leads from a role (`input`, `output`, `choices`, `choice 1`, …) to its column.
    """

    container: str
    columns: tuple[str, ...]
    shape: str
    roles: Mapping[str, str]
    delimiter: str = ""
    header: bool = True


@dataclass(frozen=True, slots=True)
class LoadedSeeds:
    """Seeds, and what was found out about them.

    `shape` is one sentence for a person; `task` is the name of the task; `sentence` is what the file itself
    says about the task, maybe nothing; `format_hint` is the format it names for all seeds; `repeated` counts
    rows with the content of an earlier one, which are left out.
    """

    seeds: list[Seed]
    shape: str
    task: str
    format_hint: str
    origin: SeedOrigin
    problems: list[LineProblem] = field(default_factory=list)
    sentence: str = ""
    repeated: int = 0


@dataclass(slots=True)
class _Found:
    contents: list[RowContent] = field(default_factory=list)
    rows: list[tuple[str, int, Mapping[str, Any]]] = field(default_factory=list)
    problems: list[LineProblem] = field(default_factory=list)
    shapes: Counter[str] = field(default_factory=Counter)
    sentences: set[str] = field(default_factory=set)
    first: SeedTable | None = None


def load_seeds(
    paths: Sequence[str], mapping: SeedMapping | None = None, stdin: BinaryIO | None = None
) -> LoadedSeeds:
    """The seeds of all files.

    Args:
        paths: files or folders; `-` is standard input.
        mapping: what the person says about the columns.
        stdin: what `-` reads, in bytes.

    Raises:
        InputError: nothing to read, or a line that can't be used (unless `skip_bad`), each named with its
        reason.
    """
    mapping = mapping or SeedMapping()
    if not paths:
        raise InputError(
            "no seeds were given", hint="name a file with about ten examples, or - for standard input"
        )
    found = _read(paths, mapping, stdin)
    sentence = _preambles(found)
    seeds: dict[str, Seed] = {}
    repeated = 0
    for content, (path, line, row) in zip(found.contents, found.rows, strict=True):
        try:
            seed = _seed(content, row, mapping)
        except BadRowError as fault:
            found.problems.append(LineProblem(path, line, str(fault)))
            continue
        repeated += seed.id in seeds
        seeds.setdefault(seed.id, seed)
    _report(found.problems, mapping, any_left=bool(seeds))
    if not seeds or found.first is None:
        raise InputError(f"{paths[0]} holds no examples", hint="it needs about ten, one a line")
    formats = {str(row.get("format", "")) for _, _, row in found.rows}
    return LoadedSeeds(
        list(seeds.values()),
        _told(found),
        _task(found, paths[0]),
        formats.pop() if len(formats) == 1 and formats <= set(FORMATS) else "",
        _origin(found, found.first),
        found.problems,
        sentence or next(iter(found.sentences), ""),
        repeated,
    )


def _read(paths: Sequence[str], mapping: SeedMapping, stdin: BinaryIO | None) -> _Found:
    named = (*mapping.input_fields, mapping.output_field, mapping.choices_field, *mapping.keep)
    known = KNOWN | {name.casefold() for name in named if name}
    found = _Found()
    for table in read_files(paths, mapping.encoding, tuple(known), stdin):
        found.first = found.first or table
        found.problems += table.problems
        if table.about:
            found.sentences.add(table.about)
        for line, row in table.rows:
            fields = RowFields(row)
            try:
                name, content = _content(fields, mapping)
            except BadRowError as fault:
                found.problems.append(LineProblem(table.path, line, str(fault)))
                continue
            found.shapes[name] += 1
            found.contents.append(content)
            found.rows.append((table.path, line, row))
    return found


def _content(fields: RowFields, mapping: SeedMapping) -> tuple[str, RowContent]:
    if not (mapping.input_fields or mapping.output_field or mapping.choices_field):
        shape = recognise_shape(fields)
        return shape.name, shape.read(fields)
    inputs = [name for name in mapping.input_fields if name not in mapping.keep]
    if mapping.input_fields and not inputs:
        raise BadRowError(f"has nothing besides {', '.join(mapping.keep)} that may vary")
    inputs = inputs or [fields.first(INPUTS)]
    output = mapping.output_field or fields.first(OUTPUTS, *inputs)
    choices = mapping.choices_field or fields.first(CHOICES)
    if not all(inputs) or not output:
        missing = "output" if all(inputs) else "input"
        raise BadRowError(f"has no {missing}; its fields are {', '.join(fields.row)}")
    if (
        len(inputs) == 1
        and {inputs[0], output} <= fields.row.keys()
        and (not choices or choices in fields.row)
    ):
        return "the fields that were named", read_content(fields, inputs[0], output, choices)
    texts = [(name, read_text_value(fields.exact(name))) for name in inputs]
    whole = texts[0][1] if len(texts) == 1 else "\n".join(f"{name}: {text}" for name, text in texts)
    options, letters = read_options(fields.exact(choices)) if choices else ((), ())
    said = fields.exact(output)
    content = RowContent(
        whole, resolve_option(options, letters, said) if options else read_text_value(said), options
    )
    content.roles = {"output": output, **{f"input {n}": name for n, name in enumerate(inputs, 1)}}
    return "the fields that were named", add_extras(fields, content)


def _preambles(found: _Found) -> str:
    """An instruction common to all examples says what the task is; one that differs belongs to its input."""
    preambles = {content.preamble for content in found.contents}
    if len(preambles) == 1:
        return preambles.pop()
    for content in found.contents:
        if content.preamble:
            content.input = f"{content.preamble}\n\n{content.input}"
    return ""


def _seed(content: RowContent, row: Mapping[str, Any], mapping: SeedMapping) -> Seed:
    if mapping.input_pattern:
        varying, parts = split_by_pattern(content.input, mapping.input_pattern, tuple(mapping.keep))
    elif find_varying_name(row):
        varying, parts = read_record_parts(row, content.input, tuple(mapping.keep))
    else:
        kept = [(name, read_text_value(RowFields(row).exact(name))) for name in mapping.keep]
        varying, parts = keep_fields(content, kept, mapping.input_fields)
    draft = Draft(
        varying, content.output, content.choices, content.tests, content.reasoning, content.evidence
    )
    used = {*content.roles.values(), *mapping.keep, *(["varying"] if find_varying_name(row) else [])}
    name_field = next((name for name in IDS if row.get(name) is not None), "")
    carried = row.get("meta") if isinstance(row.get("meta"), Mapping) else {}
    own = _OWN if "lineage" in row else _OWN - {"lineage", "scores", "revisions", "model"}
    rest = {
        key: value for key, value in row.items() if key not in used and key not in own and key != name_field
    }
    meta = {**(carried or {}), **rest}
    quote = meta.pop("evidence", "") if "lineage" in row else ""
    if quote and not draft.evidence:
        draft = replace(draft, evidence=str(quote))
    name = read_text_value(row[name_field]) if name_field else ""
    return Seed(Seed.identify(draft, parts), draft, parts, name, meta)


def _report(problems: Sequence[LineProblem], mapping: SeedMapping, *, any_left: bool) -> None:
    if not problems or (mapping.skip_bad and any_left):
        return
    told = "\n".join(str(problem) for problem in problems[:_TOLD])
    more = f"\nand {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
    mend = any("field" in problem.reason or "has no" in problem.reason for problem in problems)
    ways = ["name the columns with --input-field and --output-field"] if mend else []
    ways += ["mend the file"] + (["leave such lines out with --skip-bad"] if any_left else [])
    raise InputError(told + more, hint=", or ".join(ways))


def _told(found: _Found) -> str:
    names = [
        f"{name} ({count})" if len(found.shapes) > 1 else name for name, count in found.shapes.most_common()
    ]
    roles = found.contents[0].roles
    columns = ", ".join(f"{column} as {role}" if role != column else column for role, column in roles.items())
    count = len(found.contents)
    return f"{count} example{'s' if count != 1 else ''}: {' and '.join(names)}; read {columns}."


def _task(found: _Found, path: str) -> str:
    names = {row.get("task") for _, _, row in found.rows}
    name = names.pop() if len(names) == 1 else None
    return name if isinstance(name, str) and _SLUG.fullmatch(name) else name_task(path)


def _origin(found: _Found, first: SeedTable) -> SeedOrigin:
    row = found.rows[0][2]
    shape = found.shapes.most_common(1)[0][0]
    return SeedOrigin(
        first.container, tuple(row), shape, found.contents[0].roles, first.delimiter, first.header
    )
