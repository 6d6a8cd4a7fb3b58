# Names that stay read-only inside the root, also by another way in.
# says: it is protected
import os
os.mkdir("sub")
os.symlink(".git", "sly")
refused = 0
for attempt in (lambda: os.mkdir(".git"), lambda: open(".git/config", "w"), lambda: os.rename("sub", ".git"),
                lambda: open("sub/../.git/hooks", "w"), lambda: open("sly/config", "w"), lambda: open(".safepyrun.toml", "w"),
                lambda: os.symlink("sub", ".venv"), lambda: os.mkdir("sly/x")):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        refused += 1
assert refused == 8, refused
open(".git/config", "w")
