"""What an endpoint says that it offers: its models, and how long a prompt with its answer may be.

Lists are hints. A server may leave models out, serve one under any name, or have no list, so nothing is decided by what
is absent; what is there and says that a run can't work is told before anything is paid for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from aide.errors import AideError
from aide.llm.client import Client
from aide.llm.request import Endpoint
from aide.llm.servers import read_window

LLAMA_CPP: Final = "llamacpp"  # as whom its list says that it owns its models
SHOWN: Final = 12  # names of a list that a person is shown
_VERSION: Final = re.compile(r"/v\d+/*(?=\?|$)")


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A row of a list of models."""

    name: str
    window: int | None
    """Tokens of a prompt and its answer together; `None` where the list does not say."""
    owner: str = ""


async def list_models(client: Client) -> list[OfferedModel]:
    """The models that an endpoint lists; none where it has no list. Errors as of `Client.exchange`."""
    data = await client.look_up("/models")
    rows = data.get("data") if isinstance(data, Mapping) else data
    return [
        OfferedModel(
            str(row.get("id", "")).removeprefix("models/"), read_window(row), str(row.get("owned_by", ""))
        )
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, Mapping)
    ]


def describe_models(offered: list[OfferedModel]) -> str:
    """The names in a few words; empty where there are none."""
    names = [each.name for each in offered if each.name]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


async def find_model(
    endpoint: Endpoint, client: Client, model: str, transport: Any = None
) -> OfferedModel | None:
    """What an endpoint says of a model; `None` where it is silent.

    llama.cpp lists what the model could take. What a call may take is smaller, for its slots share the window, and
    stands in the server's properties, beside the API.
    """
    name = model.removeprefix("models/")
    found = next((each for each in await list_models(client) if each.name == name), None)
    if found is None or found.owner != LLAMA_CPP:
        return found
    beside = Client(
        replace(endpoint, base_url=_VERSION.sub("", client.base)), transport=transport, timeout=5.0
    )
    try:
        properties = await beside.look_up("/props")
    except AideError:
        return found
    finally:
        await beside.close()
    inner = properties.get("default_generation_settings") if isinstance(properties, Mapping) else None
    window = read_window(inner) if isinstance(inner, Mapping) else None
    return replace(found, window=window or found.window)
