# The descriptor of the link: writing, copying, closing, blocking, through every call that takes a number.
# policy: ban_defs = false; ban_imports = []
# says: belongs to the guard
import os, stat, fcntl, io, socket, faulthandler, signal
link = []
for fd in range(3, 1024):
    try:
        if stat.S_ISSOCK(os.fstat(fd).st_mode):
            link.append(fd)
    except OSError:
        pass
link = link[0]
Sly = type("Sly", (), {"__index__": lambda self: link, "fileno": lambda self: link})
pipe = os.pipe()
attempts = [lambda: os.write(link, b"evil"), lambda: os.write(Sly(), b"evil"), lambda: os.writev(link, [b"evil"]), lambda: os.read(link, 1),
            lambda: os.dup(link), lambda: os.dup2(pipe[0], link), lambda: os.dup2(link, 60), lambda: os.close(link), lambda: os.close(Sly()),
            lambda: os.closerange(3, 1024), lambda: os.closerange(3, 0), lambda: os.closerange(link, False), lambda: os.set_blocking(link, False),
            lambda: os.set_inheritable(link, True), lambda: open(link, "wb", closefd=False), lambda: io.FileIO(link, "w", closefd=False),
            lambda: os.fdopen(link, "wb"), lambda: fcntl.fcntl(link, fcntl.F_DUPFD, 50), lambda: fcntl.fcntl(link, fcntl.F_SETFL, 0),
            lambda: socket.socket(fileno=link), lambda: os.sendfile(link, pipe[0], None, 1), lambda: os.eventfd_write(link, 1), lambda: os.splice(pipe[0], link, 1),
            lambda: faulthandler.dump_traceback(link), lambda: faulthandler.enable(link), lambda: faulthandler.register(signal.SIGUSR1, link),
            lambda: faulthandler.dump_traceback_later(0.01, file=link), lambda: signal.set_wakeup_fd(link), lambda: faulthandler.dump_traceback(Sly()),
            lambda: fcntl.ioctl(link, 0x5421, b"\0" * 4), lambda: os.pwrite(link, b"x", 0)]
assert refused(attempts) >= len(attempts) - 1
os.write(link, b"evil")
