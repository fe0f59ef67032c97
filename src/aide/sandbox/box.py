"""The program that builds the box of a sandbox, inside the namespaces that `unshare` made, and starts `jail.py` there.

Run as a script with `-I -S` by an interpreter that may know nothing of this project, so it uses the standard library
alone. Its arguments: an empty folder to build the root in, the interpreter, the program to run, and the folders that
are bound read-only. It ends with an exception where the kernel refuses anything: then nothing is run.
"""

import ctypes
import os
import platform
import re
import sys
from pathlib import Path

RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC = 1, 2, 4, 8, 32, 4096, 16384
# A remount that leaves out a flag would clear it, and the kernel lets no other namespace's flag be cleared.
_FLAGS = {
    "ro": RDONLY, "nosuid": NOSUID, "nodev": NODEV, "noexec": NOEXEC, "noatime": 1024, "nodiratime": 2048,
    "relatime": 1 << 21,
}  # fmt: skip
_DETACH, _NEW_USER, _NO_NEW_PRIVS = 2, 0x10000000, 38
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
NOBODY = 65534
_ESCAPE = re.compile(r"\\([0-7]{3})")

_libc = ctypes.CDLL(None, use_errno=True)


def check(failed: int, what: str) -> None:
    """Raise for a call of the C library that failed."""
    if failed:
        raise OSError(ctypes.get_errno(), what)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """Call the kernel's `mount`."""
    words = [word.encode() if word else None for word in (source, target, kind, data)]
    check(_libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]), f"mount {target}")


def bind_readonly(folder: str, root: str) -> None:
    """Show a folder below the root, with all that is mounted inside it, and have none of it writable."""
    target = root + folder
    Path(target).mkdir(parents=True)
    mount(folder, target, "", BIND | REC)
    # The flag of one mount says nothing of those below it, and the kernel sets all at once only since 5.12.
    table = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    for path, options in (line.split(" ")[4:6] for line in table.splitlines()):
        path = _ESCAPE.sub(lambda octal: chr(int(octal[1], 8)), path)
        if path == target or path.startswith(f"{target}/"):
            kept = sum(_FLAGS.get(word, 0) for word in options.split(","))
            mount("", path, "", REMOUNT | BIND | kept | RDONLY | NOSUID | NODEV)


def build_root(root: str, folders: list[str]) -> None:
    """A file system with these folders, three devices, the processes of this namespace, and one place to write."""
    mount("tmpfs", root, "tmpfs", NOSUID | NODEV, "size=1m,mode=755")
    for folder in folders:
        bind_readonly(folder, root)
    for name in ("dev", "proc", "box"):
        Path(root, name).mkdir()
    for device in ("null", "zero", "urandom"):
        os.close(os.open(f"{root}/dev/{device}", os.O_CREAT | os.O_WRONLY))
        mount(f"/dev/{device}", f"{root}/dev/{device}", "", BIND)
    # Read-only: the kernel's settings below /proc/sys belong to the machine, not to a namespace.
    mount("proc", f"{root}/proc", "proc", RDONLY | NOSUID | NODEV | NOEXEC)
    mount("tmpfs", f"{root}/box", "tmpfs", NOSUID | NODEV, "size=16m,nr_inodes=1k,mode=1777")
    mount("", root, "", REMOUNT | BIND | RDONLY | NOSUID | NODEV)


def enter_root(root: str) -> None:
    """Make it the root of everything, and let go of the old one."""
    os.chdir(root)
    # Both names are the same: the old root comes to lie on top of the new one, and is taken away.
    check(_libc.syscall(_PIVOT_ROOT[platform.machine()], b".", b"."), "pivot_root")
    check(_libc.umount2(b".", _DETACH), "umount")
    os.chdir("/box")


def become_nobody(process: int) -> None:
    """In a namespace of a user's own, be no root any more: a further one, in which nobody is root.

    `process` is the folder of this process below a `/proc` that can be written.
    """
    check(_libc.unshare(_NEW_USER), "unshare")
    for name, line in (("setgroups", "deny"), ("uid_map", f"{NOBODY} 0 1"), ("gid_map", f"{NOBODY} 0 1")):
        file = os.open(name, os.O_WRONLY, dir_fd=process)
        os.write(file, line.encode())
        os.close(file)


def main() -> None:
    """Build the box, go in, give up what gives power over it, and become the program."""
    root, python, program, *folders = sys.argv[1:]
    os.umask(0o022)
    real_root = Path("/proc/self/uid_map").read_text(encoding="ascii").split()[1] == "0"
    process = os.open("/proc/self", os.O_RDONLY | os.O_DIRECTORY)
    build_root(root, folders)
    enter_root(root)
    if not real_root:  # the machine's own root becomes nobody in the program itself, which can do so
        become_nobody(process)
    os.close(process)
    check(_libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    os.execv(python, [python, "-I", "-S", "-B", "-c", program])


if __name__ == "__main__":
    main()
