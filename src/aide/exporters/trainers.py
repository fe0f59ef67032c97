"""What one trainer needs: its form of examples, a configuration beside them, and the command that starts it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import jinja2

from aide.atomic import write_atomic
from aide.dataset.lines import RecordLine, make_folder
from aide.exporters.base import ExportJob, ExportResult
from aide.exporters.chat import LineExporter, render_messages, render_prompt_completion
from aide.exporters.written import WrittenFiles

TRAIN: Final = "train"
VALIDATION: Final = "validation"
_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("aide.exporters"),
    autoescape=False,
    trim_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True)
class TrainerExporter:
    """A folder with `train.jsonl` and, of a split, `validation.jsonl` and `test.jsonl`, and a configuration."""

    form: LineExporter
    command: str
    """What a person types next, inside the folder."""
    config: str = ""
    """Name of the configuration; empty where the trainer takes none."""
    template: str = ""
    streams: bool = False

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write the examples as training data alone, and the configuration."""
        result = self.write_part(lines, job, TRAIN)
        result.kept = self.write_config(Path(job.dest), held_out=False)
        result.files += (self.config,) if self.config else ()
        return result

    def write_part(self, lines: Iterable[RecordLine], job: ExportJob, part: str) -> ExportResult:
        """Write one part.

        Raises:
            InputError: the folder can't be written, or a line makes no example.
        """
        folder = Path(job.dest)
        make_folder(folder)
        file = f"{part}.jsonl"
        result = self.form.write(lines, replace(job, dest=str(folder / file)))
        result.files = (file,)
        return result

    def write_config(self, folder: Path, *, held_out: bool) -> tuple[str, ...]:
        """Write the configuration; one that a person has edited is left as it is, and its name is returned."""
        path = folder / self.config
        if not self.config:
            return ()
        if path.exists() and not WrittenFiles.read(folder).is_unchanged(self.config):
            text = path.read_text(encoding="utf-8", errors="replace")
            if text not in (self.render_config(held_out=True), self.render_config(held_out=False)):
                return (self.config,)
        write_atomic(path, self.render_config(held_out=held_out))
        return ()

    def render_config(self, *, held_out: bool) -> str:
        """The configuration for training data alone, or with validation data beside it."""
        files = ", ".join(f'"{name}": "{name}.jsonl"' for name in (TRAIN, VALIDATION)[: 1 + held_out])
        return _TEMPLATES.get_template(self.template).render(held_out=held_out, files=f"{{{files}}}")


TRL: Final = TrainerExporter(
    LineExporter(render_prompt_completion),
    "pip install trl peft datasets && python train.py  # Mistral-7B; python train.py NAME: another student",
    "train.py",
    "train_trl.py.txt",
)
AXOLOTL: Final = TrainerExporter(
    LineExporter(render_messages), "axolotl train lora.yaml", "lora.yaml", "lora_axolotl.yaml.txt"
)
OPENAI: Final = TrainerExporter(
    LineExporter(render_messages), "openai api files.create -p fine-tune -f train.jsonl"
)
