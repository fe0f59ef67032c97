"""What to do next: the tree of seeds, levels, branches and slots; knows nothing of models or texts."""

from aide.frontier.frontier import Frontier
from aide.frontier.shape import (
    DRAWS,
    ENDLESS,
    GrowWork,
    PlantWork,
    Slot,
    TreeShape,
    split_evenly,
    split_over_hops,
)

__all__ = [
    "DRAWS", "ENDLESS", "Frontier", "GrowWork", "PlantWork", "Slot", "TreeShape", "split_evenly", "split_over_hops",
]  # fmt: skip
