#include "guard/link/questions.h"

static const struct question_row rows[] = {
#define QUESTION(event, rule, words) {event, rule, words},
#include "guard/link/questions.def"
#undef QUESTION
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static const char *const answers[ANSWER_COUNT] = {
    [ANSWER_NO] = "no",
    [ANSWER_ONCE] = "once",
    [ANSWER_SESSION] = "session",
    [ANSWER_ENOUGH] = "enough",
    [ANSWER_LATE] = "late",
    [ANSWER_NOBODY] = "nobody",
    [ANSWER_INTERRUPTED] = "interrupted",
};

const struct question_row *question_row(unsigned long number)
{
    return number < ROW_COUNT ? &rows[number] : NULL;
}

int question_find(const char *event, const char *rule)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(rows[i].event, event) == 0 && strcmp(rows[i].rule, rule) == 0)
            return (int)i;
    return -1;
}

const char *question_answer_word(enum question_answer answer)
{
    return answers[answer];
}

enum question_answer question_answer_find(struct bytes word)
{
    for (int i = 0; i < ANSWER_COUNT; i++)
        if (bytes_equal_string(word, answers[i]))
            return (enum question_answer)i;
    return ANSWER_NO;
}
