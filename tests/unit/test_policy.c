/* Presets, and the policy on the link: every prefix and every changed byte of it. */
#include "guard/policy/policy.h"
#include "tests/support/cmocka_tests.h"

#include <string.h>

static const char *const names[] = {"read-only", "workspace", "strict", "open"};

static void each_preset_has_its_name(void **state)
{
    enum policy_preset preset;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(policy_preset_find(names[i], &preset), 0);
        assert_int_equal(preset, i);
        assert_string_equal(policy_preset_name(preset), names[i]);
    }
    assert_int_equal(policy_preset_find("lenient", &preset), POLICY_E_UNKNOWN_PRESET);
    assert_int_equal(policy_preset_find("", &preset), POLICY_E_UNKNOWN_PRESET);
}

static void presets_differ_in_what_may_be_written(void **state)
{
    cleanup_policy struct policy *nothing = policy_new(POLICY_READ_ONLY);
    cleanup_policy struct policy *here = policy_new(POLICY_WORKSPACE);
    cleanup_policy struct policy *open = policy_new(POLICY_OPEN);

    (void)state;
    policy_set_private_directory(nothing, "/tmp");
    policy_set_private_directory(here, "/tmp");
    policy_seal(nothing);
    policy_seal(here);
    policy_seal(open);
    assert_false(write_roots_cover(nothing->write_roots, "/tmp/x"));
    assert_true(write_roots_cover(here->write_roots, "/tmp/x"));
    assert_true(write_roots_count(open->write_roots) == 1); /* for the OS ring */
}

static void a_sealed_policy_stays(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_STRICT);
    struct policy_value yes = {.type = POLICY_BOOLEAN, .boolean = true};

    (void)state;
    policy_seal(policy);
    policy_seal(policy);
    assert_int_equal(policy_set(policy, "ban_defs", &yes), POLICY_E_SEALED);
    assert_int_equal(policy_set_preset(policy, POLICY_OPEN), POLICY_E_SEALED);
    assert_int_equal(policy_set_private_directory(policy, "/"), POLICY_E_SEALED);
    assert_int_equal(policy_add_read_only(policy, "/"), POLICY_E_SEALED);
}

static void keys_take_their_type_only(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    struct policy_value yes = {.type = POLICY_BOOLEAN, .boolean = true};
    struct policy_value text = {.type = POLICY_STRING, .string = "x"};

    (void)state;
    assert_int_equal(policy_set(policy, "ban_defs", &text), POLICY_E_BAD_TYPE);
    assert_int_equal(policy_set(policy, "ban_imports", &yes), POLICY_E_BAD_TYPE);
    assert_int_equal(policy_set(policy, "ok_dests", &text), POLICY_E_BAD_VALUE);
    assert_int_equal(policy_set(policy, "preset", &text), POLICY_E_BAD_VALUE);
    assert_int_equal(policy_set(policy, "no_such_key", &yes), POLICY_E_UNKNOWN_KEY);
}

static void every_preset_comes_through(void **state)
{
    (void)state;
    for (int preset = POLICY_READ_ONLY; preset <= POLICY_OPEN; preset++) {
        cleanup_policy struct policy *policy = policy_new((enum policy_preset)preset);
        cleanup_policy struct policy *decoded = NULL;
        cleanup_buffer struct buffer first = BUFFER_NONE;
        cleanup_buffer struct buffer second = BUFFER_NONE;

        policy_set_private_directory(policy, "/tmp/x");
        policy_encode(policy, &first);
        assert_int_equal(policy_decode(buffer_bytes(&first), &decoded), 0);
        assert_int_equal(decoded->preset, preset);
        assert_string_equal(decoded->private_directory, "/tmp/x");
        assert_false(decoded->sealed);
        policy_encode(decoded, &second);
        assert_true(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    }
}

static void nothing_but_the_whole_is_taken(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    cleanup_buffer struct buffer buffer = BUFFER_NONE;
    struct bytes whole;

    (void)state;
    policy_encode(policy, &buffer);
    buffer_append_char(&buffer, 'x');
    whole = buffer_bytes(&buffer);
    for (size_t size = 0; size <= whole.size; size++) {
        cleanup_policy struct policy *decoded = NULL;

        if (size != whole.size - 1)
            assert_int_equal(policy_decode((struct bytes){whole.data, size}, &decoded),
                             POLICY_E_MALFORMED);
        assert_null(decoded);
    }
}

/* Whatever is changed, decoding ends, and never with half a policy. */
static void a_changed_byte_is_refused_or_harmless(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    cleanup_buffer struct buffer buffer = BUFFER_NONE;
    struct bytes whole;

    (void)state;
    policy_encode(policy, &buffer);
    whole = buffer_bytes(&buffer);
    for (size_t i = 0; i < whole.size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            cleanup_policy struct policy *decoded = NULL;
            cleanup_buffer struct buffer changed = BUFFER_NONE;

            buffer_append(&changed, whole);
            ((char *)changed.data)[i] ^= (char)(1 << bit);
            if (policy_decode(buffer_bytes(&changed), &decoded) == 0)
                assert_true(decoded->preset <= POLICY_OPEN);
            else
                assert_null(decoded);
        }
    }
}

RUN(cmocka_unit_test(each_preset_has_its_name),
    cmocka_unit_test(presets_differ_in_what_may_be_written),
    cmocka_unit_test(a_sealed_policy_stays), cmocka_unit_test(keys_take_their_type_only),
    cmocka_unit_test(every_preset_comes_through), cmocka_unit_test(nothing_but_the_whole_is_taken),
    cmocka_unit_test(a_changed_byte_is_refused_or_harmless))
