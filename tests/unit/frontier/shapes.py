"""Shapes as the method has them: operations on triples, and personas."""

from collections.abc import Sequence

from aide.frontier import TreeShape
from aide.records import PERSONA


def make_tree_shape(
    operations: Sequence[str],
    triples: int,
    personas: int,
    hops: int,
    *,
    whole: bool = False,
    balanced: bool = True,
) -> TreeShape:
    kinds = {**dict.fromkeys(operations, "triples"), PERSONA: "personas"}
    return TreeShape(
        {"triples": triples, "personas": personas}, kinds, hops=hops, whole=whole, balanced=balanced
    )
