/*
 * question - a refusal of the guard becomes a question to the person at the front end
 *
 * The guard asks with an ASK frame and waits in C; this asks the client of the running cell with an
 * input_request and always answers the guard: with what the person says, when the time is over,
 * when the cell is interrupted, or at once when nobody can or need be asked. At most one is open,
 * and after QUESTIONS_REFUSED_MAX times "no" a cell is not asked about again.
 *
 * An answer that lets something pass repeats a code that was drawn for this question, so that a
 * reply to the cell's own input(), or one that a person was talked into beforehand, is never taken
 * for one. Every question is on record before the guard hears the answer. Owned by the kernel.
 */
#pragma once

#include "guard/link/frame.h"
#include "guard/link/questions.h"

struct kernel;
struct request;

enum { QUESTIONS_REFUSED_MAX = 3, QUESTION_CODE_SIZE = 5 };

struct question {
    bool is_open;
    bool is_errand;            /* about a command, not about a path */
    bool is_settled;           /* the rest of this cell's refusals is plain */
    uint32_t cell;             /* whose the members here are */
    unsigned refused;          /* in this cell */
    uint32_t interrupted_cell; /* an interrupt came for it: it asks nothing more */
    unsigned long number;      /* the guard's */
    const struct question_row *row;
    struct buffer subject;
    char code[QUESTION_CODE_SIZE]; /* of the last question, also when it is over */
    int64_t asked_ms;
};

void question_finish(struct question *question);

/* An ASK frame of the running request. Returns 0 or -errno. */
int question_take(struct kernel *kernel, const struct frame *frame);

/*
 * question_ask_for_errand() - put a command (errand.h) to the client of the running request
 *
 * errand_answered() hears the answer, unless it is clear at once: then it is in ret_answer, which is
 * ANSWER_COUNT otherwise.
 *
 * Returns 0 or -errno.
 */
int question_ask_for_errand(struct kernel *kernel, struct request *request, struct bytes command,
                            long seconds, enum question_answer *ret_answer);

/* Answers what is open; nothing when there is none. */
void question_close(struct kernel *kernel, enum question_answer answer);

/* The guard waits no more: it has gone, or gone on. */
void question_drop(struct kernel *kernel);

/* Whether no thread of the guard runs until there is an answer. For a command only the cell itself waits. */
bool question_stops_all(const struct kernel *kernel);

/* The content of an input_reply while a question is open. */
void question_take_reply(struct kernel *kernel, struct bytes content);

/* Whether it can only be a late reply to a question that is over: no input() of a cell gets it. */
bool question_is_late_reply(const struct kernel *kernel, struct bytes content);

/* When its time is over; the callback of kernel->question_timer. */
int question_time_out(void *context);
