"""Seeds as people have them: any common file, encoding and shape, read into `records.Seed`."""

from aide.seeds.chat_seeds import shape_chats
from aide.seeds.load import LoadedSeeds, SeedMapping, SeedOrigin, load_seeds
from aide.seeds.tables import LineProblem

__all__ = ["LineProblem", "LoadedSeeds", "SeedMapping", "SeedOrigin", "load_seeds", "shape_chats"]
