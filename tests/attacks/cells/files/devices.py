# Devices of one's own: as root, a node inside a write root leads to any disk, to the system's log and to the terminals of others.
# says: a device stands for a disk
import os, stat
Sly = type("Sly", (), {"__index__": lambda self: stat.S_IFBLK | 0o600})
terminal = os.makedev(5, 0)
attempts = [lambda: os.mknod("node", stat.S_IFCHR, terminal), lambda: os.mknod("node", stat.S_IFBLK | 0o600, os.makedev(8, 0)),
            lambda: os.mknod(b"node", mode=stat.S_IFCHR | 0o666, device=terminal), lambda: os.mknod("node", Sly(), terminal),
            lambda: os.mknod("node", stat.S_IFBLK | 1 << 20, terminal), lambda: os.mknod("node", ~0xFFFF | stat.S_IFCHR, terminal),
            lambda: os.mknod("node", dir_fd=os.open(".", os.O_RDONLY), mode=stat.S_IFCHR), lambda: os.mknod("other", 0o600, Sly())]
assert refused(attempts) == len(attempts)
os.mknod("plain")
os.mknod("pipe", stat.S_IFIFO | 0o600)
assert sorted(os.listdir()) == ["pipe", "plain"], os.listdir()
os.mknod("node", stat.S_IFCHR | 0o600, terminal)
