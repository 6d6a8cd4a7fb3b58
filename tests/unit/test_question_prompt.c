/* What a person reads: nothing of the path may pass for the kernel's own words. */
#include "tests/support/cmocka_tests.h"

#include "kernel/execution/question_prompt.h"

#include <string.h>

static char *prompt_for(struct bytes subject)
{
    struct buffer prompt = BUFFER_NONE;
    int row = question_find("open", "ok_dests");

    assert_true(row >= 0);
    question_prompt_append(&prompt, &(struct question_words){.row = question_row((unsigned)row),
                                                             .subject = subject,
                                                             .code = "0042",
                                                             .seconds = 7});
    return buffer_steal_string(&prompt);
}

static void the_question_names_all(void **state)
{
    cleanup_free char *prompt = prompt_for(BYTES_LITERAL("/srv/x"));

    (void)state;
    assert_string_equal(prompt, "safepyrun asks you: the running cell wants to write to the file\n"
                                "    \"/srv/x\"\n"
                                "The policy says no (ok_dests). Type\n"
                                "    once 0042      and it may, this one time;\n"
                                "    session 0042   and it may, this very path, until the kernel ends.\n"
                                "Anything else is a no, and so is no answer in 7 s.\n"
                                "Your answer: ");
}

static void what_could_mislead_is_written_as_a_number(void **state)
{
    static const struct {
        struct bytes subject;
        const char *shown;
    } cases[] = {
        {BYTES_LITERAL("a\nb\rc\td"), "\"a\\x0ab\\x0dc\\x09d\""},
        {BYTES_LITERAL("a\"b\\c"), "\"a\\\"b\\\\c\""},
        {BYTES_LITERAL("\x1b[2J\x7f"), "\"\\x1b[2J\\x7f\""},
        {BYTES_LITERAL("a\0b"), "\"a\\x00b\""},
        {BYTES_LITERAL("\xff\xc3"), "\"\\xff\\xc3\""},
        {BYTES_LITERAL("\u202e\u2066\u200b\u00a0\u00ad\u2028"),
         "\"\\u{202e}\\u{2066}\\u{200b}\\u{a0}\\u{ad}\\u{2028}\""},
        {BYTES_LITERAL("e\u0301\U000e0041\U0001f600"), "\"e\\u{301}\\u{e0041}\\u{1f600}\""},
        {BYTES_LITERAL("\u00e9"), "\"\u00e9\"\n  = \"\\u{e9}\"\n"},
        {BYTES_LITERAL("/srv/\u0430 b"), "\"/srv/\u0430 b\"\n  = \"/srv/\\u{430} b\"\n"},
        {BYTES_LITERAL("\ufeff\ud55c"), "\"\\u{feff}\ud55c\"\n  = \"\\u{feff}\\u{d55c}\"\n"},
        {BYTES_LITERAL("\u0430"), "\"\u0430\"\n  = \"\\u{430}\"\n"},
        {BYTES_LITERAL("\u00c2\xc2\x80"), "\"\u00c2\\u{80}\"\n  = \"\\u{c2}\\u{80}\"\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup_free char *prompt = prompt_for(cases[i].subject);

        assert_non_null(strstr(prompt, cases[i].shown));
    }
}

static void rows_and_words_are_found(void **state)
{
    (void)state;
    for (int i = 0; i < ANSWER_COUNT; i++)
        assert_int_equal(question_answer_find(bytes_of_string(question_answer_word(i))), i);
    assert_int_equal(question_answer_find(BYTES_LITERAL("yes")), ANSWER_NO);
    assert_int_equal(question_answer_find(BYTES_NONE), ANSWER_NO);
    assert_int_equal(question_find("open", "protect"), -1);
    assert_int_equal(question_find("os.system", "interpreter ring"), -1);
    assert_null(question_row(1000000));
    assert_null(question_row((unsigned long)-1));
}

RUN(cmocka_unit_test(the_question_names_all),
    cmocka_unit_test(what_could_mislead_is_written_as_a_number),
    cmocka_unit_test(rows_and_words_are_found))
