#include "tests/support/cmocka_tests.h"

#include "kernel/wire/colours.h"
#include "kernel/wire/json_text.h"

static bool is_object(const char *text, enum json_text_rules rules)
{
    return json_text_is_object(bytes_of_string(text), rules);
}

static void objects_are_recognised(void **state)
{
    static const char *const good[] = {
        "{}", " { } ", "{\"a\":1}", "{\"a\":[],\"b\":{}}", "{\"a\":[1,-2.5e+3,0.1,true,false,null]}",
        "{\"a\":\"\\u00e9\\ud800\\\"\"}", "{\"\":{\"\":[{}, [[]] ]}}", "{\"big\":123456789012345678901234567890}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(is_object(good[i], JSON_TEXT_STRICT));
}

static void everything_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "",        "[]",          "1",          "{",           "}",           "{}}",      "{,}",
        "{\"a\"}", "{\"a\":}",    "{\"a\":1,}", "{\"a\":[1,]}", "{\"a\":[,1]}", "{a:1}",   "{\"a\":01}",
        "{\"a\":1.}", "{\"a\":.5}", "{\"a\":-}", "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}",
        "{\"a\":tru}", "{\"a\":\"\xff\"}", "{\"a\":[}", "{\"a\":{]}", "{\"a\":1 \"b\":2}", "{\"a\":NaN}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(is_object(bad[i], JSON_TEXT_STRICT));
}

static void python_numbers_are_for_the_lenient(void **state)
{
    (void)state;
    assert_true(is_object("{\"a\":[NaN,Infinity,-Infinity]}", JSON_TEXT_LENIENT));
    assert_false(is_object("{\"a\":-Infinity}", JSON_TEXT_STRICT));
}

static void depth_is_bounded(void **state)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    (void)state;
    buffer_append_string(&text, "{\"a\":");
    for (int i = 0; i < JSON_TEXT_DEPTH_MAX - 1; i++)
        buffer_append_char(&text, '[');
    for (int i = 0; i < JSON_TEXT_DEPTH_MAX - 1; i++)
        buffer_append_char(&text, ']');
    buffer_append_char(&text, '}');
    assert_true(json_text_is_object(buffer_bytes(&text), JSON_TEXT_STRICT));
    buffer_clear(&text, 0);
    buffer_append_string(&text, "{\"a\":");
    for (int i = 0; i < 1000000; i++)
        buffer_append_char(&text, '[');
    assert_false(json_text_is_object(buffer_bytes(&text), JSON_TEXT_STRICT));
}

static void expect_member(const char *object, const char *key, const char *expected)
{
    struct bytes value;

    assert_true(json_text_member(bytes_of_string(object), key, &value));
    assert_true(bytes_equal_string(value, expected));
}

static void members_are_found_at_the_top_only(void **state)
{
    struct bytes value;

    (void)state;
    expect_member("{\"x\":{\"code\":1}, \"code\" : \"2\" , \"y\":3}", "code", "\"2\"");
    expect_member("{\"a\":1,\"a\":[2, 3]}", "a", "[2, 3]"); /* the last one, as Python */
    expect_member("{\"\\u0063ode\":1}", "code", "1");
    assert_false(json_text_member(bytes_of_string("{\"x\":{\"code\":1}}"), "code", &value));
    assert_false(json_text_member(bytes_of_string("{}"), "code", &value));
}

static void strings_are_decoded(void **state)
{
    cleanup_buffer struct buffer decoded = BUFFER_NONE;

    (void)state;
    assert_true(json_text_string(bytes_of_string("\"a\\n\\u00e9\\ud83d\\ude00\\ud800\\\\\""),
                                 &decoded));
    assert_true(bytes_equal_string(buffer_bytes(&decoded),
                                   "a\n\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd\\"));
    assert_false(json_text_string(bytes_of_string("1"), &decoded));
}

static void scalars_are_read(void **state)
{
    bool truth = false;
    long number = 0;

    (void)state;
    assert_true(json_text_bool(BYTES_LITERAL("true"), &truth) && truth);
    assert_false(json_text_bool(BYTES_LITERAL("1"), &truth));
    assert_true(json_text_integer(BYTES_LITERAL("-42"), &number) && number == -42);
    assert_false(json_text_integer(BYTES_LITERAL("4.5"), &number));
    assert_false(json_text_integer(BYTES_LITERAL("99999999999999999999"), &number));
}

static void what_is_inside_has_no_space_around(void **state)
{
    (void)state;
    assert_true(bytes_equal_string(json_text_inside(BYTES_LITERAL(" {\"a\": 1 } ")), "\"a\": 1"));
    assert_true(bytes_equal_string(json_text_inside(BYTES_LITERAL("[1,\n2]")), "1,\n2"));
    assert_int_equal(json_text_inside(BYTES_LITERAL("{ \t}\n")).size, 0);
    assert_int_equal(json_text_inside(BYTES_LITERAL("[]")).size, 0);
    assert_int_equal(json_text_inside(BYTES_NONE).size, 0);
}

static void lines_of_a_list_are_joined(void **state)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    (void)state;
    json_text_append_lines(BYTES_LITERAL("[\"\", \"a \\\"b\\\"\", \"\\\\\"]"), &text);
    assert_true(bytes_equal_string(buffer_bytes(&text), "\na \"b\"\n\\"));
    json_text_append_lines(BYTES_LITERAL("{\"a\": \"b\"}"), &text);
    json_text_append_lines(BYTES_LITERAL("\"text\""), &text);
    json_text_append_lines(BYTES_NONE, &text);
    assert_true(bytes_equal_string(buffer_bytes(&text), "\na \"b\"\n\\"));
}

static void colours_are_taken_out(void **state)
{
    cleanup_buffer struct buffer plain = BUFFER_NONE;

    (void)state;
    colours_strip(BYTES_LITERAL("\033[0;31mred\033[0m [\033] é\033[1"), &plain);
    assert_true(bytes_equal_string(buffer_bytes(&plain), "red [\033] é"));
}

RUN(cmocka_unit_test(lines_of_a_list_are_joined), cmocka_unit_test(colours_are_taken_out),
    cmocka_unit_test(objects_are_recognised), cmocka_unit_test(everything_else_is_refused),
    cmocka_unit_test(python_numbers_are_for_the_lenient), cmocka_unit_test(depth_is_bounded),
    cmocka_unit_test(members_are_found_at_the_top_only), cmocka_unit_test(strings_are_decoded),
    cmocka_unit_test(scalars_are_read), cmocka_unit_test(what_is_inside_has_no_space_around))
