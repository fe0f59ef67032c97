"""Examples as lines: OpenAI's messages, ShareGPT, Alpaca, TRL's prompt and completion."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aide.dataset.lines import RecordLine, write_lines
from aide.exporters.base import ExportJob, ExportResult, Render


@dataclass(frozen=True, slots=True)
class LineExporter:
    """One example a line, made by `render`."""

    render: Render
    streams: bool = True

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write the lines."""
        return ExportResult(write_lines(job.dest, self._rendered(lines, job)))

    def _rendered(self, lines: Iterable[RecordLine], job: ExportJob) -> Iterator[dict[str, Any]]:
        return (self.render(line, job) for line in lines)


def render_messages(line: RecordLine, job: ExportJob) -> dict[str, Any]:
    """`{"messages": [{"role": …, "content": …}, …]}`: OpenAI, TRL, Axolotl, LLaMA-Factory."""
    return {"messages": job.rendering.example(line).messages()}


def render_sharegpt(line: RecordLine, job: ExportJob) -> dict[str, Any]:
    """`{"conversations": [{"from": …, "value": …}, …]}`, with `system`, `human` and `gpt` speaking."""
    speakers = {"system": "system", "user": "human", "assistant": "gpt"}
    turns = job.rendering.example(line).messages()
    return {"conversations": [{"from": speakers[turn["role"]], "value": turn["content"]} for turn in turns]}


def render_alpaca(line: RecordLine, job: ExportJob) -> dict[str, Any]:
    """`instruction`, `input`, `output`, and `system` where there is one; the instruction is never empty."""
    example = job.rendering.example(line)
    instruction, input = (example.instruction, example.body) if example.instruction else (example.body, "")
    row = {"instruction": instruction, "input": input, "output": example.answer}
    return {**row, "system": example.system} if example.system else row


def render_prompt_completion(line: RecordLine, job: ExportJob) -> dict[str, Any]:
    """TRL's `prompt` and `completion`: as text, or as turns where a system text goes before them."""
    example = job.rendering.example(line)
    if not example.system:
        return {"prompt": example.user, "completion": example.answer}
    *prompt, completion = example.messages()
    return {"prompt": prompt, "completion": [completion]}


__all__ = ["LineExporter", "render_alpaca", "render_messages", "render_prompt_completion", "render_sharegpt"]
