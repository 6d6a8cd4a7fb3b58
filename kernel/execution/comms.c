#include "kernel/execution/comms.h"

#include "kernel/wire/json_text.h"

#include <jansson.h>

/* A cell can open them as fast as it likes, with any text. What is beyond is passed on like the others, and not known to
   comm_info_request. */
enum { COMMS_MAX = 65536, NAME_BYTES_MAX = 256 };

/* comm_id -> {"target", "cell"}; a JSON object is the dictionary that we link anyway. */
struct comms {
    json_t *targets;
};

struct comms *comms_new(void)
{
    struct comms *comms = xcalloc(1, sizeof(*comms));

    comms->targets = json_object();
    return comms;
}

void comms_free(struct comms *comms)
{
    if (comms == NULL)
        return;
    json_decref(comms->targets);
    free(comms);
}

/* The string member of `content`, decoded; NULL when there is none, or none that is worth keeping. */
static char *string_member(struct bytes content, const char *key)
{
    cleanup_buffer struct buffer decoded = BUFFER_NONE;

    if (!json_text_member_string(content, key, &decoded) || decoded.size > NAME_BYTES_MAX)
        return NULL;
    return buffer_steal_string(&decoded);
}

void comms_note_open(struct comms *comms, struct bytes content, uint32_t cell)
{
    cleanup_free char *id = string_member(content, "comm_id");
    cleanup_free char *target = string_member(content, "target_name");

    if (id != NULL && target != NULL && json_object_size(comms->targets) < COMMS_MAX)
        json_object_set_new(comms->targets, id,
                            json_pack("{s:s,s:I}", "target", target, "cell", (json_int_t)cell));
}

void comms_note_close(struct comms *comms, struct bytes content)
{
    cleanup_free char *id = string_member(content, "comm_id");

    if (id != NULL)
        json_object_del(comms->targets, id);
}

static const char *target_of(const json_t *comm)
{
    return json_string_value(json_object_get(comm, "target"));
}

static int tell_closed(const char *id, comms_closed *closed, void *context)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;

    buffer_append_string(&content, "{\"comm_id\":");
    json_text_append_string(&content, bytes_of_string(id));
    buffer_append_string(&content, ",\"data\":{}}");
    return closed(context, buffer_bytes(&content));
}

int comms_close_after(struct comms *comms, uint32_t cell, comms_closed *closed, void *context)
{
    const char *id;
    json_t *comm;
    void *next;
    int result = 0;

    json_object_foreach_safe(comms->targets, next, id, comm)
    {
        if (json_integer_value(json_object_get(comm, "cell")) <= (json_int_t)cell)
            continue;
        if (result == 0)
            result = tell_closed(id, closed, context);
        json_object_del(comms->targets, id);
    }
    return result;
}

void comms_clear(struct comms *comms)
{
    json_object_clear(comms->targets);
}

void comms_append_info(const struct comms *comms, const char *target, struct buffer *json)
{
    const char *separator = "";
    const char *id;
    json_t *comm;

    buffer_append_char(json, '{');
    json_object_foreach(comms->targets, id, comm)
    {
        if (target != NULL && strcmp(target_of(comm), target) != 0)
            continue;
        buffer_append_string(json, separator);
        json_text_append_string(json, bytes_of_string(id));
        buffer_append_string(json, ":{\"target_name\":");
        json_text_append_string(json, bytes_of_string(target_of(comm)));
        buffer_append_char(json, '}');
        separator = ",";
    }
    buffer_append_char(json, '}');
}
