#include "tests/support/cmocka_tests.h"

#include "guard/link/utf8.h"

static void expect_escaped(const char *chunks[], const char *expected)
{
    cleanup_buffer struct buffer escaped = BUFFER_NONE;
    struct utf8_decoder decoder = {.held_size = 0};

    for (; *chunks != NULL; chunks++)
        utf8_append_escaped(&decoder, bytes_of_string(*chunks), &escaped);
    utf8_finish_escaped(&decoder, &escaped);
    buffer_append_char(&escaped, '\0');
    assert_string_equal(escaped.data, expected);
}

static void text_is_escaped_for_json(void **state)
{
    (void)state;
    expect_escaped((const char *[]){"a\"b\\c\n\t\r\x01\x7f", NULL},
                   "a\\\"b\\\\c\\n\\t\\r\\u0001\x7f");
    expect_escaped((const char *[]){"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", NULL},
                   "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
}

static void a_character_cut_in_two_survives(void **state)
{
    (void)state;
    expect_escaped((const char *[]){"\xf0", "\x9f", "\x98", "\x80!", NULL},
                   "\xf0\x9f\x98\x80!");
    expect_escaped((const char *[]){"x\xe2\x82", "\xac", NULL}, "x\xe2\x82\xac");
}

#define BAD "\xef\xbf\xbd"

static void what_is_no_utf8_is_replaced(void **state)
{
    (void)state;
    expect_escaped((const char *[]){"\xff\xfe", NULL}, BAD BAD);
    expect_escaped((const char *[]){"\xe2\x82", "x", NULL}, BAD "x");     /* cut, then something else */
    expect_escaped((const char *[]){"\xed\xa0\x80", NULL}, BAD BAD BAD);  /* a surrogate */
    expect_escaped((const char *[]){"\xc0\xaf", NULL}, BAD BAD);          /* overlong */
    expect_escaped((const char *[]){"end\xf0\x9f", NULL}, "end" BAD);     /* never completed */
}

static void validity_follows_the_standard(void **state)
{
    (void)state;
    assert_true(utf8_is_valid(BYTES_LITERAL("a\xc3\xa9\xf4\x8f\xbf\xbf")));
    assert_true(utf8_is_valid(BYTES_NONE));
    assert_false(utf8_is_valid(BYTES_LITERAL("\xf4\x90\x80\x80"))); /* above U+10FFFF */
    assert_true(utf8_is_valid(BYTES_LITERAL("\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80"))); /* the first and last ones there */
    assert_false(utf8_is_valid(BYTES_LITERAL("\xe0\x9f\xbf")));      /* overlong */
    assert_false(utf8_is_valid(BYTES_LITERAL("\xf0\x8f\xbf\xbf")));  /* overlong */
    assert_false(utf8_is_valid(BYTES_LITERAL("\xed\xa0\x80")));      /* a surrogate */
    for (const char *first = "\xe0\xe1\xed\xf0\xf1\xf4"; *first != '\0'; first++) { /* no second byte */
        assert_false(utf8_is_valid((struct bytes){(const char[]){*first, '\x7f', '\x80', '\x80'}, 4}));
        assert_false(utf8_is_valid((struct bytes){(const char[]){*first, '\xc0', '\x80', '\x80'}, 4}));
    }
    assert_false(utf8_is_valid(BYTES_LITERAL("\xc3")));
}

/* Plain text is passed over eight bytes at a time; one byte at a time is the reference. */
static void escapes_do_not_depend_on_where_they_stand(void **state)
{
    char text[24];

    (void)state;
    for (int byte = 0; byte < 0x80; byte++) {
        for (size_t place = 0; place < sizeof(text); place++) {
            struct utf8_decoder decoder = {.held_size = 0};
            cleanup_buffer struct buffer whole = BUFFER_NONE;
            cleanup_buffer struct buffer single = BUFFER_NONE;

            memset(text, '~', sizeof(text));
            text[place] = (char)byte;
            utf8_append_escaped(&decoder, (struct bytes){text, sizeof(text)}, &whole);
            for (size_t i = 0; i < sizeof(text); i++)
                utf8_append_escaped(&decoder, (struct bytes){text + i, 1}, &single);
            assert_true(bytes_equal(buffer_bytes(&whole), buffer_bytes(&single)));
        }
    }
}

static void a_cut_is_between_characters(void **state)
{
    (void)state;
    assert_int_equal(utf8_cut(BYTES_LITERAL("a\xf4\x8f\xbf\xbf"), 5), 5);
    assert_int_equal(utf8_cut(BYTES_LITERAL("a\xf4\x8f\xbf\xbf"), 4), 1);
    assert_int_equal(utf8_cut(BYTES_LITERAL("\xc3\xa9"), 1), 0);
    assert_int_equal(utf8_cut(BYTES_LITERAL("\x80\x80\x80\x80\x80\x80"), 5), 5); /* no UTF-8 */
}

RUN(cmocka_unit_test(escapes_do_not_depend_on_where_they_stand), cmocka_unit_test(text_is_escaped_for_json), cmocka_unit_test(a_character_cut_in_two_survives),
    cmocka_unit_test(what_is_no_utf8_is_replaced), cmocka_unit_test(validity_follows_the_standard),
    cmocka_unit_test(a_cut_is_between_characters))
