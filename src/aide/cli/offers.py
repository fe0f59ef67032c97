"""What the endpoints of a run say of themselves before anything is spent: which model they have, how much it takes."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from aide.config.resolve import Settings
from aide.errors import AideError, CallError, EndpointUnusable, InputError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aide.config.spec import EndpointSpec, RunSpec
    from aide.formats import TaskCard
    from aide.llm.client import Client
    from aide.llm.offers import OfferedModel
    from aide.llm.request import Endpoint
    from aide.run.folder import RunFolder
    from aide.run.inputs import PreparedInputs

T = TypeVar("T")

# Seconds for a list of models. A server that takes longer is asked for completions all the same, with more patience.
PATIENCE: Final = 5.0
OFFERED: Final = "the one model that the endpoint lists"
KEPT: Final = "the model of the folder"
NAMED_BY: Final = "--model NAME or the AIDE_MODEL variable"


def name_model(settings: Settings, folder: "RunFolder", named_by: str = NAMED_BY) -> Settings:
    """The settings with a model: that of the folder, or the one that the endpoint lists.

    `named_by` says in a hint how a person would name it.

    Raises:
        InputError: it lists none or several, or there is nobody to ask.
        EndpointUnusable: it can't be asked.
    """
    spec = settings.spec
    if spec.model:
        return settings
    kept = (folder.read_manifest().get("spec") or {}).get("model", "")
    if kept:
        return _with_model(settings, kept, KEPT)
    hint = f"name it with {named_by}, as the endpoint calls it"
    served = [each for each in spec.list_endpoints() if not each.model and not each.simulated]
    if not served:
        raise InputError("no model is named", hint=hint)
    from aide.llm.offers import describe_models, list_models

    try:
        offered = _ask(served[0], lambda endpoint, client: list_models(client))
    except CallError as fault:
        raise EndpointUnusable(f"no model is named, and {fault}", hint=fault.hint or hint) from fault
    if len(offered) != 1:
        names = describe_models(offered)
        told = f"{served[0].base_url} lists {names}" if names else f"{served[0].base_url} lists none"
        raise InputError(f"no model is named, and {told}", hint=hint)
    return _with_model(settings, offered[0].name, OFFERED)


def _with_model(settings: Settings, model: str, origin: str) -> Settings:
    spec = settings.spec.model_copy(update={"model": model})
    return replace(settings, spec=spec, origins={**settings.origins, "model": origin})


def check_windows(spec: "RunSpec", inputs: "PreparedInputs", card: "TaskCard", folder: "RunFolder") -> None:
    """Refuse a context window in which not even a typical call has its place.

    Only where the folder has no journal yet: afterwards what was answered is better known than any estimate.

    Raises:
        EndpointUnusable: an endpoint lists such a window for the model.
    """
    served = [each for each in spec.list_endpoints() if not each.simulated]
    own = any(spec.get_step(name).model != spec.model for name in type(spec.steps).model_fields)
    if folder.journal.exists() or own:  # of several models each has its steps, and they are of unlike lengths
        return
    for each in served:
        if (offer := _find_offer(each)) is not None and offer.window is not None:
            _check_window(spec, inputs, card, each, offer)


def _find_offer(each: "EndpointSpec") -> "OfferedModel | None":
    from aide.llm.offers import find_model

    try:
        return _ask(each, lambda endpoint, client: find_model(endpoint, client, each.model))
    except AideError:
        return None  # whether it can be used is found out by using it


def _check_window(
    spec: "RunSpec", inputs: "PreparedInputs", card: "TaskCard", each: "EndpointSpec", offer: "OfferedModel"
) -> None:
    from aide.llm.servers import advise_larger_window
    from aide.run.plan import find_least_window

    assert offer.window is not None
    needed = find_least_window(spec, inputs, card)
    if needed <= offer.window:
        return
    alone = find_least_window(spec.model_copy(update={"together": "1"}), inputs, card)
    other = "--together 1 makes calls short enough; or " if alone <= offer.window else ""
    raise EndpointUnusable(
        f"{each.base_url} takes {offer.window:,} tokens a call, and typical calls of this run take {needed:,}",
        hint=f"{other}{advise_larger_window(each.base_url, offer.owner, 2 * needed)}",
    )


def _ask(each: "EndpointSpec", question: "Callable[[Endpoint, Client], Awaitable[T]]") -> T:
    from aide.engines.local import make_endpoint
    from aide.llm.client import Client

    async def ask() -> T:
        endpoint = make_endpoint(each, each.model)
        client = Client(endpoint, timeout=PATIENCE, total_timeout=PATIENCE)
        try:
            return await question(endpoint, client)
        finally:
            await client.close()

    return asyncio.run(ask())
