#include "kernel/mcp/cell_result.h"

#include "guard/link/utf8.h"
#include "kernel/wire/colours.h"
#include "kernel/wire/json_text.h"

#define CARD "application/vnd.safepyrun.refusal+json"

enum {
    ERROR_BYTES = 1024 * 1024,
    ERROR_TEXT_BYTES = 64 * 1024, /* of its name, and of its message */
    ITEM_BYTES = 100,             /* what a picture or a card takes that holds nothing */
};

void cell_result_init(struct cell_result *result)
{
    *result = (struct cell_result){.blocks = json_array(), .refusals = json_array()};
}

void cell_result_finish(struct cell_result *result)
{
    json_decref(result->blocks);
    json_decref(result->refusals);
    json_decref(result->error);
    buffer_finish(&result->text);
    buffer_finish(&result->streams[0]);
    buffer_finish(&result->streams[1]);
    free(result->result);
}

/* Text of a guard is any UTF-8 and may hold NUL; json_text has replaced what is none. */
static json_t *string_of(const struct buffer *text)
{
    return json_stringn_nocheck(text->data != NULL ? text->data : "", text->size);
}

static bool has_room(const struct cell_result *result, size_t size, size_t reserve)
{
    return result->blocks_bytes + result->refusals_bytes + result->text.size + result->streams[0].size +
               result->streams[1].size + result->result_bytes + size <=
           CELL_RESULT_BYTES_MAX + reserve;
}

static void close_block(struct cell_result *result)
{
    result->blocks_bytes += result->text.size;
    if (result->text.size != 0)
        json_array_append_new(result->blocks,
                              json_pack("{ss so}", "type", "text", "text", string_of(&result->text)));
    buffer_clear(&result->text, 0);
}

static void take_stream(struct cell_result *result, struct bytes content)
{
    cleanup_buffer struct buffer name = BUFFER_NONE;
    cleanup_buffer struct buffer text = BUFFER_NONE;

    if (!json_text_member_string(content, "name", &name) ||
        !json_text_member_string(content, "text", &text))
        return;
    buffer_append(&result->streams[bytes_equal_string(buffer_bytes(&name), "stderr")],
                  buffer_bytes(&text));
    buffer_append(&result->text, buffer_bytes(&text));
}

static bool take_image(struct cell_result *result, struct bytes data, const char *type)
{
    cleanup_buffer struct buffer base64 = BUFFER_NONE;

    if (!json_text_member_string(data, type, &base64))
        return false;
    while (base64.size > 0 && base64.data[base64.size - 1] == '\n')
        base64.size--;
    close_block(result);
    result->blocks_bytes += base64.size + ITEM_BYTES;
    json_array_append_new(result->blocks, json_pack("{ss so ss}", "type", "image", "data",
                                                    string_of(&base64), "mimeType", type));
    return true;
}

/* The card says in JSON what the traceback below it says in words. */
static bool take_card(struct cell_result *result, struct bytes data)
{
    struct bytes value;
    json_t *card;

    if (!json_text_member(data, CARD, &value))
        return false;
    card = json_loadb(value.data, value.size, JSON_ALLOW_NUL, NULL);
    result->refusals_bytes += value.size + ITEM_BYTES;
    if (card != NULL)
        json_array_append_new(result->refusals, card);
    return true;
}

static void take_data(struct cell_result *result, struct bytes content, bool is_result)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;
    struct bytes data;

    if (!json_text_member(content, "data", &data) || take_card(result, data))
        return;
    json_text_member_string(data, "text/plain", &text);
    if (is_result && !has_room(result, content.size + text.size, 0)) { /* it is told twice, as what is printed is */
        result->left_out += content.size;
        return;
    }
    if (is_result) {
        free(result->result);
        result->result = xstrndup(text.data != NULL ? text.data : "", text.size);
        result->result_bytes = text.size;
    }
    if (take_image(result, data, "image/png") || take_image(result, data, "image/jpeg") ||
        text.size == 0)
        return;
    buffer_append(&result->text, buffer_bytes(&text));
    buffer_append_char(&result->text, '\n');
}

static void take_traceback(struct cell_result *result, struct bytes content)
{
    cleanup_buffer struct buffer lines = BUFFER_NONE;
    struct bytes list;

    if (!json_text_member(content, "traceback", &list))
        return;
    if (has_room(result, list.size, ERROR_BYTES))
        json_text_append_lines(list, &lines);
    else
        result->left_out += list.size;
    if (lines.size == 0)
        return;
    colours_strip(buffer_bytes(&lines), &result->text);
    buffer_append_char(&result->text, '\n');
}

/* Both are told twice, and a cell chooses how long they are. */
static void take_error_text(struct cell_result *result, struct bytes content, const char *name, struct buffer *text)
{
    size_t size;

    json_text_member_string(content, name, text);
    size = utf8_cut(buffer_bytes(text), ERROR_TEXT_BYTES);
    result->left_out += text->size - size;
    text->size = size;
}

static void take_error(struct cell_result *result, struct bytes content)
{
    cleanup_buffer struct buffer name = BUFFER_NONE;
    cleanup_buffer struct buffer message = BUFFER_NONE;
    size_t before = result->text.size;

    take_error_text(result, content, "ename", &name);
    take_error_text(result, content, "evalue", &message);
    json_decref(result->error);
    result->error = json_pack("{so so}", "name", string_of(&name), "message", string_of(&message));
    take_traceback(result, content);
    if (result->text.size == before && has_room(result, name.size + message.size, ERROR_BYTES)) {
        buffer_append(&result->text, buffer_bytes(&name));
        buffer_append_string(&result->text, ": ");
        colours_strip(buffer_bytes(&message), &result->text);
        buffer_append_char(&result->text, '\n');
    }
}

/* What was shown before is gone in a notebook too; `wait` makes no difference at the end. */
static void clear(struct cell_result *result)
{
    buffer_clear(&result->text, 0);
    json_array_clear(result->blocks);
    result->blocks_bytes = 0;
}

static void say_what_is_left_out(struct cell_result *result)
{
    if (result->left_out != 0)
        buffer_append_format(&result->text, "[safepyrun: %llu bytes are left out: a result holds %d MB, and %d KB of what an error says]\n",
                             (unsigned long long)result->left_out, CELL_RESULT_BYTES_MAX / (1024 * 1024), ERROR_TEXT_BYTES / 1024);
}

struct bytes cell_result_take(struct cell_result *result, const struct message *message)
{
    size_t before = result->text.size;

    if (strcmp(message->msg_type, "error") == 0)
        take_error(result, message->content);
    else if (strcmp(message->msg_type, "clear_output") == 0)
        clear(result);
    else if (!has_room(result, message->content.size, 0))
        result->left_out += message->content.size;
    else if (strcmp(message->msg_type, "stream") == 0)
        take_stream(result, message->content);
    else if (strcmp(message->msg_type, "execute_result") == 0)
        take_data(result, message->content, true);
    else if (strcmp(message->msg_type, "display_data") == 0)
        take_data(result, message->content, false);
    if (result->text.size <= before)
        return BYTES_NONE;
    return (struct bytes){result->text.data + before, result->text.size - before};
}

/* An error that was never published: a cell that could not be run. */
static void take_reply(struct cell_result *result, const struct message *reply, bool *ret_failed)
{
    struct bytes status;

    *ret_failed = !json_text_member(reply->content, "status", &status) ||
                  !bytes_equal_string(status, "\"ok\"");
    if (*ret_failed && result->error == NULL)
        take_error(result, reply->content);
}

static json_t *member_json(struct bytes object, const char *key)
{
    struct bytes value;

    if (!json_text_member(object, key, &value))
        return json_null();
    json_t *json = json_loadb(value.data, value.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    return json != NULL ? json : json_null();
}

json_t *cell_result_compose(struct cell_result *result, const struct message *reply)
{
    json_t *structured;
    bool failed;

    take_reply(result, reply, &failed);
    say_what_is_left_out(result);
    close_block(result);
    if (json_array_size(result->blocks) == 0)
        json_array_append_new(result->blocks,
                              json_pack("{ss ss}", "type", "text", "text", "(no output)"));
    structured = json_pack(
        "{ss so so so so sO so so}", "status", failed ? "error" : "ok", "execution_count",
        member_json(reply->content, "execution_count"), "stdout", string_of(&result->streams[0]),
        "stderr", string_of(&result->streams[1]), "result",
        result->result != NULL ? json_string_nocheck(result->result) : json_null(), "refusals",
        result->refusals, "error", result->error != NULL ? json_incref(result->error) : json_null(),
        "safepyrun", member_json(reply->metadata, "safepyrun"));
    return json_pack("{sO so sb}", "content", result->blocks,
                     "structuredContent", structured, "isError", failed);
}
