"""The SQLite file behind a journal: its tables, how it is opened, and what its errors mean to a person."""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aide.atomic import put_in_place
from aide.crash_points import hit
from aide.errors import AideError, FolderHeld, InputError
from aide.journal import pending
from aide.journal.rows import dump_json
from aide.jsonl import parse_json

# The version of the tables; a file with a higher one is refused. In version 1 nothing was packed, and prompts shared
# their fronts in `texts`: such rows are read, and may stand in one file with those of version 2.
SCHEMA: Final = 2
BUSY_SECONDS: Final = (
    1.0  # a reader may hold the file for a moment; whoever holds it for longer is another run
)
# Numbers and texts of a call are two tables, and so are outcomes and payloads: sums and lists read the small ones
# alone (docs/design/journal-layout.md). A node may be planted and settled besides, hence the index over both.
TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS texts (
    id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, text BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, node TEXT NOT NULL, step TEXT NOT NULL,
    draw INTEGER NOT NULL, attempt INTEGER NOT NULL, model TEXT NOT NULL, endpoint TEXT NOT NULL,
    answered_by TEXT NOT NULL, prompt INTEGER NOT NULL, completion INTEGER NOT NULL, cached INTEGER NOT NULL,
    reasoning INTEGER NOT NULL, estimated INTEGER NOT NULL, seconds REAL NOT NULL, at REAL NOT NULL,
    cost REAL, reused INTEGER NOT NULL,
    system INTEGER NOT NULL REFERENCES texts, sent INTEGER NOT NULL REFERENCES texts
) STRICT;
CREATE TABLE IF NOT EXISTS exchanges (
    id INTEGER PRIMARY KEY, front INTEGER REFERENCES texts, user BLOB NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS outcomes (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, node TEXT NOT NULL, seed TEXT NOT NULL, parent TEXT NOT NULL,
    depth INTEGER NOT NULL, slot INTEGER NOT NULL, operation TEXT NOT NULL, label TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS outcomes_by_node ON outcomes (node, kind = 'planted');
CREATE TABLE IF NOT EXISTS payloads (seq INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS decisions (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, UNIQUE (kind, key)
) STRICT;
CREATE TABLE IF NOT EXISTS dictionaries (
    id INTEGER PRIMARY KEY, family TEXT NOT NULL UNIQUE, data BLOB NOT NULL
) STRICT;
"""

_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNWRITABLE: Final = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
_ADVICE: Final = {
    sqlite3.SQLITE_FULL: (
        "the disk that holds {path} is full",
        "free some space and run the same command again",
    ),
    sqlite3.SQLITE_READONLY: ("{path} can't be written", "check the permissions of the folder"),
    sqlite3.SQLITE_CORRUPT: (
        "{path} is damaged",
        "restore the folder from a copy, or start a new one with -o",
    ),
}


@dataclass(frozen=True, slots=True)
class Database:
    """The connections of one journal."""

    path: Path
    read: sqlite3.Connection
    write: sqlite3.Connection | None
    """`None` for a reader."""

    @property
    def alone(self) -> bool:
        """True when reads and writes share a connection, because the file system lets nobody else read meanwhile.

        Then whoever reads must keep out of an open transaction.
        """
        return self.read is self.write

    def close(self) -> None:
        """Close the reading connection first: the last one to close folds the log into the file."""
        self.read.close()
        if self.write is not None and not self.alone:
            self.write.close()


def open_for_writing(path: Path, vfs: str = "") -> Database:
    """The one writer's connections; the file is made where there is none.

    `vfs` names another of SQLite's file layers than the platform's own.

    Raises:
        InputError: the file can't be opened, is no journal, or was written by a newer version.
        FolderHeld: another process writes it.
    """
    try:
        if not path.exists():
            _make_file(path, vfs)
        write, shared = _connect_for_writing(path, vfs)
        try:
            # With less, a loss of power takes the last commits, and their answers are paid for again.
            write.execute("PRAGMA synchronous=FULL")
            check_schema(path, write)
            _make_tables(write)
            # A connection of its own sees the last commit and never waits for the one that is being written.
            read = _connect(path, "ro", vfs) if shared else write
        except BaseException:
            write.close()
            raise
    except sqlite3.Error as error:
        raise describe_open_failure(path, error) from error
    except OSError as error:
        raise InputError(
            f"{path} can't be made: {error.strerror}", hint="free some space, or check the permissions"
        ) from error
    return Database(path, read, write)


def _make_file(path: Path, vfs: str) -> None:
    """Make the file beside its place and put it there as a whole, so that at no moment half a journal is there.

    It is the user's own: it holds all prompts and answers.
    """
    scratch = path.with_name(f".{path.name}.tmp")
    leftovers = [scratch, *(scratch.with_name(scratch.name + end) for end in ("-wal", "-shm", "-journal"))]
    try:
        for leftover in leftovers:
            leftover.unlink(missing_ok=True)
        os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        write, _ = _connect_for_writing(scratch, vfs)
        try:
            write.execute("PRAGMA synchronous=FULL")
            _make_tables(write)
            # Closing would do the same and keep quiet about a full disk.
            write.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            write.close()
        hit("before_journal")
        put_in_place(scratch, path)
    except BaseException:
        for leftover in leftovers:
            leftover.unlink(missing_ok=True)
        raise


def _make_tables(connection: sqlite3.Connection) -> None:
    """Those that are not there yet, all or none."""
    connection.executescript("BEGIN IMMEDIATE;" + TABLES + pending.TABLES)
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('schema', ?)", (dump_json(SCHEMA),))
    connection.execute("COMMIT")


def open_in_memory() -> Database:
    """A database that is in no file, and gone when it is closed."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript(TABLES)
    return Database(Path(":memory:"), connection, connection)


def open_for_reading(path: Path, vfs: str = "") -> Database:
    """A connection that can't write, beside a writer in another process or not.

    Raises:
        InputError: there is no such file, it is no journal, or was written by a newer version.
        FolderHeld: the writer must have it alone, because its file system can't share it.
    """
    if not path.is_file():
        raise InputError(f"there is no journal at {path}", hint="name a folder that `aide expand` has made")
    try:
        read = _connect(path, "ro", vfs)
        try:
            check_schema(path, read, filled=True)
        except sqlite3.OperationalError as error:
            read.close()
            if _get_code(error) not in _UNWRITABLE or _is_being_written(path):
                raise
            # Not even the shared memory can be made; but nobody writes, so the file may be read as it lies.
            read = _connect(path, "ro&immutable=1", vfs)
            check_schema(path, read, filled=True)
        except BaseException:
            read.close()
            raise
    except sqlite3.Error as error:
        raise describe_open_failure(path, error) from error
    return Database(path, read, None)


def check_schema(path: Path, connection: sqlite3.Connection, *, filled: bool = False) -> None:
    """Refuse a file that this version can't know how to read; where it must be `filled`, also an empty one.

    Raises:
        InputError: the file is a database of something else, or of a newer version.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not tables and filled:
        message, hint = _ADVICE[sqlite3.SQLITE_CORRUPT]
        raise InputError(f"{message.format(path=path)}: it is empty", hint=hint)
    if not tables:  # a file that was made and not yet filled when its process died
        return
    if not {"meta", "calls", "outcomes"} <= tables:
        raise InputError(f"{path} is no journal of aide", hint="name another folder")
    row = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    version = parse_json(row[0]) if row else SCHEMA
    if version > SCHEMA:
        raise InputError(
            f"{path} was written by a newer aide (schema {version}, this one knows {SCHEMA})",
            hint="update with `pip install -U aide-expand`",
        )


def describe_open_failure(path: Path, error: sqlite3.Error) -> AideError:
    """What a failure to open means to a person."""
    code = _get_code(error)
    if code in _BUSY:
        return FolderHeld(
            f"{path} is held by another process", hint="wait until it ends, or read progress.json meanwhile"
        )
    if code == sqlite3.SQLITE_NOTADB:
        return InputError(f"{path} is no journal of aide", hint="name another folder")
    if code in _ADVICE:
        known = convert_database_error(path, error)
        return InputError(str(known), hint=known.hint)
    return InputError(
        f"{path} can't be opened: {error}", hint="check that its folder is there and may be written"
    )


def convert_database_error(path: Path, error: sqlite3.Error) -> AideError:
    """What a failure of a database in use means to a person; its scope is the run."""
    message, hint = _ADVICE.get(
        _get_code(error),
        ("{path} failed: {error}", "check the disk that holds it and run the same command again"),
    )
    return AideError(message.format(path=path, error=error), hint=hint)


def _get_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 where the error came from the binding itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_being_written(path: Path) -> bool:
    """True when a writer is at work or was killed: then the file is only half of the truth."""
    logs = (path.with_name(path.name + end) for end in ("-wal", "-journal"))
    return any(log.exists() and log.stat().st_size for log in logs)


def _connect(path: Path, mode: str, vfs: str) -> sqlite3.Connection:
    """A connection in autocommit mode that any thread may use, one at a time."""
    layer = f"&vfs={vfs}" if vfs else ""
    return sqlite3.connect(
        f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}{layer}",
        uri=True,
        isolation_level=None,  # transactions are ours: a group is one, whatever the binding would begin
        check_same_thread=False,  # rows are written in the event loop, committed in a thread
        timeout=BUSY_SECONDS,
    )


def _connect_for_writing(path: Path, vfs: str) -> tuple[sqlite3.Connection, bool]:
    """A connection with a write-ahead log, or (`False`) one that has the file to itself."""
    connection = _connect(path, "rwc", vfs)
    try:
        if connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal":
            return connection, True
    except sqlite3.OperationalError as error:
        if _get_code(error) in _BUSY:
            connection.close()
            raise
    except sqlite3.DatabaseError:
        connection.close()
        raise
    connection.close()
    # The log needs memory shared between processes, which network disks lack.
    connection = _connect(path, "rwc", vfs)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=TRUNCATE")
    except sqlite3.Error:
        connection.close()
        raise
    return connection, False
