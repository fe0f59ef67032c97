"""LLaMA-Factory: a file of examples, and its entry in `dataset_info.json`.

The entry says how the file is laid out, as that project's `data/README.md` describes: OpenAI's messages, with
every tag written out.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aide.atomic import write_atomic
from aide.dataset.lines import RecordLine, make_folder, write_lines
from aide.errors import InputError
from aide.exporters.base import ExportJob, ExportResult
from aide.exporters.chat import render_messages

INDEX: Final = "dataset_info.json"


@dataclass(frozen=True, slots=True)
class LlamaFactoryExporter:
    """A folder with the examples in `<name>.jsonl` and the key `<name>` in its `dataset_info.json`."""

    streams: bool = False

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write the examples and add the key. Other keys are kept; another data set of this name is not replaced."""
        folder = Path(job.dest)
        make_folder(folder)
        entry = _make_entry(job.name)
        index = _read_index(folder / INDEX)
        # An equal entry is our own of an earlier export, which may be written anew.
        if index.get(job.name, entry) != entry:
            raise InputError(
                f"{folder / INDEX} has another data set named {job.name!r}", hint="choose a name with --name"
            )
        data = folder / entry["file_name"]
        if job.name not in index and data.exists():
            raise InputError(f"{data} exists already", hint="choose a name with --name")
        count = write_lines(str(data), (render_messages(job.rendering.example(line)) for line in lines))
        # The index last: it never names a file that is not there.
        if job.name not in index:
            index[job.name] = entry
            write_atomic(folder / INDEX, json.dumps(index, ensure_ascii=False, indent=2) + "\n")
        return ExportResult(count)


def _make_entry(name: str) -> dict[str, Any]:
    return {
        "file_name": f"{name}.jsonl",
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": {f"{tag}_tag": tag for tag in ("role", "content", "user", "assistant", "system")},
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
