"""What chat templates and thinking models put around a text, each mark named once.

Servers should take these marks off, and often leave some: a parser that is not set, a model newer than the server, a
stop token that is not known as one. Thinking in front of an answer and an end mark behind it are wrappings, and are
taken off. A mark anywhere else means that the text is not what it seems, and the gates refuse it.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ThinkingMark:
    """How one family of models opens and closes its thoughts."""

    opened: str
    closed: str
    family: str
    """Who writes it, for whoever keeps this table."""


THINKING: Final = (
    ThinkingMark("<think>", "</think>", "DeepSeek, Qwen, GLM and most others"),
    ThinkingMark("<thinking>", "</thinking>", "prompts that ask for it"),
    ThinkingMark("<thought>", "</thought>", "Gemma behind some servers"),
    ThinkingMark("<reasoning>", "</reasoning>", "fine-tunes"),
    ThinkingMark("<reflection>", "</reflection>", "fine-tunes"),
    ThinkingMark("<scratchpad>", "</scratchpad>", "prompts that ask for it"),
    ThinkingMark("<seed:think>", "</seed:think>", "Seed-OSS"),
    ThinkingMark("[THINK]", "[/THINK]", "Mistral"),
    ThinkingMark("<|begin_of_thought|>", "<|end_of_thought|>", "Sky-T1, OpenThinker"),
    ThinkingMark("<|START_THINKING|>", "<|END_THINKING|>", "Command"),
    ThinkingMark("<|channel>thought", "<channel|>", "Gemma 4"),
    ThinkingMark("<|thought_start|>", "<|thought_end|>", "fine-tunes"),
    ThinkingMark("◁think▷", "◁/think▷", "Kimi"),
)
_CLOSING: Final = ("</", "[/", "<|", "◁", "<channel|>")
"""Every closing mark begins with one of these."""
# What some models put around the answer once they have thought.
_ANSWER_IN: Final = (
    ("<|begin_of_solution|>", "<|end_of_solution|>"), ("<|begin_of_box|>", "<|end_of_box|>"),
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"), ("<response>", "</response>"), ("[RESPONSE]", "[/RESPONSE]"),
)  # fmt: skip
# What ends a turn. At the very end of a completion it says nothing but that.
_ENDS: Final = (
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|return|>", "<|end_of_text|>",
    "<|eot|>", "<|end_of_turn|>", "<|END_OF_TURN_TOKEN|>", "<|endofturn|>", "[|endofturn|]", "<end_of_turn>",
    "<turn|>", "<end_of_utterance>", "<｜end▁of▁sentence｜>", "</s>", "<eos>", "<eod>", "[EOS]", "[/INST]",
)  # fmt: skip
_MOST_ENDS: Final = 8  # a model that writes nothing but such marks has gone astray

# Any mark of a template, wherever it stands. Those in bars are of no other use; the rest are named one by one, because
# angle and square brackets are HTML, generics and lists as well. `<s>` is HTML, too, except where a text begins with it
# alone; so is `</s>`, except where nothing opens it.
CONTROL: Final = re.compile(
    r"<\|[A-Za-z/_][\w/.:▁-]{0,40}\|?>|<[A-Za-z][\w/]{0,30}\|>|<｜[^｜<>\n]{1,40}｜>|\[\|\w{1,20}\|\]|◁/?\w{1,12}▷"
    r"|\[/?(?:INST|THINK|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|gMASK|BOS|EOS|PAD|UNK|IMG)\]"
    r"|<</?SYS>>|</?(?:start_of_turn|end_of_turn|end_of_utterance|start_of_image|bos|eos|pad|unk|eod|sop|eop|gMASK)>"
    r"|<(?:fim_(?:prefix|middle|suffix)|extra_id_\d+|unused\d+|0x[0-9A-Fa-f]{2})>"
    r"|</?(?:tool_call|tool_calls|tool_response|function_call|function_calls|minimax:tool_call)>"
    r"|\A\s*<s>(?!.*</s>)|\A(?:(?!<s>).)*</s>",
    re.DOTALL,
)
THOUGHT: Final = re.compile(
    r"</?(?:think|thinking|thought|reasoning|reflection|scratchpad|seed:think)>", re.IGNORECASE
)

# Harmony: channels of messages, the last of which is for the reader. A server that knows the end of the message but not
# the marks leaves everything in between; one that drops special tokens alone leaves the channels' names.
_HARMONY: Final = re.compile(
    r"(?:<\|start\|>)?(?:assistant)?<\|channel\|>(\w{1,20})[^<]{0,80}(?:<\|constrain\|>\w{1,20})?<\|message\|>"
    r"(.*?)(?=<\|(?:end|return|call|start)\|>|\Z)(?:<\|(?:end|return|call)\|>)?",
    re.DOTALL,
)
_BARE_HARMONY: Final = re.compile(r"\Aanalysis(?=[A-Z\s])(.*?)assistantfinal(?=\S)(.*)\Z", re.DOTALL)


def split_thinking(text: str) -> tuple[str, str]:
    """What was thought and what was said, parted at the end of the leading thoughts.

    An opening mark may be missing, because some servers put it into the prompt; thoughts that do not close are all that
    there is.
    """
    begun = text.lstrip()
    if begun.startswith(("<|channel|>", "<|start|>", "assistant<|channel|>")):
        return _split_channels(begun)
    if bare := _BARE_HARMONY.match(begun):
        return bare[1].strip(), bare[2]
    for mark in THINKING:
        if begun.startswith(mark.opened):
            thought, _, said = begun[len(mark.opened) :].partition(mark.closed)
            return thought.strip(), _open_answer(said)
    if not any(sign in text for sign in _CLOSING):
        return "", _open_answer(text)
    for mark in THINKING:
        before, closed, said = text.partition(mark.closed)
        # A closing mark that has its opening one further in is talked about, not used.
        if closed and mark.opened.rstrip(">]") not in before and mark.closed[0] in "<[◁":
            return before.strip(), _open_answer(said)
    return "", _open_answer(text)


def wrap_thinking(sample: str, thoughts: str, said: str) -> str:
    """Thoughts and answer in one text, in the marks and with the spaces of `sample`; in `<think>` where it has none."""
    begun = sample.lstrip()
    for mark in THINKING:
        if begun.startswith(mark.opened) and mark.closed in begun:
            inside, _, after = begun[len(mark.opened) :].partition(mark.closed)
            edges = (_leading_space(inside), _leading_space(inside[::-1])[::-1], _leading_space(after))
            return f"{mark.opened}{edges[0]}{thoughts}{edges[1]}{mark.closed}{edges[2]}{said}"
    return f"<think>\n{thoughts}\n</think>\n\n{said}"


def _leading_space(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def drop_end_marks(text: str) -> str:
    """`text` without marks of a turn's end behind it. `</s>` stays where it closes a struck-out text."""
    if not text.endswith(_ENDS):
        return text
    for _ in range(_MOST_ENDS):
        ended = next((mark for mark in _ENDS if text.endswith(mark)), "")
        if not ended or (ended == "</s>" and "<s>" in text):
            break
        text = text[: -len(ended)].rstrip()
    return text


def find_control_mark(text: str) -> str:
    """The first mark of a chat template or of thinking in `text`, or nothing."""
    if not any(sign in text for sign in "<[◁"):
        return ""
    found = CONTROL.search(text) or THOUGHT.search(text)
    return found[0].strip()[-80:] if found else ""


def _split_channels(text: str) -> tuple[str, str]:
    messages = _HARMONY.findall(text)
    thoughts = [said.strip() for channel, said in messages if channel != "final"]
    finals = [said for channel, said in messages if channel == "final"]
    # Without a final message the model has not come to its answer: thoughts are none.
    return ("\n".join(thoughts), finals[-1]) if messages and finals else (text, "")


def _open_answer(text: str) -> str:
    """The answer without the marks around it."""
    inside = drop_end_marks(text.strip())
    for opened, closed in _ANSWER_IN:
        if inside.startswith(opened):
            return inside[len(opened) :].partition(closed)[0]
    return text
