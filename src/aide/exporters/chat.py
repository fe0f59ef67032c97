"""Examples as JSON lines: OpenAI's messages, ShareGPT, Alpaca, TRL's prompt and completion."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aide.dataset.lines import RecordLine, write_lines
from aide.errors import InputError
from aide.exporters.base import ExportJob, ExportResult
from aide.exporters.chat_style import SHAREGPT, write_sharegpt_calls
from aide.exporters.rendering import TrainingExample
from aide.records import ASSISTANT, CALL, SYSTEM, TOOL, USER, Turn
from aide.records.turns import THOUGHTS_FIELD


@dataclass(frozen=True, slots=True)
class LineExporter:
    """One example a line, in the form that `render` gives it."""

    render: Callable[[TrainingExample], dict[str, Any]]
    streams: bool = True

    def write(self, lines: Iterable[RecordLine], job: ExportJob) -> ExportResult:
        """Write the lines."""
        return ExportResult(write_lines(job.dest, (self._render(line, job) for line in lines)))

    def _render(self, line: RecordLine, job: ExportJob) -> dict[str, Any]:
        example = job.rendering.example(line)
        try:
            return self.render(example)
        except ValueError as fault:
            raise InputError(f"{line.where}: {fault}", hint="--to messages or --to sharegpt") from fault


def render_messages(example: TrainingExample) -> dict[str, Any]:
    """`{"messages": [{"role": …, "content": …}, …]}`: OpenAI, TRL, Axolotl; functions stand in `tools`."""
    tools = {"tools": [json.loads(tool) for tool in example.tools]} if example.tools else {}
    return {"messages": example.messages(), **tools}


def render_sharegpt(example: TrainingExample) -> dict[str, Any]:
    """`{"conversations": [{"from": …, "value": …}, …]}`; the speakers are those of LLaMA-Factory.

    They are `system`, `human` and `gpt`; calls are said by `function_call`, their results by `observation`, and `tools`
    is JSON text.
    """
    turns = example.list_turns()
    said = [{"from": SHAREGPT[kind], "value": text} for kind, text in list_said(turns)]
    if turns[-1].thoughts:
        said[-1][THOUGHTS_FIELD] = turns[-1].thoughts
    return {"conversations": said, **join_tools(example)}


def list_said(turns: Sequence[Turn]) -> list[tuple[str, str]]:
    """Each turn as its kind and one text: calls as JSON, the results of several calls below each other."""
    said: list[tuple[str, str]] = []
    for turn in turns:
        if turn.role == TOOL and said and said[-1][0] == TOOL:
            said[-1] = (TOOL, f"{said[-1][1]}\n{turn.content}")
        elif turn.content or not turn.calls:
            said.append((turn.role, turn.content))
        if turn.calls:
            said.append((CALL, write_sharegpt_calls(turn.calls)))
    return said


def join_tools(example: TrainingExample) -> dict[str, str]:
    """The column of functions as JSON text: as values of a table they would get each other's fields."""
    tools = [json.loads(tool) for tool in example.tools]
    return {"tools": json.dumps(tools, ensure_ascii=False)} if tools else {}


def render_alpaca(example: TrainingExample) -> dict[str, Any]:
    """`instruction`, `input`, `output`, and `system` if there is one.

    The instruction is never empty, since Alpaca's prompt is built around it: without one, the input takes its
    place. Earlier turns stand in `history`, as pairs of user and assistant.

    Raises:
        ValueError: a chat has turns that Alpaca has no place for; its text is a clause that follows the name of a line.
    """
    if example.turns:
        return _render_history(example)
    instruction, input = (example.instruction, example.body) if example.instruction else (example.body, "")
    row = {"instruction": instruction, "input": input, "output": example.answer}
    if example.reasoning:
        row[THOUGHTS_FIELD] = example.reasoning
    return {**row, "system": example.system} if example.system else row


def _render_history(example: TrainingExample) -> dict[str, Any]:
    turns = example.list_turns()
    system = turns.pop(0).content if turns[0].role == SYSTEM else ""
    pairs = list(zip(turns[::2], turns[1::2], strict=len(turns) % 2 == 0))
    if (
        any(user.role != USER or said.role != ASSISTANT or said.calls for user, said in pairs)
        or len(turns) % 2
    ):
        raise ValueError("Alpaca has no place for its calls, or for two turns of one side in a row")
    *before, (user, said) = pairs
    row = {"instruction": user.content, "input": "", "output": said.content}
    row |= {"system": system} if system else {}
    return {**row, "history": [[asked.content, answer.content] for asked, answer in before]}


def render_prompt_completion(example: TrainingExample) -> dict[str, Any]:
    """TRL's `prompt` and `completion`."""
    prompt, completion = example.as_completions(example.answer)
    tools = {"tools": [json.loads(tool) for tool in example.tools]} if example.tools else {}
    return {"prompt": prompt, "completion": completion, **tools}
