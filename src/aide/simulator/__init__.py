"""A stand-in for an OpenAI-compatible endpoint, in process (`sim:`) and over HTTP (`aide simulate`).

It calls itself `simulator` everywhere, so that nothing made with it is taken for a model's work.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aide.simulator.server import serve
    from aide.simulator.service import Simulator, from_url
    from aide.simulator.settings import SimulatorSettings

__all__ = ["Simulator", "SimulatorSettings", "from_url", "serve"]

_HOMES = {"Simulator": "service", "SimulatorSettings": "settings", "from_url": "service", "serve": "server"}


def __getattr__(name: str) -> Any:
    """Import the part that holds `name` when it is first wanted: the command line starts without it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
