"""A stand-in for an OpenAI-compatible endpoint, in process (`sim:`) and over HTTP (`aide simulate`).

It proves plumbing and nothing else: it fills the schema that a request brings. It calls itself `simulator` everywhere,
so that nothing made with it is taken for a model's work.
"""

from aide.simulator.request import step_of
from aide.simulator.server import serve
from aide.simulator.service import Simulator, from_url
from aide.simulator.settings import SimulatorSettings

__all__ = ["Simulator", "SimulatorSettings", "from_url", "serve", "step_of"]
