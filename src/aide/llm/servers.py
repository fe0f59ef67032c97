"""What is known of the kinds of server: where they listen, what their lists tell, how they are set."""

import math
from collections.abc import Mapping
from typing import Any, Final

# Ports on which such servers listen unless they are configured otherwise.
LOCAL: Final = {
    8000: "vLLM and others",
    8080: "llama.cpp",
    11434: "Ollama",
    1234: "LM Studio",
    30000: "SGLang",
    4000: "LiteLLM",
    8001: "vLLM and others",
    5000: "text-generation-webui",
    1337: "Jan",
}
# What turns thinking off, one spelling a server; tried in this order, the commonest first.
THINKING_OFF: Final[tuple[Mapping[str, Any], ...]] = (
    {"chat_template_kwargs": {"enable_thinking": False}},
    {"reasoning_effort": "none"},
    {"thinking": {"type": "disabled"}},
    {"reasoning": {"enabled": False}},
    {"reasoning_effort": "minimal"},
)


def read_window(row: Mapping[str, Any]) -> int | None:
    """The context length that a row of a model list tells, under any of its names."""
    meta = row.get("meta")
    for table in (row, meta if isinstance(meta, Mapping) else {}):
        for name in ("max_model_len", "n_ctx", "context_length", "context_window", "max_context_length"):
            if isinstance(value := table.get(name), int) and value > 0:
                return value
    return None


def _guess_server(base_url: str, owner: str) -> str:
    if ":11434" in base_url or owner == "library":
        return "ollama"
    return "lmstudio" if ":1234" in base_url or owner == "organization_owner" else ""


def advise_larger_window(base_url: str, owner: str, tokens: int) -> str:
    """How a server of this kind is given a larger window."""
    size = 2 ** math.ceil(math.log2(max(tokens, 4096)))
    return {
        "ollama": f"OLLAMA_CONTEXT_LENGTH={size} ollama serve, or PARAMETER num_ctx {size} in a Modelfile",
        "lmstudio": f"load the model again with a context length of {size}",
    }.get(
        _guess_server(base_url, owner),
        f"start the server with a context of at least {size} tokens for each call",
    )


def advise_more_slots(base_url: str, owner: str) -> str:
    """How a server of this kind is made to work on several calls at once."""
    return {
        "ollama": "it works on about one call at a time: OLLAMA_NUM_PARALLEL=4 ollama serve",
        "lmstudio": "it works on about one call at a time: load the model with more parallel predictions",
    }.get(
        _guess_server(base_url, owner),
        "it works on about one call at a time: give it more slots, or set --concurrency 2",
    )
