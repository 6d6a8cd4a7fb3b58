/*
 * errands - commands that the kernel process runs for a cell, after a person's yes
 *
 * For both processes: the words in ERRAND and ERRAND_DONE frames. A cell cannot start programs; under
 * on_deny = "ask" its guard asks the kernel process, which shows a person the very text that it then
 * runs itself, outside of both rings. Not for how a person is asked (kernel/execution/errand) and not
 * for what the cell sees of it (guard/errand).
 */
#pragma once

#include "guard/link/bytes.h"

/* A longer text is not asked about. Below what the system takes as one argument. */
enum { ERRAND_TEXT_BYTES_MAX = 64 * 1024 };
/* Of each stream, what is kept for the cell; the rest is left out, and said so. */
enum { ERRAND_KEPT_BYTES_MAX = 16 * 1024 * 1024 };

/* What is run. The words are "sh", "pip" and "uv". */
enum errand_program {
    ERRAND_SHELL, /* the text, by /bin/sh */
    ERRAND_PIP,   /* the session's Python with -m pip; the text is what follows */
    ERRAND_UV,    /* the same with -m uv */
    ERRAND_PROGRAM_COUNT
};

/* What becomes of what it writes: "show" it, "keep" it for the cell, "join" stderr with stdout. */
enum errand_output { ERRAND_SHOW, ERRAND_KEEP, ERRAND_JOIN, ERRAND_OUTPUT_COUNT };

enum errand_outcome {
#define ERRAND_OUTCOME(name, word, why) ERRAND_##name,
#include "guard/link/errands.def"
#undef ERRAND_OUTCOME
    ERRAND_OUTCOME_COUNT
};

/* Borrowed, for ever. */
const char *errand_program_word(enum errand_program program);
const char *errand_output_word(enum errand_output output);
const char *errand_outcome_word(enum errand_outcome outcome);
/* Why it was not run; NULL: it was, or was interrupted. */
const char *errand_outcome_why(enum errand_outcome outcome);

/* The …_COUNT for any other word. */
enum errand_program errand_program_find(struct bytes word);
enum errand_output errand_output_find(struct bytes word);
enum errand_outcome errand_outcome_find(struct bytes word);
