"""Seeds as people have them: any common file, encoding and shape, read into `records.Seed`."""

from aide.seeds.files import LineProblem
from aide.seeds.load import LoadedSeeds, SeedMapping, SeedOrigin, load_seeds

__all__ = ["LineProblem", "LoadedSeeds", "SeedMapping", "SeedOrigin", "load_seeds"]
