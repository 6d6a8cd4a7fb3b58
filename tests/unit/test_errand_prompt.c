/* What a person reads before a command is run: all of it, or a word on what is missing; nothing of it passes for ours. */
#include "tests/support/cmocka_tests.h"

#include "kernel/execution/errand_prompt.h"

#include <string.h>

static char *prompt_for(struct bytes command)
{
    struct buffer prompt = BUFFER_NONE;

    errand_prompt_append(&prompt, &(struct errand_words){.command = command,
                                                         .folder = BYTES_LITERAL("/srv/x"),
                                                         .code = "0042",
                                                         .seconds = 7});
    return buffer_steal_string(&prompt);
}

static void the_question_names_all(void **state)
{
    cleanup_free char *prompt = prompt_for(BYTES_LITERAL("ls \"a b\" \\\n  | wc"));

    (void)state;
    assert_string_equal(prompt,
                        "safepyrun asks you: the running cell wants this command to be run\n"
                        "    | ls \"a b\" \\\n"
                        "    |   | wc\n"
                        "in the folder\n"
                        "    \"/srv/x\"\n"
                        "It would run outside of the guard, with all your rights: it may read, change and send\n"
                        "whatever you may, and so may every script that it starts, also one that a cell wrote.\n"
                        "Type\n"
                        "    once 0042      and it is run, this one time.\n"
                        "Anything else is a no, and so is no answer in 7 s.\n"
                        "Your answer: ");
}

static void what_could_mislead_is_written_as_a_number(void **state)
{
    static const struct {
        struct bytes command;
        const char *shown;
    } cases[] = {
        {BYTES_LITERAL("a\tb\rc"), "    | a\u27e8x09\u27e9b\u27e8x0d\u27e9c\n"},
        {BYTES_LITERAL("\x1b[2J\x7f\xff"), "    | \u27e8x1b\u27e9[2J\u27e8x7f\u27e9\u27e8xff\u27e9\n"},
        {BYTES_LITERAL("\u202e\u200b\u00a0"), "    | \u27e8u202e\u27e9\u27e8u200b\u27e9\u27e8ua0\u27e9\nin"},
        {BYTES_LITERAL("\u27e8x1b\u27e9"), "    | \u27e8u27e8\u27e9x1b\u27e8u27e9\u27e9\n"},
        {BYTES_LITERAL("\u0430b"), "    | \u0430b\n    = \u27e8u430\u27e9b\n"},
        {BYTES_LITERAL("a\n\nb\n"), "    | a\n    | \n    | b\nin the folder"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup_free char *prompt = prompt_for(cases[i].command);

        assert_non_null(strstr(prompt, cases[i].shown));
    }
}

/* Blanks do not push the end of a line out of sight. */
static void a_long_line_goes_on_in_the_next(void **state)
{
    char command[3 * ERRAND_COLUMNS];
    cleanup_free char *prompt = NULL;

    (void)state;
    memset(command, ' ', sizeof(command));
    memcpy(command, "true", 4);
    memcpy(command + sizeof(command) - 8, "; rm -rf", 8);
    prompt = prompt_for((struct bytes){command, sizeof(command)});
    assert_non_null(strstr(prompt, "; rm -rf\nin the folder"));
    for (const char *line = prompt; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        assert_true(strcspn(line, "\n") <= ERRAND_COLUMNS + strlen("    |+ "));
    }
}

static char *lines(int count)
{
    struct buffer text = BUFFER_NONE;

    for (int i = 0; i < count; i++)
        buffer_append_format(&text, "line %d\n", i);
    return buffer_steal_string(&text);
}

static void what_is_not_shown_is_told(void **state)
{
    cleanup_free char *whole = lines(ERRAND_LINES_MAX);
    cleanup_free char *longer = lines(100);
    cleanup_free char *shown = prompt_for(bytes_of_string(whole));
    cleanup_free char *cut = prompt_for(bytes_of_string(longer));

    (void)state;
    assert_null(strstr(shown, "NOT SHOWN"));
    assert_non_null(strstr(shown, "| line 50\n"));
    assert_non_null(strstr(cut, "    | line 39\n    [44 lines with 308 characters are NOT SHOWN here. A yes is for "
                                "them as well.]\n    | line 84\n"));
    assert_non_null(strstr(cut, "    | line 99\nin the folder"));
}

RUN(cmocka_unit_test(the_question_names_all),
    cmocka_unit_test(what_could_mislead_is_written_as_a_number),
    cmocka_unit_test(a_long_line_goes_on_in_the_next),
    cmocka_unit_test(what_is_not_shown_is_told))
