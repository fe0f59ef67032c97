"""Hashes by which a run knows the files that it reads again."""

import os
from hashlib import sha256
from pathlib import Path

from aide.streams import is_stream


def hash_file(path: str) -> str:
    """16 hex digits over the bytes of a file, or over the names and sizes of a folder's files; empty for a stream."""
    source = Path(path)
    if is_stream(path) or not source.exists():
        return ""
    h = sha256()
    if source.is_dir():
        for each in sorted(p for p in source.rglob("*") if p.is_file()):
            named = f"{each.relative_to(source)}:{each.stat().st_size}:{each.stat().st_mtime_ns}"
            h.update(os.fsencode(named))  # a name may be any bytes
    else:
        with source.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                h.update(chunk)
    return h.hexdigest()[:16]


def hash_content(path: Path) -> str:
    """As `hash_file`; of a folder by what its files hold, so that a copy is the same."""
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else ()
    named = "".join(f"{each.relative_to(path)}:{hash_file(str(each))}\n" for each in files)
    return sha256(os.fsencode(named)).hexdigest()[:16] if files else hash_file(str(path))
