/*
 * The policy as bytes on the link. Both ends are ours and of one version, so the form is a plain
 * sequence of fixed fields; decoding still believes nothing: every size is checked against what is
 * left and against a limit before memory is taken.
 */
#include "guard/policy/policy.h"

#include <stdint.h>
#include <string.h>

static const char magic[4] = {'S', 'P', 'P', '5'};

#define LIST_LIMIT 4096
#define STRING_LIMIT_BYTES 4096

/* What is still to be read; `failed` sticks, so that callers check once at the end. */
struct reader {
    const unsigned char *at;
    size_t left;
    bool failed;
};

static void put_u32(struct buffer *buffer, size_t value)
{
    uint32_t field = (uint32_t)value;

    buffer_append(buffer, (struct bytes){&field, sizeof(field)});
}

static void put_string(struct buffer *buffer, const char *text)
{
    put_u32(buffer, strlen(text));
    buffer_append_string(buffer, text);
}

static void put_list(struct buffer *buffer, const struct string_list *list)
{
    put_u32(buffer, list->count);
    for (size_t i = 0; i < list->count; i++)
        put_string(buffer, list->items[i]);
}

static const void *take(struct reader *reader, size_t size)
{
    const void *start = reader->at;

    if (reader->failed || reader->left < size) {
        reader->failed = true;
        return NULL;
    }
    reader->at += size;
    reader->left -= size;
    return start;
}

static unsigned char take_byte(struct reader *reader, unsigned char limit)
{
    const unsigned char *byte = take(reader, 1);

    if (byte == NULL || *byte > limit) {
        reader->failed = true;
        return 0;
    }
    return *byte;
}

static size_t take_size(struct reader *reader, size_t limit)
{
    const void *field = take(reader, sizeof(uint32_t));
    uint32_t value;

    if (field == NULL)
        return 0;
    memcpy(&value, field, sizeof(value));
    if (value > limit) {
        reader->failed = true;
        return 0;
    }
    return value;
}

static char *take_string(struct reader *reader)
{
    size_t size = take_size(reader, STRING_LIMIT_BYTES);
    const char *text = take(reader, size);

    if (text == NULL || memchr(text, '\0', size) != NULL) {
        reader->failed = true;
        return NULL;
    }
    return xstrndup(text, size);
}

static void take_list(struct reader *reader, struct string_list *list)
{
    size_t count = take_size(reader, LIST_LIMIT);

    string_list_finish(list);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        cleanup_free char *text = take_string(reader);

        if (text != NULL)
            string_list_add(list, text);
    }
}

void policy_encode(const struct policy *policy, struct buffer *buffer)
{
    buffer_append(buffer, (struct bytes){magic, sizeof(magic)});
    buffer_append_char(buffer, (char)policy->preset);
    buffer_append_char(buffer, policy->guards_writes ? 1 : 0);
    buffer_append_char(buffer, policy->guards_reads ? 1 : 0);
    buffer_append_char(buffer, policy->allow_mode ? 1 : 0);
    buffer_append_char(buffer, policy->ban_defs ? 1 : 0);
    buffer_append_char(buffer, policy->asks ? 1 : 0);
    buffer_append_char(buffer, policy->passive_outputs ? 1 : 0);
    buffer_append_char(buffer, policy->templates ? 1 : 0);
    buffer_append_char(buffer, policy->learns_imports ? 1 : 0);
    put_u32(buffer, (size_t)policy->ask_seconds);
    buffer_append_char(buffer, (char)policy->os_ring);
    buffer_append_char(buffer, policy->private_directory != NULL ? 1 : 0);
    if (policy->private_directory != NULL)
        put_string(buffer, policy->private_directory);
#define POLICY_LIMIT(field, most, usual, strict) put_u32(buffer, (size_t)policy->limits.field);
#include "guard/policy/limits.def"
#undef POLICY_LIMIT
#define POLICY_LIST(field, key) put_list(buffer, &policy->field);
#include "guard/policy/lists.def"
#undef POLICY_LIST
}

int policy_decode(struct bytes bytes, struct policy **ret_policy)
{
    struct reader reader = {bytes.data, bytes.size, false};
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    const void *start = take(&reader, sizeof(magic));

    if (start == NULL || memcmp(start, magic, sizeof(magic)) != 0)
        return POLICY_E_MALFORMED;
    policy->preset = take_byte(&reader, POLICY_OPEN);
    policy->guards_writes = take_byte(&reader, 1) != 0;
    policy->guards_reads = take_byte(&reader, 1) != 0;
    policy->allow_mode = take_byte(&reader, 1) != 0;
    policy->ban_defs = take_byte(&reader, 1) != 0;
    policy->asks = take_byte(&reader, 1) != 0;
    policy->passive_outputs = take_byte(&reader, 1) != 0;
    policy->templates = take_byte(&reader, 1) != 0;
    policy->learns_imports = take_byte(&reader, 1) != 0;
    policy->ask_seconds = (long)take_size(&reader, POLICY_ASK_SECONDS_MAX);
    policy->os_ring = take_byte(&reader, POLICY_OS_RING_OFF);
    if (take_byte(&reader, 1) != 0)
        policy->private_directory = take_string(&reader);
#define POLICY_LIMIT(field, most, usual, strict)                                                   \
    policy->limits.field = (long)take_size(&reader, most);
#include "guard/policy/limits.def"
#undef POLICY_LIMIT
#define POLICY_LIST(field, key) take_list(&reader, &policy->field);
#include "guard/policy/lists.def"
#undef POLICY_LIST
    if (reader.failed || reader.left != 0)
        return POLICY_E_MALFORMED;
    *ret_policy = steal(policy);
    return 0;
}
