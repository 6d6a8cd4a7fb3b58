#include "tests/support/cmocka_tests.h"

#include "guard/link/plain_run.h"

#include <stdbool.h>

/* Every character at every place beside others: eight bytes are looked at together. */
static void the_end_is_the_first_that_is_not_plain(void **state)
{
    char text[24];

    (void)state;
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < sizeof(text); at++) {
            bool is_plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
            const char *end = text + sizeof(text);

            memset(text, at % 2 == 0 ? 0x20 : 0x7f, sizeof(text));
            text[at] = (char)c;
            assert_ptr_equal(plain_run_end(text, end), is_plain ? end : text + at);
        }
}

static void an_empty_text_ends_at_once(void **state)
{
    const char *text = "\"";

    (void)state;
    assert_ptr_equal(plain_run_end(text, text), text);
}

RUN(cmocka_unit_test(the_end_is_the_first_that_is_not_plain),
      cmocka_unit_test(an_empty_text_ends_at_once))
