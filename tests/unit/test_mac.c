#include "tests/support/cmocka_tests.h"

#include "guard/link/buffer.h"
#include "kernel/crypto/mac.h"
#include "kernel/crypto/openssl.h"
#include "kernel/crypto/sha256.h"

static char *in_build_tree(const char *name)
{
    assert_string_equal(name, OPENSSL_FILE);
    return xstrdup(OPENSSL_MODULE);
}

static int find_module(void **state)
{
    (void)state;
    openssl_find_with(in_build_tree);
    return 0;
}

static int find_no_module(void **state)
{
    (void)state;
    openssl_find_with(NULL);
    return 0;
}

static void assert_hex(const unsigned char *data, size_t size, const char *expected)
{
    cleanup_buffer struct buffer hex = BUFFER_NONE;

    buffer_append_hex(&hex, (struct bytes){data, size});
    buffer_append_char(&hex, '\0');
    assert_string_equal(hex.data, expected);
}

/* FIPS 180-4, the example with one block */
static void a_digest_is_that_of_the_standard(void **state)
{
    unsigned char digest[SHA256_BYTES];

    (void)state;
    sha256_digest(BYTES_LITERAL("abc"), digest);
    assert_hex(digest, sizeof(digest), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_digest(BYTES_NONE, digest);
    assert_hex(digest, sizeof(digest), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, test cases 2 and 6 (a key longer than a block) */
static void a_mac_is_that_of_the_standard(void **state)
{
    char long_key[131];
    struct bytes question[2] = {BYTES_LITERAL("what do ya want "), BYTES_LITERAL("for nothing?")};
    struct bytes title = BYTES_LITERAL("Test Using Larger Than Block-Size Key - Hash Key First");
    struct mac *mac = mac_new("sha256", BYTES_LITERAL("Jefe"));
    unsigned char digest[MAC_BYTES_MAX];

    (void)state;
    mac_compute(mac, question, 2, digest);
    assert_hex(digest, mac_size(mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    mac_free(mac);
    memset(long_key, 0xaa, sizeof(long_key));
    mac = mac_new("SHA256", (struct bytes){long_key, sizeof(long_key)});
    mac_compute(mac, &title, 1, digest);
    assert_hex(digest, mac_size(mac), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    mac_free(mac);
}

/* Under another name the same digest is computed by the library. */
static void ours_and_the_librarys_are_the_same(void **state)
{
    char data[300];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 7);
    for (size_t size = 1; size < sizeof(data); size++) {
        struct bytes key = {data, size % 140 + 1};
        struct bytes parts[3] = {{data, size / 2}, BYTES_NONE, {data + size / 2, size - size / 2}};
        struct mac *ours = mac_new("sha256", key);
        struct mac *theirs = mac_new("SHA2-256", key);
        unsigned char one[MAC_BYTES_MAX], other[MAC_BYTES_MAX];

        assert_non_null(theirs);
        assert_int_equal(mac_size(theirs), SHA256_BYTES);
        mac_compute(ours, parts, 3, one);
        mac_compute(theirs, parts, 3, other);
        assert_true(mac_is_same(one, other, SHA256_BYTES));
        one[size % SHA256_BYTES] ^= 1;
        assert_false(mac_is_same(one, other, SHA256_BYTES));
        mac_free(ours);
        mac_free(theirs);
    }
}

static void without_the_library_there_is_one_digest(void **state)
{
    struct mac *mac = mac_new("sha256", BYTES_LITERAL("key"));

    (void)state;
    assert_non_null(mac);
    mac_free(mac);
    assert_null(mac_new("sha512", BYTES_LITERAL("key")));
}

RUN(cmocka_unit_test(a_digest_is_that_of_the_standard), cmocka_unit_test(a_mac_is_that_of_the_standard),
    cmocka_unit_test_setup(ours_and_the_librarys_are_the_same, find_module),
    cmocka_unit_test_setup(without_the_library_there_is_one_digest, find_no_module))
