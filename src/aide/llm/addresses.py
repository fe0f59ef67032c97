"""What a pasted address of an endpoint may mean."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from aide.errors import InputError

LOCAL: Final = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")


def list_base_urls(text: str, query: Mapping[str, str]) -> tuple[str, ...]:
    """The base URLs that a pasted address may mean, likeliest first, the query at the end of each.

    A scheme may be missing; `/v1`, a trailing slash, or a whole route may be there or not.

    Raises:
        InputError: it is no HTTP address.
    """
    text = text.strip()
    if "://" not in text:
        text = ("http://" if text.startswith(LOCAL) else "https://") + text
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InputError(
            f"{text!r} is no address of an endpoint", hint="such as --base-url http://localhost:8000/v1"
        )
    path = re.sub(
        r"/(chat/completions|completions|embeddings|models|responses|chat)/*$", "", parts.path.rstrip("/")
    )
    path = re.sub(r"(/v\d+)(\1)+$", r"\1", path.rstrip("/"))
    both = urlencode([*parse_qsl(parts.query), *query.items()])
    root = f"{parts.scheme}://{parts.netloc}"
    versioned = re.search(r"/v\d+[a-z]*\d*(/|$)|/openai(/|$)|/deployments/", path)
    # A bare host nearly always means /v1; below another path either may be right, and the first answer decides.
    paths = [path] if versioned else [f"{path}/v1", path] if not path else [path, f"{path}/v1"]
    return tuple(f"{root}{p}?{both}" if both else f"{root}{p}" for p in paths)
