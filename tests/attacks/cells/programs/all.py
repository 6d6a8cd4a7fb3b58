# Each way to start a program or a process.
# says: start a program
import os, subprocess, pty, multiprocessing, asyncio, signal
touch = f"touch {outside}/evil"
words = touch.split()
attempts = [lambda: os.system(touch), lambda: os.popen(touch), lambda: subprocess.run(words), lambda: subprocess.Popen(words),
            lambda: subprocess.getoutput(touch), lambda: subprocess.check_output(words), lambda: os.execv("/bin/touch", words),
            lambda: os.execve("/bin/touch", words, {}), lambda: os.spawnv(os.P_WAIT, "/bin/touch", words),
            lambda: os.posix_spawn("/bin/touch", words, {}), lambda: os.posix_spawnp("touch", words, {}), lambda: os.fork(),
            lambda: os.forkpty(), lambda: pty.spawn(words), lambda: multiprocessing.Process(target=os.getpid).start(),
            lambda: multiprocessing.get_context("spawn").Process(target=os.getpid).start(),
            lambda: multiprocessing.get_context("forkserver").Process(target=os.getpid).start(),
            lambda: multiprocessing.Pool(1), lambda: multiprocessing.Manager(),
            lambda: os.kill(os.getppid(), 0), lambda: os.killpg(0, 0), lambda: os.abort(), lambda: os.setsid(),
            lambda: os.nice(0) and None or signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 0)]
assert refused(attempts) == len(attempts)
await asyncio.create_subprocess_exec(*words)
