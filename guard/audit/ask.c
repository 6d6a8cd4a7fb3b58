#include "guard/audit/ask.h"

#include "guard/python/attribution.h"
#include "guard/python/link_end.h"
#include "guard/python/streams.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { GRANTS_MAX = 1000 };

static struct {
    pthread_t main_thread;
    bool started;
    unsigned long number;  /* of the last question */
    uint32_t settled_cell; /* whose refusals are not asked about any more */
    struct grant *grants;
    size_t grant_count;
} asking;

void ask_start(void)
{
    asking.main_thread = pthread_self();
    asking.started = true;
}

size_t ask_grant_count(void)
{
    return asking.grant_count;
}

struct grant ask_grant(size_t number)
{
    return asking.grants[number];
}

/* ---- what passes for the session ------------------------------------------------------------- */

static const struct grant *find_grant(const struct question_row *question, const char *subject)
{
    for (size_t i = 0; i < asking.grant_count; i++)
        if (asking.grants[i].question == question && strcmp(asking.grants[i].subject, subject) == 0)
            return &asking.grants[i];
    return NULL;
}

static void add_grant(const struct question_row *question, const char *subject)
{
    if (asking.grant_count == GRANTS_MAX)
        return; /* it passes this one time */
    asking.grants = xrealloc(asking.grants, (asking.grant_count + 1) * sizeof(*asking.grants));
    asking.grants[asking.grant_count++] = (struct grant){question, xstrdup(subject)};
}

/* ---- one question ---------------------------------------------------------------------------- */

/* A context that was copied in a subshell names that one's cell, on the main thread too. */
bool ask_is_possible(uint32_t cell)
{
    return asking.started && pthread_equal(pthread_self(), asking.main_thread) &&
           cell != 0 && cell == attribution_running_cell() && cell != asking.settled_cell;
}

static enum question_answer read_answer(const struct frame *frame, const char *number)
{
    if (!bytes_equal_string(frame->parts[0], number))
        return ANSWER_NO; /* it belongs to no question of ours */
    return question_answer_find(frame->parts[1]);
}

static enum question_answer put(uint32_t cell, int row, long seconds, const char *subject)
{
    char number[32];
    char row_number[16];
    char limit[32];
    struct bytes parts[4];
    struct frame answer;

    snprintf(number, sizeof(number), "%lu", ++asking.number);
    snprintf(row_number, sizeof(row_number), "%d", row);
    snprintf(limit, sizeof(limit), "%ld", seconds);
    parts[0] = bytes_of_string(number);
    parts[1] = bytes_of_string(row_number);
    parts[2] = bytes_of_string(limit);
    parts[3] = bytes_of_string(subject);
    streams_flush(); /* what was printed comes before the question */
    if (!link_end_exchange(&(struct frame){FRAME_ASK, cell, 4, parts}, FRAME_ANSWER, &answer))
        return ANSWER_NOBODY;
    return read_answer(&answer, number);
}

/* So that whoever reads the refusal does not try again at once. */
static void add_to_reason(struct denial *denial, enum question_answer answer)
{
    size_t size = strlen(denial->reason);

    if (answer == ANSWER_NO || answer == ANSWER_ENOUGH)
        snprintf(denial->reason + size, sizeof(denial->reason) - size,
                 ", and a person who was asked said no");
    else if (answer == ANSWER_LATE)
        snprintf(denial->reason + size, sizeof(denial->reason) - size,
                 ", and nobody answered the question whether it may");
}

/* Returns whether this denial is set aside. */
static bool appeal(const struct policy *policy, const char *event, struct denial *denial,
                   enum question_answer *ret_answer)
{
    int row = denial->may_ask ? question_find(event, denial->rule) : -1;
    const struct question_row *question = row >= 0 ? question_row((unsigned long)row) : NULL;
    uint32_t cell;

    if (question == NULL)
        return false;
    if (find_grant(question, denial->subject) != NULL)
        return true;
    cell = attribution_cell();
    if (!ask_is_possible(cell))
        return false;
    *ret_answer = put(cell, row, policy->ask_seconds, denial->subject);
    if (*ret_answer == ANSWER_SESSION)
        add_grant(question, denial->subject);
    if (*ret_answer == ANSWER_ONCE || *ret_answer == ANSWER_SESSION)
        return true;
    if (*ret_answer != ANSWER_NO)
        asking.settled_cell = cell;
    add_to_reason(denial, *ret_answer);
    return false;
}

static void excuse(const struct excuses *excuses, struct facts *facts)
{
    for (unsigned i = 0; i < facts->path_count; i++)
        facts->paths[i].excuses = excuses;
}

/* Two paths can need an excuse each, and so can writing and reading: after each one all is judged
 * anew. */
bool ask_person(const struct policy *policy, const struct event_row *row, const char *event,
                struct facts *facts, struct denial *denial, enum question_answer *ret_answer)
{
    cleanup_free struct excuses *excuses = xcalloc(1, sizeof(*excuses)); /* the facts lead to it */
    char *subjects[EXCUSES_MAX] = {NULL};
    bool passes = false;

    excuse(excuses, facts);
    while (!passes && excuses->count < EXCUSES_MAX && appeal(policy, event, denial, ret_answer)) {
        subjects[excuses->count] = xstrdup(denial->subject);
        excuses->items[excuses->count].rule = denial->rule;
        excuses->items[excuses->count].subject = subjects[excuses->count];
        excuses->count++;
        passes = row->check(policy, facts, denial) == VERDICT_ALLOW;
    }
    excuse(NULL, facts);
    for (unsigned i = 0; i < EXCUSES_MAX; i++)
        free(subjects[i]);
    return passes;
}
