"""Whether a folder lies on a network file system, where SQLite's write-ahead log does not work."""

from __future__ import annotations

from pathlib import Path

_NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "afs",
    "ceph",
    "gluster",
    "lustre",
    "beegfs",
    "gpfs",
    "9p",
    "ncpfs",
    "webdav",
    "davfs",
)


def network(folder: Path) -> str | None:
    """Return the kind of network file system that a folder lies on, or None.

    A file system that is not known, or that is mounted by a program (``fuse``), counts as one of a network: shared
    memory, which a write-ahead log needs, is not promised there.
    """
    import psutil

    path = folder.resolve()
    if str(path).startswith("\\\\"):
        return "a Windows share"
    best, kind = "", ""
    for partition in psutil.disk_partitions(all=True):
        mount = partition.mountpoint
        if len(mount) >= len(best) and (path == Path(mount) or Path(mount) in path.parents):
            best, kind = mount, partition.fstype.lower()
    remote = kind.startswith(("fuse.", "fuseblk")) or any(name in kind for name in _NETWORK)
    return kind if remote else None
