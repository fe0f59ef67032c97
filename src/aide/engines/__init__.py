"""Who runs a job: in this process, or in several on a cluster."""

from collections.abc import Callable
from typing import Final

from aide.engines.base import Engine, EngineObserver, Job
from aide.engines.local import LocalEngine
from aide.engines.ray import RayEngine
from aide.registry import Registry

ENGINES: Final[Registry[Callable[[Job], Engine]]] = Registry("engine")
"""By the values of `--engine`."""
ENGINES.add("local", LocalEngine)
ENGINES.add("ray", RayEngine)

__all__ = ["ENGINES", "Engine", "EngineObserver", "Job"]
