/*
 * template_request - what a kernel process and a template process say to each other
 *
 * One connection over a stream socket for each guard that is wanted. The kernel process sends a request
 * and, with its first byte, descriptors; the environment follows. It hears an answer for the guard and then
 * one for each process below its keeper that has ended; to close the connection ends them all. The other
 * requests are answered with lines of text. Both ends are of one version: it is part of the socket's name.
 */
#pragma once

#include "guard/link/descriptors.h"

#include <stdint.h>

enum template_kind {
    TEMPLATE_FORK,   /* be a guard */
    TEMPLATE_STATUS, /* say what there is */
    TEMPLATE_STOP,   /* end the template; its guards go on */
};

struct template_request {
    uint32_t kind;
    uint32_t umask;
    uint32_t environment_bytes; /* "NAME=value\0…", after this */
};

/* Descriptors of TEMPLATE_FORK: its fd 1 and 2, its working directory, then the link and what follows it. */
enum {
    TEMPLATE_FD_STDOUT,
    TEMPLATE_FD_STDERR,
    TEMPLATE_FD_FOLDER,
    TEMPLATE_FD_LINK,
    TEMPLATE_FD_COUNT = TEMPLATE_FD_LINK + DESCRIPTOR_COUNT,
};

enum { TEMPLATE_ENVIRONMENT_BYTES_MAX = 8 * 1024 * 1024 };

/* A pidfd of the guard comes with the first. */
struct template_answer {
    int32_t pid;
    int32_t wait_status; /* as waitpid() gave it; 0 in the first */
    int32_t keeper;      /* pid of the one that says so */
};
