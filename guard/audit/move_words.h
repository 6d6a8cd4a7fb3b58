/*
 * move_words - what os.rename() says when it is asked to move a file between two write roots
 *
 * In the mount view of the OS ring each write root is a mount of its own, and the system moves nothing between
 * mounts, although both may lie on one disk. The error stays what it is (shutil.move() lives on it, and copies);
 * its text says what to do. Not for decisions.
 */
#pragma once

/* For the guard process, once. 0, or -1 with an exception. */
int move_words_init(void);
