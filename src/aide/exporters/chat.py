"""Examples as lines: OpenAI's messages, ShareGPT, Alpaca, TRL's prompt and completion."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aide.dataset.lines import Line, write
from aide.exporters.base import Job, Render, Written


@dataclass(frozen=True, slots=True)
class Lines:
    """One example a line, made by `render`."""

    render: Render
    streams: bool = True

    def write(self, lines: Iterable[Line], job: Job) -> Written:
        """Write the lines."""
        return Written(write(job.dest, self._rendered(lines, job)))

    def _rendered(self, lines: Iterable[Line], job: Job) -> Iterator[dict[str, Any]]:
        return (self.render(line, job) for line in lines)


def messages(line: Line, job: Job) -> dict[str, Any]:
    """`{"messages": [{"role": …, "content": …}, …]}`: OpenAI, TRL, Axolotl, LLaMA-Factory."""
    return {"messages": job.rendering.example(line).messages()}


def sharegpt(line: Line, job: Job) -> dict[str, Any]:
    """`{"conversations": [{"from": …, "value": …}, …]}`, with `system`, `human` and `gpt` speaking."""
    speakers = {"system": "system", "user": "human", "assistant": "gpt"}
    turns = job.rendering.example(line).messages()
    return {"conversations": [{"from": speakers[turn["role"]], "value": turn["content"]} for turn in turns]}


def alpaca(line: Line, job: Job) -> dict[str, Any]:
    """`instruction`, `input`, `output`, and `system` where there is one; the instruction is never empty."""
    example = job.rendering.example(line)
    instruction, input = (example.instruction, example.body) if example.instruction else (example.body, "")
    row = {"instruction": instruction, "input": input, "output": example.answer}
    return {**row, "system": example.system} if example.system else row


def prompt_completion(line: Line, job: Job) -> dict[str, Any]:
    """TRL's `prompt` and `completion`: as text, or as turns where a system text goes before them."""
    example = job.rendering.example(line)
    if not example.system:
        return {"prompt": example.user, "completion": example.answer}
    *prompt, completion = example.messages()
    return {"prompt": prompt, "completion": [completion]}


__all__ = ["Lines", "alpaca", "messages", "prompt_completion", "sharegpt"]
