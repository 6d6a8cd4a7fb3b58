/*
 * ask - a refusal becomes a question to the person at the front end
 *
 * Only under on_deny = "ask", only for denials that say may_ask, only on the main thread of the
 * cell that runs. The question goes to the kernel process, which words it, puts it to the client
 * and always answers; meanwhile this thread waits in C with the GIL: no Python code runs, so what
 * was judged cannot change before the answer. What a person has let pass for the session is kept
 * here, in C, and ends with the guard process.
 */
#pragma once

#include "guard/audit/events.h"
#include "guard/link/questions.h"

/* On the main thread, before the guard is armed. */
void ask_start(void);

/* Whether this thread may have a question about this cell put to a person. */
bool ask_is_possible(uint32_t cell);

/*
 * ask_person() - judge again, with the help of a person
 *
 * facts       judged once already: `denial` is the result
 * denial      the last "no", in other words perhaps; not to be used when all is well
 * ret_answer  set when somebody was asked
 *
 * Returns whether the call may pass.
 */
bool ask_person(const struct policy *policy, const struct event_row *row, const char *event,
                struct facts *facts, struct denial *denial, enum question_answer *ret_answer);

/* What passes until the session ends; texts are borrowed, the path may be any bytes. */
struct grant {
    const struct question_row *question;
    char *subject;
};
size_t ask_grant_count(void);
/* By value: the list grows. */
struct grant ask_grant(size_t number);
