/*
 * questions - the rows of questions.def, and the words in which a question is answered
 *
 * For both processes: an ASK frame names a row by its number, ANSWER is one of the words below.
 * Which refusals are put to a person at all is decided in guard/policy/appeal.
 */
#pragma once

#include "guard/link/bytes.h"

struct question_row {
    const char *event;
    const char *rule;
    const char *words;
};

/* The row, or NULL for a number that names none. */
const struct question_row *question_row(unsigned long number);
/* The number of a row; -1 when there is none. */
int question_find(const char *event, const char *rule);

enum question_answer {
    ANSWER_NO,
    ANSWER_ONCE,
    ANSWER_SESSION,
    ANSWER_ENOUGH,      /* no, and no more questions in this cell */
    ANSWER_LATE,        /* nobody answered in time: no more questions in this cell */
    ANSWER_NOBODY,      /* nobody can be asked: a front end without stdin, a silent cell */
    ANSWER_INTERRUPTED, /* the cell is being interrupted */
    ANSWER_COUNT
};

/* "once"; in frames and in the audit log. */
const char *question_answer_word(enum question_answer answer);
/* ANSWER_NO for any other word. */
enum question_answer question_answer_find(struct bytes word);
