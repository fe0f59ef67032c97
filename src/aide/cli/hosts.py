"""Providers that need a key: which variable usually holds it, and what to say where it is missing."""

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aide.errors import EndpointUnusable

if TYPE_CHECKING:
    from aide.config.spec import RunSpec

HOSTED: Final = {
    "OPENAI_API_KEY": "https://api.openai.com/v1",
    "OPENROUTER_API_KEY": "https://openrouter.ai/api/v1",
    "GROQ_API_KEY": "https://api.groq.com/openai/v1",
    "MISTRAL_API_KEY": "https://api.mistral.ai/v1",
    "DEEPSEEK_API_KEY": "https://api.deepseek.com",
    "TOGETHER_API_KEY": "https://api.together.xyz/v1",
    "GEMINI_API_KEY": "https://generativelanguage.googleapis.com/v1beta/openai/",
    "NVIDIA_API_KEY": "https://integrate.api.nvidia.com/v1",
}


def check_keys(spec: "RunSpec") -> None:
    """Refuse a provider that is known to need a key where none is set: its own words come late and are less plain.

    Raises:
        EndpointUnusable: naming the variable to set.
    """
    usual = {urlsplit(url).hostname: name for name, url in HOSTED.items()}
    for each in spec.list_endpoints():
        name = usual.get(urlsplit(each.base_url).hostname)
        # A key may also stand in a header.
        if not name or each.api_key_command or each.headers or os.environ.get(each.api_key_env):
            continue
        if name != each.api_key_env and os.environ.get(name):
            hint = f"{name} is set: add --api-key-env {name}"
        else:
            hint = f"export {each.api_key_env}=…" + (
                f", or {name} with --api-key-env {name}"
                if name != each.api_key_env
                else ", or name another variable with --api-key-env NAME"
            )
        raise EndpointUnusable(
            f"there is no key for {each.base_url}: the variable {each.api_key_env} is not set", hint=hint
        )
