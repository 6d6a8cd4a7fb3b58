/* Frames cut out of the input at each zero byte, as a peer without and with the key would send them. */
#include "kernel/wire/message.h"
#include "tests/fuzz/fuzz_target.h"

#include <assert.h>

static void parse_with(const char *secret, struct bytes input)
{
    struct signature_key *key = NULL;
    struct frames frames = FRAMES_NONE;
    struct message *message = NULL;
    const char *at = input.data;
    size_t left = input.size;

    assert(signature_key_new("hmac-sha256", bytes_of_string(secret), &key) == 0);
    while (left != 0 && frames.count < 64) {
        const char *zero = memchr(at, 0, left);
        size_t size = zero != NULL ? (size_t)(zero - at) : left;

        frames_append(&frames, (struct bytes){at, size});
        at += size + (zero != NULL);
        left -= size + (zero != NULL);
    }
    if (message_parse(&frames, key, &message) == 0) {
        assert(*secret == '\0'); /* nobody guesses a signature */
        message_free(message);
    }
    signature_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse_with("", (struct bytes){data, size});
    parse_with("secret", (struct bytes){data, size});
    return 0;
}
