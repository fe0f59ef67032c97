"""Which fields of `--extra` only say how a request is sent: the same model gives the same answer with or without them.

Such a field leaves the fingerprint of a run and the key of a call, so that a run goes on under another one.
Everything else may change an answer (thinking, effort, sampling), and a name that nobody knows counts as such:
to mix answers of two kinds unseen is worse than to ask for another folder.
"""

from collections.abc import Mapping
from typing import Any, Final

DELIVERY: Final[Mapping[str, str]] = {
    "service_tier": "at which price and pace it is answered",
    "priority": "its place in the server's queue",
    "user": "who asks, for the provider's records",
    "safety_identifier": "who asks, for the provider's records",
    "metadata": "notes for the provider's records",
    "tags": "notes for a gateway's records",
    "store": "whether the provider keeps the answer",
    "prompt_cache_key": "which cache of prompts serves it",
    "prompt_cache_retention": "how long its prompt stays cached",
    "cache_prompt": "whether its prompt stays cached",
    "cache_salt": "who shares a cache of prompts",
    "id_slot": "which slot of the server works on it",
    "keep_alive": "how long the model stays loaded after it",
    "request_id": "what logs call it",
    "session_id": "what logs call the run",
    "timings_per_token": "what is measured beside the answer",
    "num_retries": "how often a gateway tries",
}
"""Field to what it says."""


def keep_answering(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those fields of `--extra` that may change an answer."""
    return {name: value for name, value in extra.items() if name not in DELIVERY}
