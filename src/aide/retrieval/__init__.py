"""Which passages of a collection fit a query: by words, by meaning, by both; and which look as if they did."""

from aide.retrieval.knowledge import Knowledge
from aide.retrieval.meaning import VectorIndex
from aide.retrieval.retriever import Retriever
from aide.retrieval.wording import Hit, Passage, WordIndex

__all__ = ["Hit", "Knowledge", "Passage", "Retriever", "VectorIndex", "WordIndex"]
