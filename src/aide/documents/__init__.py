"""Documents as people have them: files and folders to chunks, each with the place that it was taken from."""

from aide.documents.chunks import Chunk
from aide.documents.files import DocumentReader
from aide.documents.framing import frame_card, frame_document
from aide.documents.load import LoadedChunks, load_chunks, load_whole

__all__ = [
    "Chunk",
    "DocumentReader",
    "LoadedChunks",
    "frame_card",
    "frame_document",
    "load_chunks",
    "load_whole",
]
