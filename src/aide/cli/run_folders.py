"""Which folder a run lives in."""

from pathlib import Path

from aide.config.fingerprint import compute_fingerprint
from aide.config.resolve import Settings
from aide.errors import InputError


def choose_run_folder(settings: Settings, seeds: tuple[str, ...], out: str | None) -> Path:
    """Where the run lives: `-o DIR`, else beside the shell; for a stream in the user's state folder.

    A part of a run lives in a folder of its own there.

    Raises:
        InputError: two folders are named, or none for a part.
    """
    root = _choose_root(settings, seeds, out)
    part = settings.spec.part
    if part and out == "-" and settings.spec.run_dir is None:
        raise InputError("--partition needs a folder that all parts share", hint="name it with -o DIR")
    return root / part.folder_name if part else root


def _choose_root(settings: Settings, seeds: tuple[str, ...], out: str | None) -> Path:
    from aide.streams import is_nameless

    spec = settings.spec
    if out not in (None, "-"):
        if spec.run_dir is not None:
            raise InputError("--run-dir goes with -o -", hint="give the folder as -o DIR alone")
        return Path(str(out))
    if spec.run_dir is not None:
        return Path(str(spec.run_dir))
    stem = "seeds" if is_nameless(seeds[0]) else Path(seeds[0]).name.split(".")[0] or "seeds"
    if out is None:
        return Path(f"{stem}.aide")
    from hashlib import sha256

    import platformdirs

    name = sha256(repr((sorted(compute_fingerprint(spec).items()), seeds)).encode()).hexdigest()[:12]
    return Path(platformdirs.user_state_path("aide")) / "runs" / f"{stem}-{name}.aide"
