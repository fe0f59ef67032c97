"""Examples as JSON lines: OpenAI's messages, ShareGPT, Alpaca, TRL's prompt and completion."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from aide.dataset.lines import RecordLine, write_lines
from aide.exporters.base import ExportJob, ExportResult
from aide.exporters.rendering import TrainingExample

_SHAREGPT_SPEAKERS: Final = {"system": "system", "user": "human", "assistant": "gpt"}


@dataclass(frozen=True, slots=True)
class LineExporter:
    """One example a line, in the form that `render` gives it."""

    render: Callable[[TrainingExample], dict[str, Any]]
    streams: bool = True

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write the lines."""
        rows = (self.render(job.rendering.example(line)) for line in lines)
        return ExportResult(write_lines(job.dest, rows))


def render_messages(example: TrainingExample) -> dict[str, Any]:
    """`{"messages": [{"role": …, "content": …}, …]}`: OpenAI, TRL, Axolotl, LLaMA-Factory."""
    return {"messages": example.messages()}


def render_sharegpt(example: TrainingExample) -> dict[str, Any]:
    """`{"conversations": [{"from": …, "value": …}, …]}`; the speakers are `system`, `human` and `gpt`."""
    turns = example.messages()
    return {
        "conversations": [
            {"from": _SHAREGPT_SPEAKERS[turn["role"]], "value": turn["content"]} for turn in turns
        ]
    }


def render_alpaca(example: TrainingExample) -> dict[str, Any]:
    """`instruction`, `input`, `output`, and `system` if there is one.

    The instruction is never empty, since Alpaca's prompt is built around it: without one, the input takes its
    place.
    """
    instruction, input = (example.instruction, example.body) if example.instruction else (example.body, "")
    row = {"instruction": instruction, "input": input, "output": example.answer}
    return {**row, "system": example.system} if example.system else row


def render_prompt_completion(example: TrainingExample) -> dict[str, Any]:
    """TRL's `prompt` and `completion`."""
    prompt, completion = example.as_completions(example.answer)
    return {"prompt": prompt, "completion": completion}
