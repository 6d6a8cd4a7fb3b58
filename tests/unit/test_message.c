#include "tests/support/cmocka_tests.h"

#include "kernel/wire/message.h"

static struct signature_key *key;

static int make_key(void **state)
{
    (void)state;
    return signature_key_new("hmac-sha256", BYTES_LITERAL("secret"), &key);
}

static int free_key(void **state)
{
    (void)state;
    signature_key_free(key);
    return 0;
}

static const char header[] = "{\"msg_id\":\"m1\",\"msg_type\":\"execute_request\"}";

/* Identities, delimiter, signature and four parts, signed with the key. */
static struct frames signed_frames(size_t identities, const char *head, const char *content)
{
    struct frames frames = FRAMES_NONE;
    const struct bytes parts[SIGNATURE_FRAMES] = {bytes_of_string(head), BYTES_LITERAL("{}"),
                                                  BYTES_LITERAL("{}"), bytes_of_string(content)};
    char hex[SIGNATURE_HEX_MAX + 1];

    signature_sign(key, parts, hex);
    for (size_t i = 0; i < identities; i++)
        frames_append(&frames, BYTES_LITERAL("id"));
    frames_append(&frames, BYTES_LITERAL("<IDS|MSG>"));
    frames_append(&frames, bytes_of_string(hex));
    for (int i = 0; i < SIGNATURE_FRAMES; i++)
        frames_append(&frames, parts[i]);
    return frames;
}

static void a_message_is_taken_apart(void **state)
{
    struct frames frames = signed_frames(2, header, "{\"code\":\"1\"}");
    struct message *message = NULL;

    (void)state;
    frames_append(&frames, BYTES_LITERAL("buffer"));
    assert_int_equal(message_parse(&frames, key, &message), 0);
    assert_int_equal(message->identity_count, 2);
    assert_string_equal(message->msg_id, "m1");
    assert_string_equal(message->msg_type, "execute_request");
    assert_true(message->content_is_valid);
    assert_int_equal(message_buffer_count(message), 1);
    assert_true(bytes_equal_string(message_buffer(message, 0), "buffer"));
    message_free(message);
}

static void expect_outcome(struct frames frames, int outcome)
{
    struct message *message = NULL;

    assert_int_equal(message_parse(&frames, key, &message), outcome);
    assert_null(message);
    assert_int_equal(frames.count, 0); /* taken all the same */
}

static void what_is_missing_is_noticed(void **state)
{
    struct frames none = FRAMES_NONE;

    (void)state;
    expect_outcome(none, WIRE_E_TRUNCATED);
    for (size_t keep = 0; keep < 7; keep++) {
        struct frames whole = signed_frames(1, header, "{}");
        struct frames cut = FRAMES_NONE;

        for (size_t i = 0; i < keep; i++)
            frames_append(&cut, frames_at(&whole, i));
        frames_finish(&whole);
        expect_outcome(cut, WIRE_E_TRUNCATED);
    }
}

static void too_many_identities_hide_no_delimiter(void **state)
{
    (void)state;
    expect_outcome(signed_frames(17, header, "{}"), WIRE_E_TRUNCATED);
}

static void the_signature_comes_before_the_json(void **state)
{
    struct frames frames = FRAMES_NONE;

    (void)state;
    frames_append(&frames, BYTES_LITERAL("<IDS|MSG>"));
    for (int i = 0; i < 5; i++)
        frames_append(&frames, BYTES_LITERAL("no JSON, no signature"));
    expect_outcome(frames, WIRE_E_BAD_SIGNATURE);
}

static void a_replay_is_dropped(void **state)
{
    struct frames frames = signed_frames(1, header, "{}");
    struct message *message = NULL;

    (void)state;
    assert_int_equal(message_parse(&frames, key, &message), 0);
    message_free(message);
    expect_outcome(signed_frames(1, header, "{}"), WIRE_E_REPLAYED);
}

static void a_header_needs_its_names(void **state)
{
    (void)state;
    expect_outcome(signed_frames(1, "{}", "{}"), WIRE_E_BAD_HEADER);
    expect_outcome(signed_frames(1, "[]", "{}"), WIRE_E_BAD_HEADER);
    expect_outcome(signed_frames(1, "", "{}"), WIRE_E_BAD_HEADER);
    expect_outcome(signed_frames(1, "{\"msg_id\":1,\"msg_type\":\"x\"}", "{}"), WIRE_E_BAD_HEADER);
}

static void bad_content_is_kept_for_an_answer(void **state)
{
    struct frames frames = signed_frames(1, header, "{\"code\":\"\xff\"}");
    struct message *message = NULL;

    (void)state;
    assert_int_equal(message_parse(&frames, key, &message), 0);
    assert_false(message->content_is_valid);
    message_free(message);
}

#define test(function) cmocka_unit_test_setup_teardown(function, make_key, free_key)

RUN(test(a_message_is_taken_apart), test(what_is_missing_is_noticed),
    test(too_many_identities_hide_no_delimiter), test(the_signature_comes_before_the_json),
    test(a_replay_is_dropped), test(a_header_needs_its_names),
    test(bad_content_is_kept_for_an_answer))
