# Each call that changes a file or folder by its path.
import os, shutil
open("mine", "w").close()
os.mkdir("folder")
victim = outside + "/victim"
attempts = [lambda: os.unlink(victim), lambda: os.remove(victim), lambda: os.mkdir(outside + "/evil"),
            lambda: os.makedirs(outside + "/evil/evil"), lambda: os.rename(victim, "mine"),
            lambda: os.rename("mine", victim), lambda: os.replace("mine", victim), lambda: os.rename("folder", outside + "/evil"),
            lambda: os.symlink("/", outside + "/evil"), lambda: os.link("mine", outside + "/evil"),
            lambda: os.link(victim, "also_mine"), lambda: os.truncate(victim, 0), lambda: os.chmod(victim, 0o777),
            lambda: os.chown(victim, 1, 1), lambda: os.lchown(victim, 1, 1), lambda: os.utime(victim),
            lambda: os.setxattr(victim, "user.evil", b"1"), lambda: os.removexattr(victim, "user.evil"),
            lambda: os.mkfifo(outside + "/evil"), lambda: os.mknod(outside + "/evil"), lambda: os.rmdir(outside),
            lambda: shutil.copy("mine", outside), lambda: shutil.copyfile("mine", victim),
            lambda: shutil.move("mine", outside), lambda: shutil.rmtree(outside), lambda: shutil.copymode("mine", victim),
            lambda: shutil.copystat("mine", victim), lambda: shutil.copytree("folder", outside + "/evil"),
            lambda: os.chdir(outside), lambda: os.chroot(outside)]
refused = 0
for attempt in attempts:
    try:
        attempt()
        print("ESCAPED")
    except PermissionError as error:
        refused += "safepyrun refused to" in str(error)
assert refused == len(attempts), refused
attempt()
