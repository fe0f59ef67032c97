"""LLaMA-Factory: a file of examples, and its entry in `dataset_info.json`.

The entry says how the file is laid out, as that project's `data/README.md` describes: OpenAI's messages, with
every tag written out.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aide.atomic import write_atomic
from aide.dataset.lines import RecordLine, make_folder, write_lines
from aide.errors import InputError
from aide.exporters.base import ExportJob, ExportResult
from aide.exporters.chat import join_tools, list_said
from aide.records import ASSISTANT, CALL, SYSTEM, TOOL, USER

INDEX: Final = "dataset_info.json"

_ROLES: Final = {TOOL: "observation", CALL: "function_call"}
_SIDES: Final = ((USER, TOOL), (ASSISTANT, CALL))


@dataclass(frozen=True, slots=True)
class LlamaFactoryExporter:
    """A folder with the examples in `<name>.jsonl` and the key `<name>` in its `dataset_info.json`."""

    streams: bool = False

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write the examples and add the key. Other keys are kept; another data set of this name is not replaced."""
        folder = Path(job.dest)
        make_folder(folder)
        file = f"{job.name}.jsonl"
        index = _read_index(folder / INDEX)
        # An entry with our file is our own of an earlier export, which may be written anew.
        if index.get(job.name, {"file_name": file}).get("file_name") != file:
            raise InputError(
                f"{folder / INDEX} has another data set named {job.name!r}", hint="choose a name with --name"
            )
        data = folder / file
        if job.name not in index and data.exists():
            raise InputError(f"{data} exists already", hint="choose a name with --name")
        columns: set[str] = set()
        count = write_lines(str(data), (_render(line, job, columns) for line in lines))
        # The index last: it never names a file that is not there.
        entry = _make_entry(file, tools="tools" in columns)
        if index.get(job.name) != entry:
            index[job.name] = entry
            write_atomic(folder / INDEX, json.dumps(index, ensure_ascii=False, indent=2) + "\n")
        return ExportResult(count, files=(file,))

    def forget(self, folder: Path, files: Collection[str]) -> None:
        """Drop the keys of files that are gone."""
        index = _read_index(folder / INDEX)
        kept = {
            name: entry
            for name, entry in index.items()
            if not (isinstance(entry, dict) and entry.get("file_name") in files)
        }
        if kept != index:
            write_atomic(folder / INDEX, json.dumps(kept, ensure_ascii=False, indent=2) + "\n")


def _render(line: RecordLine, job: ExportJob, columns: set[str]) -> dict[str, Any]:
    """The example of a line; its columns are noted in `columns`.

    Raises:
        InputError: its turns are in an order that LLaMA-Factory passes over with nothing but a warning.
    """
    example = job.rendering.example(line)
    said = list_said(example.list_turns())
    spoken = [kind for kind, _ in said if kind != SYSTEM]
    if any(kind not in _SIDES[place % 2] for place, kind in enumerate(spoken)) or len(spoken) % 2:
        raise InputError(
            f"{line.where}: its turns are {', '.join(spoken)}; LLaMA-Factory takes those of both sides in turn",
            hint="--to messages",
        )
    messages = [{"role": _ROLES.get(kind, kind), "content": text} for kind, text in said]
    row = {"messages": messages, **join_tools(example)}
    columns.update(row)
    return row


def _make_entry(file: str, *, tools: bool) -> dict[str, Any]:
    tags = {f"{tag}_tag": tag for tag in ("role", "content", "user", "assistant", "system")}
    return {
        "file_name": file,
        "formatting": "sharegpt",
        "columns": {"messages": "messages", **({"tools": "tools"} if tools else {})},
        "tags": {**tags, "observation_tag": _ROLES[TOOL], "function_tag": _ROLES[CALL]},
    }


def _read_index(path: Path) -> dict[str, Any]:
    hint = "correct it, or name another folder with -o"
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as fault:
        raise InputError(f"{path} can't be read: {fault}", hint=hint) from fault
    if not isinstance(index, dict):
        raise InputError(f"{path} is no JSON object", hint=hint)
    return index
