/*
 * attacks - native attacks on the OS ring, loaded into a guard by ctypes with the interpreter ring switched off
 *
 * Each is a function attack_<name>(const struct target *) that returns 0 when it got what it wanted, else an
 * errno. Whether anything happened is looked at from outside, by test_attacks.py; the return value alone
 * counts only where nothing can be seen from there. Calls that a C library may not have are made by number.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

struct target {
    const char *outside;  /* a folder with the file "victim" (attribute user.mark) and the folder "empty" */
    const char *inside;   /* the write root, with the file "own" */
    const char *tty;      /* a terminal of somebody else */
    const char *socket;   /* path where somebody listens; datagrams at path + ".d" */
    const char *abstract; /* name of an abstract socket where somebody listens */
    const char *secret;   /* a file below deny_read */
    int pid;              /* a process of the same user */
    int port;             /* where somebody listens, TCP and UDP, on 127.0.0.1 */
    int shm;              /* id of that process's System V segment */
    uint64_t address;     /* of "as it was" in its memory */
    const char *posix_shm; /* name of its POSIX segment */
};

#define ATTACK(name) int attack_##name(const struct target *t); int attack_##name(const struct target *t)

/* A path outside of the write root; valid until the next one. */
const char *out(const struct target *t, const char *name);
/* The same inside of it. */
const char *in(const struct target *t, const char *name);

/* 0, or the errno of a call that failed. */
int result(long value);
int write_fd(int fd);
int in_child(int (*attack)(const struct target *t), const struct target *t);

/* What others do as well, once they are out. */
int attack_create(const struct target *t);
