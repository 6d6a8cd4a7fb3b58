#include "guard/link/errands.h"

static const char *const programs[ERRAND_PROGRAM_COUNT] = {
    [ERRAND_SHELL] = "sh",
    [ERRAND_PIP] = "pip",
    [ERRAND_UV] = "uv",
};

static const char *const outputs[ERRAND_OUTPUT_COUNT] = {
    [ERRAND_SHOW] = "show",
    [ERRAND_KEEP] = "keep",
    [ERRAND_JOIN] = "join",
};

static const struct {
    const char *word;
    const char *why;
} outcomes[ERRAND_OUTCOME_COUNT] = {
#define ERRAND_OUTCOME(name, word, why) {word, why},
#include "guard/link/errands.def"
#undef ERRAND_OUTCOME
};

const char *errand_program_word(enum errand_program program)
{
    return programs[program];
}

const char *errand_output_word(enum errand_output output)
{
    return outputs[output];
}

const char *errand_outcome_word(enum errand_outcome outcome)
{
    return outcomes[outcome].word;
}

const char *errand_outcome_why(enum errand_outcome outcome)
{
    return outcomes[outcome].why;
}

enum errand_program errand_program_find(struct bytes word)
{
    int i = 0;

    while (i < ERRAND_PROGRAM_COUNT && !bytes_equal_string(word, programs[i]))
        i++;
    return (enum errand_program)i;
}

enum errand_output errand_output_find(struct bytes word)
{
    int i = 0;

    while (i < ERRAND_OUTPUT_COUNT && !bytes_equal_string(word, outputs[i]))
        i++;
    return (enum errand_output)i;
}

enum errand_outcome errand_outcome_find(struct bytes word)
{
    int i = 0;

    while (i < ERRAND_OUTCOME_COUNT && !bytes_equal_string(word, outcomes[i].word))
        i++;
    return (enum errand_outcome)i;
}
