"""What to do next: pools of seeds, strata, levels, branches and slots; knows nothing of models or texts.

A *pool* is the seeds that came together; plain records take their traits from it. A *stratum* is what a target is
split over: a label or, where there are no labels, a pool. A *level* is all records of one hop that share a quota: plain
ones of a pool and label, or guided ones of a stratum. A *branch* is a parent with children to grow (a seed, or an
accepted record above the last hop). A *slot* is a place for one record. Work is handed out in *groups*: the slots
that one call may write together.

With a target every level has a quota; as many candidates are open as its yield wants, and only as many records become
parents as the quota below needs. With the whole tree every slot is grown exactly once, in groups that depend on their
branch alone, so that two runs are equal.

Order of new work: the longest remaining chain first (shallow before deep), round robin over levels.
"""

from aide.frontier.frontier import Frontier, Work
from aide.frontier.levels import Branch, ChooseParent, ParentCandidate
from aide.frontier.shape import (
    CHILDREN,
    DRAWS,
    ENDLESS,
    SPREAD,
    GroupWork,
    PlantWork,
    Root,
    Slot,
    TreeShape,
    split_evenly,
    split_over_hops,
)
from aide.frontier.share import PlainShare

__all__ = [
    "CHILDREN", "DRAWS", "ENDLESS", "SPREAD", "Branch", "ChooseParent", "Frontier", "GroupWork", "ParentCandidate",
    "PlainShare", "PlantWork", "Root", "Slot", "TreeShape", "Work", "split_evenly", "split_over_hops",
]  # fmt: skip
