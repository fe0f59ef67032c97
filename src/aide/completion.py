"""What a model said, out of a `chat.completion` as servers write it: the answer, the thoughts, and how it ended."""

from collections.abc import Mapping
from typing import Any, Final

from aide.errors import Unusable
from aide.text.cleaning import clean_text
from aide.text.loops import find_loop
from aide.text.markers import drop_end_marks, split_thinking

# What servers say where they ended an answer at its limit. `finish_reason` is meant to be `length`; bridges between
# APIs pass on the words of the other side.
_CUT_OFF: Final = frozenset({
    "length", "max_tokens", "max_token", "max_output_tokens", "max_new_tokens", "max_completion_tokens", "max_length",
    "model_length", "token_limit", "context_length", "context_length_exceeded", "model_context_window_exceeded",
    "truncated", "incomplete",
})  # fmt: skip
_ENDED: Final = frozenset({
    "stop", "eos", "eos_token", "end_turn", "stop_sequence", "stop_token", "complete", "completed", "finished",
    "tool_calls", "function_call",
})  # fmt: skip
# No reply that we ask for is so long: a group of 64 records has half of it.
_LONGEST: Final = 200_000
_LONGEST_NAME: Final = 200


def read_completion(data: Mapping[str, Any], limit: int = 0) -> str:
    """What the model said in the first choice of a `chat.completion` object, cleaned.

    Where the content is blank the text comes from `reasoning_content` or `reasoning`: some servers put the whole answer
    there. Thoughts in front are cut off, and marks of a turn's end behind it (see `text.markers`). `limit` is that of
    the tokens that were asked for, by which a cut is known whatever the server says; 0 is none.

    Raises:
        Unusable: with the reason `refused`, `filtered`, `truncated` (ask again with a higher limit),
        `looped`, `oversized` or `empty`.
    """
    choices = data.get("choices")
    choice = _mapping(choices[0]) if isinstance(choices, list) and choices else {}
    message = _mapping(choice.get("message"))
    cut, content = _is_cut_off(data, choice, limit), _content(message.get("content"))
    if not content.strip() and not cut:  # of a cut reply only the thoughts are there
        content = _string(message.get("reasoning_content")) or _string(message.get("reasoning"))
    text = split_thinking(content)[1]
    if len(text) > _LONGEST:  # before any pattern sees it
        raise Unusable("oversized", "The answer was far too long; be brief.")
    text = drop_end_marks(clean_text(text))
    if not text and (refusal := clean_text(_string(message.get("refusal")))):
        raise Unusable("refused", "The request was declined.", said=refusal)
    if choice.get("finish_reason") == "content_filter":
        raise Unusable("filtered", "The answer was withheld by a content filter.", said=text)
    if cut and find_loop(text):
        # More tokens would hold more rounds, and a model that is shown a loop goes on with it.
        raise Unusable("looped", "The answer said the same again and again; be brief and stop.")
    if cut:
        raise Unusable("truncated", "The answer was cut off; be briefer.", said=text)
    if not text:
        raise Unusable("empty", "The answer was empty; write the answer itself.")
    return text


def read_model_name(data: Mapping[str, Any], asked: str) -> str:
    """The model that answered, on one line, cleaned and at most 200 characters long; `asked` where none is named."""
    return " ".join(clean_text(_string(data.get("model"))).split())[:_LONGEST_NAME] or asked


def read_reasoning(data: Mapping[str, Any]) -> str:
    """What the model thought before it answered, cleaned, wherever the server puts it; empty where it put it nowhere.

    A text that stands in the place of thoughts and is all that there is was the answer (see `read_completion`).
    """
    choices = data.get("choices")
    message = _mapping(_mapping(choices[0]).get("message")) if isinstance(choices, list) and choices else {}
    parts = message.get("content")
    inside, said = split_thinking(_content(parts))
    aside = _string(message.get("reasoning_content")) or _string(message.get("reasoning"))
    if not aside and isinstance(parts, list):
        thoughts = (_mapping(part).get("thinking") for part in parts)
        aside = "".join(_content(thought) for thought in thoughts)
    return clean_text(aside if said.strip() and aside else inside)


def _is_cut_off(data: Mapping[str, Any], choice: Mapping[str, Any], limit: int) -> bool:
    """True when the answer ended at the limit of its tokens, by the server's word or by the number of them."""
    finish = _string(choice.get("finish_reason")).lower()
    if finish in _CUT_OFF:
        return True
    written = _mapping(data.get("usage")).get("completion_tokens")
    if not limit or not isinstance(written, int):
        return False
    # Exactly at the limit nothing ends by chance. Beyond it a server counts otherwise than we asked, and is believed
    # where it says that the answer ended. Who thinks first had room for that, too: any number may be a chance there.
    if written == limit and not _thinks(data, choice):
        return True
    return written >= limit and finish not in _ENDED


def _thinks(data: Mapping[str, Any], choice: Mapping[str, Any]) -> bool:
    """True when there is an answer, and thoughts before it that were counted or stand apart."""
    message, usage = _mapping(choice.get("message")), _mapping(data.get("usage"))
    inside = _mapping(usage.get("completion_tokens_details"))
    thoughts = inside.get("reasoning_tokens") or message.get("reasoning_content") or message.get("reasoning")
    return bool(thoughts) and bool(_content(message.get("content")).strip())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _content(value: object) -> str:
    if not isinstance(value, list):
        return _string(value)
    pieces = (part if isinstance(part, str) else _string(_mapping(part).get("text")) for part in value)
    return "".join(pieces)
