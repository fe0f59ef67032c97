"""Operations (constraint, reasoning, concretize), and the extraction of what they are applied to."""

from aide.operations.catalogue import OPERATIONS, Operation
from aide.operations.extract import Found, extraction, more_triples, triples_from

__all__ = ["OPERATIONS", "Found", "Operation", "extraction", "more_triples", "triples_from"]
