# All other calls with dir_fd, from a folder that may be read only.
import os
there = os.open(outside, os.O_RDONLY)
open("mine", "w").close()
attempts = [lambda: os.unlink("victim", dir_fd=there), lambda: os.mkdir("evil", dir_fd=there),
            lambda: os.rename("victim", "mine", src_dir_fd=there), lambda: os.rename("mine", "evil", dst_dir_fd=there),
            lambda: os.replace("mine", "victim", dst_dir_fd=there), lambda: os.symlink("/", "evil", dir_fd=there),
            lambda: os.link("mine", "evil", dst_dir_fd=there), lambda: os.link("victim", "mine2", src_dir_fd=there),
            lambda: os.chmod("victim", 0o777, dir_fd=there), lambda: os.utime("victim", dir_fd=there),
            lambda: os.chown("victim", 1, 1, dir_fd=there), lambda: os.mkfifo("evil", dir_fd=there),
            lambda: os.mknod("evil", dir_fd=there), lambda: os.rmdir("victim", dir_fd=there)]
refused = 0
for attempt in attempts:
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == len(attempts), refused
attempt()
