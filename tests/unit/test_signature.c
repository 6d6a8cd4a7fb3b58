#include "tests/support/cmocka_tests.h"

#include "guard/link/buffer.h"
#include "kernel/crypto/openssl.h"
#include "kernel/wire/signature.h"

static const struct bytes parts[SIGNATURE_FRAMES] = {
    {"{}", 2}, {"{}", 2}, {"{}", 2}, {"{\"code\":\"1\"}", 12}};

static struct signature_key *key_of(const char *scheme)
{
    struct signature_key *key = NULL;

    assert_int_equal(signature_key_new(scheme, BYTES_LITERAL("secret"), &key), 0);
    return key;
}

/* python: hmac.new(b"secret", b'{}{}{}{"code":"1"}', "sha256").hexdigest() */
static const char known[] = "1d05c0942257e2b08def32f214539934db1f81aeae8414bbbf1100a791f02a32";

static void the_signature_is_pythons(void **state)
{
    struct signature_key *key = key_of("hmac-sha256");
    char hex[SIGNATURE_HEX_MAX + 1];

    (void)state;
    signature_sign(key, parts, hex);
    assert_string_equal(hex, known);
    signature_key_free(key);
}

static void a_right_signature_is_right_once(void **state)
{
    struct signature_key *key = key_of("hmac-sha256");

    (void)state;
    assert_int_equal(signature_check(key, parts, bytes_of_string(known)), 0);
    assert_int_equal(signature_check(key, parts, bytes_of_string(known)), SIGNATURE_E_REPLAYED);
    signature_key_free(key);
}

static void a_wrong_signature_is_wrong(void **state)
{
    struct signature_key *key = key_of("hmac-sha256");
    cleanup_free char *upper = xstrdup(known);

    (void)state;
    for (char *c = upper; *c != '\0'; c++)
        *c = *c >= 'a' ? (char)(*c - 32) : *c;
    assert_int_equal(signature_check(key, parts, BYTES_NONE), SIGNATURE_E_WRONG);
    assert_int_equal(signature_check(key, parts, BYTES_LITERAL("00")), SIGNATURE_E_WRONG);
    assert_int_equal(signature_check(key, parts, bytes_of_string(upper)), SIGNATURE_E_WRONG);
    upper[0] = upper[0] == '0' ? '1' : '0';
    assert_int_equal(signature_check(key, parts, bytes_of_string(upper)), SIGNATURE_E_WRONG);
    signature_key_free(key);
}

static void no_key_means_no_signature(void **state)
{
    struct signature_key *key = NULL;
    char hex[SIGNATURE_HEX_MAX + 1];

    (void)state;
    assert_int_equal(signature_key_new("hmac-sha256", BYTES_NONE, &key), 0);
    signature_sign(key, parts, hex);
    assert_string_equal(hex, "");
    assert_int_equal(signature_check(key, parts, BYTES_LITERAL("anything")), 0);
    signature_key_free(key);
}

static char *in_build_tree(const char *name)
{
    (void)name;
    return xstrdup(OPENSSL_MODULE);
}

static void every_usual_digest_is_known(void **state)
{
    static const char *const schemes[] = {"hmac-sha256", "hmac-sha1", "hmac-md5", "hmac-sha512",
                                          "hmac-sha3_256", "hmac-sha512_256", "hmac-blake2b",
                                          "hmac-blake2s", "hmac-sha384"};
    struct signature_key *key;

    (void)state;
    openssl_find_with(in_build_tree);
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        signature_key_free(key_of(schemes[i]));
    assert_int_equal(signature_key_new("hmac-nonsense", BYTES_LITERAL("k"), &key),
                     SIGNATURE_E_UNKNOWN_SCHEME);
    assert_int_equal(signature_key_new("sha256", BYTES_LITERAL("k"), &key),
                     SIGNATURE_E_UNKNOWN_SCHEME);
    assert_int_equal(signature_key_new("hmac-nonsense", BYTES_NONE, &key),
                     SIGNATURE_E_UNKNOWN_SCHEME);
}

/* More messages than the memory holds: the newest are known, the oldest forgotten, none is confused. */
static void the_memory_forgets_the_oldest_first(void **state)
{
    struct signature_key *key = key_of("hmac-sha256");
    char hex[SIGNATURE_HEX_MAX + 1];
    char content[32];
    struct bytes numbered[SIGNATURE_FRAMES] = {{"", 0}, {"", 0}, {"", 0}, {content, 0}};

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < REPLAY_MEMORY + 1000; i++) {
            numbered[3].size = (size_t)snprintf(content, sizeof(content), "%d", i);
            signature_sign(key, numbered, hex);
            /* In the second round each was forgotten just before it comes again. */
            assert_int_equal(signature_check(key, numbered, bytes_of_string(hex)), 0);
            if (i % 5000 == 0)
                assert_int_equal(signature_check(key, numbered, bytes_of_string(hex)),
                                 SIGNATURE_E_REPLAYED);
        }
    }
    signature_key_free(key);
}

RUN(cmocka_unit_test(the_signature_is_pythons), cmocka_unit_test(a_right_signature_is_right_once),
    cmocka_unit_test(a_wrong_signature_is_wrong), cmocka_unit_test(no_key_means_no_signature),
    cmocka_unit_test(every_usual_digest_is_known),
    cmocka_unit_test(the_memory_forgets_the_oldest_first))
