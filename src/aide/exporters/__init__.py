"""Exports in the forms that trainers take: one module a family, all registered here."""

from typing import Final

from aide.exporters.base import EXPORTERS, Exporter, ExportJob, ExportResult
from aide.exporters.chat import (
    LineExporter,
    render_alpaca,
    render_messages,
    render_prompt_completion,
    render_sharegpt,
)
from aide.exporters.dataset import DatasetFolderExporter
from aide.exporters.llamafactory import LlamaFactoryExporter
from aide.exporters.pairs import PairsExporter
from aide.exporters.rendering import ExampleRenderer
from aide.exporters.retrieval import BeirExporter, TriplesExporter
from aide.exporters.seedfile import SeedFileExporter
from aide.exporters.tables import ParquetExporter
from aide.exporters.trainers import AXOLOTL, OPENAI, TRL

_ALL: Final[dict[str, Exporter]] = {
    "messages": LineExporter(render_messages),
    "sharegpt": LineExporter(render_sharegpt),
    "alpaca": LineExporter(render_alpaca),
    "prompt-completion": LineExporter(render_prompt_completion),
    "dpo": PairsExporter(),
    "parquet": ParquetExporter(),
    "dataset": DatasetFolderExporter(),
    "llama-factory": LlamaFactoryExporter(),
    "trl": TRL,
    "axolotl": AXOLOTL,
    "openai": OPENAI,
    "sentence-transformers": TriplesExporter(),
    "beir": BeirExporter(),
    "seeds": SeedFileExporter(),
}
for _name, _exporter in _ALL.items():
    EXPORTERS.add(_name, _exporter)

__all__ = ["EXPORTERS", "ExampleRenderer", "ExportJob", "ExportResult", "Exporter"]
