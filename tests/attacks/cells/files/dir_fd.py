# A relative name with a directory descriptor: the open event does not carry dir_fd (fastaudit 0.2 judged against the cwd).
# says: outside the write roots
import os
there = os.open(outside, os.O_RDONLY)
os.open("evil", os.O_CREAT | os.O_WRONLY, dir_fd=there)
