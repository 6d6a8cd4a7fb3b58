#include "kernel/execution/outputs.h"

enum {
    PAUSE_MS = 50,
    FULL_BYTES = 128 * 1024,
    KEEP_BYTES = 512 * 1024, /* memory kept between messages */
    CONTENT_BYTES = 64,      /* of a message's content, around the text */
};

static const char *const stream_names[STREAM_COUNT] = {"stdout", "stderr"};
static const char *const stream_topics[STREAM_COUNT] = {"stream.stdout", "stream.stderr"};

static int on_timer(void *context)
{
    return outputs_flush(context);
}

void outputs_init(struct outputs *outputs, struct loop *loop, struct channels *channels,
                  struct cells *cells)
{
    *outputs = (struct outputs){.loop = loop, .channels = channels, .cells = cells};
    outputs->timer = (struct loop_timer){.callback = on_timer, .context = outputs};
    loop_add_timer(loop, &outputs->timer);
}

void outputs_finish(struct outputs *outputs)
{
    if (outputs->loop != NULL)
        loop_remove_timer(outputs->loop, &outputs->timer);
    buffer_finish(&outputs->text);
    output_cap_finish(&outputs->cap);
}

static int publish_for(struct outputs *outputs, uint32_t number, struct outgoing outgoing)
{
    const struct cell *cell = cells_find(outputs->cells, number);

    if (cell != NULL && cell->silent)
        return 0;
    if (cell != NULL)
        outgoing.parent_header = buffer_bytes(&cell->header);
    return channels_publish(outputs->channels, &outgoing);
}

int outputs_flush(struct outputs *outputs)
{
    struct outgoing outgoing = {.msg_type = "stream", .topic = stream_topics[outputs->stream]};
    int result;

    loop_timer_stop(&outputs->timer);
    if (outputs->text.size == 0)
        return 0;
    buffer_append_string(&outputs->text, "\"}");
    if (outputs->text.size >= FULL_BYTES)
        outgoing.body = &outputs->text;
    else
        outgoing.content = buffer_bytes(&outputs->text);
    outputs->published_ms = loop_now_ms();
    result = publish_for(outputs, outputs->cell, outgoing);
    buffer_clear(&outputs->text, KEEP_BYTES);
    return result;
}

/* Nothing is begun for bytes that are only the first half of a character. */
static void append_text(struct outputs *outputs, struct bytes bytes)
{
    bool begins = outputs->text.size == 0;
    size_t start;

    if (begins) {
        buffer_reserve(&outputs->text, bytes.size + CONTENT_BYTES);
        buffer_append_string(&outputs->text, "{\"name\":\"");
        buffer_append_string(&outputs->text, stream_names[outputs->stream]);
        buffer_append_string(&outputs->text, "\",\"text\":\"");
    }
    start = outputs->text.size;
    utf8_append_escaped(&outputs->decoders[outputs->stream], bytes, &outputs->text);
    outputs->decoded[outputs->stream] = outputs->cell;
    if (begins && outputs->text.size == start)
        buffer_clear(&outputs->text, KEEP_BYTES);
}

static int write_stream(struct outputs *outputs, enum stream stream, uint32_t cell,
                        struct bytes bytes)
{
    int result = 0;

    if (bytes.size == 0)
        return 0;
    if (outputs->text.size != 0 && (outputs->stream != stream || outputs->cell != cell))
        result = outputs_flush(outputs);
    outputs->stream = stream;
    outputs->cell = cell;
    append_text(outputs, bytes);
    if (result != 0 || outputs->text.size >= FULL_BYTES)
        return result != 0 ? result : outputs_flush(outputs);
    if (outputs->timer.due_ms == 0) {
        int64_t since = loop_now_ms() - outputs->published_ms;

        /* Not at once but in the next round of the loop: what is read together goes together. */
        loop_timer_start(&outputs->timer, since >= PAUSE_MS ? 0 : PAUSE_MS - since);
    }
    return 0;
}

/* What was held back of a character that does not come is shown as what no UTF-8 is shown as. */
static int end_character(struct outputs *outputs, enum stream stream)
{
    if (outputs->decoders[stream].held_size == 0)
        return 0;
    outputs->decoders[stream].held_size = 0;
    return write_stream(outputs, stream, outputs->decoded[stream], BYTES_LITERAL("\xef\xbf\xbd"));
}

int outputs_end_cell(struct outputs *outputs, uint32_t cell)
{
    int result = 0;

    for (int stream = 0; result == 0 && stream < STREAM_COUNT; stream++)
        if (outputs->decoded[stream] == cell)
            result = end_character(outputs, (enum stream)stream);
    return result;
}

int outputs_write(struct outputs *outputs, enum stream stream, uint32_t cell, struct bytes bytes)
{
    int result = outputs->decoded[stream] != cell ? end_character(outputs, stream) : 0;

    bytes.size = output_cap_take(&outputs->cap, stream, cell, bytes);
    return result != 0 ? result : write_stream(outputs, stream, cell, bytes);
}

int outputs_turn(struct outputs *outputs)
{
    struct output_cap *cap = &outputs->cap;
    cleanup_buffer struct buffer note = BUFFER_NONE;
    struct output_piece piece;
    struct bytes bytes;
    int result = 0;

    if (output_cap_holds(cap)) {
        output_cap_append_note(cap, &note);
        result = write_stream(outputs, STREAM_STDERR, outputs->cell, buffer_bytes(&note));
        while (result == 0 && output_cap_next(cap, &piece, &bytes))
            result = write_stream(outputs, (enum stream)piece.stream, piece.cell, bytes);
    }
    output_cap_reset(cap);
    return result;
}

int outputs_publish(struct outputs *outputs, uint32_t cell, const struct outgoing *outgoing)
{
    int result = outputs_flush(outputs);

    return result != 0 ? result : publish_for(outputs, cell, *outgoing);
}
