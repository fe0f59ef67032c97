"""Exports that trainers take as they are: one module a family, all registered here."""

from aide.exporters.base import EXPORTERS, Exporter, Job, Written
from aide.exporters.chat import Lines, alpaca, messages, prompt_completion, sharegpt
from aide.exporters.dataset import Dataset
from aide.exporters.llamafactory import LlamaFactory
from aide.exporters.pairs import Pairs
from aide.exporters.rendering import Rendering
from aide.exporters.seedfile import SeedFile
from aide.exporters.tables import Parquet

_ALL: dict[str, Exporter] = {
    "messages": Lines(messages),
    "sharegpt": Lines(sharegpt),
    "alpaca": Lines(alpaca),
    "prompt-completion": Lines(prompt_completion),
    "dpo": Pairs(),
    "parquet": Parquet(),
    "dataset": Dataset(),
    "llama-factory": LlamaFactory(),
    "seeds": SeedFile(),
}
for _name, _exporter in _ALL.items():
    EXPORTERS.add(_name, _exporter)

__all__ = ["EXPORTERS", "Exporter", "Job", "Rendering", "Written"]
