#include "kernel/execution/output_cap.h"

#include "guard/link/utf8.h"

static bool is_inside_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

void output_cap_finish(struct output_cap *cap)
{
    buffer_finish(&cap->tail);
    buffer_finish(&cap->pieces);
}

void output_cap_reset(struct output_cap *cap)
{
    buffer_clear(&cap->tail, 0);
    buffer_clear(&cap->pieces, 0);
    cap->tail_start = cap->first_piece = 0;
    cap->passed_bytes = 0;
    cap->left_out_bytes = cap->left_out_displays = 0;
}

static struct output_piece *piece_at(const struct output_cap *cap, size_t index)
{
    return &((struct output_piece *)(void *)cap->pieces.data)[index];
}

static size_t piece_count(const struct output_cap *cap)
{
    return cap->pieces.size / sizeof(struct output_piece);
}

/* Memory moves seldom: only when half of it is of no use any more. */
static void compact(struct output_cap *cap)
{
    if (cap->tail_start > cap->limit_bytes) {
        buffer_drop_front(&cap->tail, cap->tail_start);
        cap->tail_start = 0;
    }
    if (cap->first_piece > 1024) {
        buffer_drop_front(&cap->pieces, cap->first_piece * sizeof(struct output_piece));
        cap->first_piece = 0;
    }
}

/* Leaves out the oldest bytes until the tail is within its half. */
static void shorten(struct output_cap *cap)
{
    while (cap->tail.size - cap->tail_start > cap->limit_bytes / 2) {
        struct output_piece *oldest = piece_at(cap, cap->first_piece);
        size_t excess = cap->tail.size - cap->tail_start - cap->limit_bytes / 2;

        if (excess >= oldest->size) {
            excess = oldest->size;
            cap->first_piece++;
        } else {
            const char *bytes = cap->tail.data + cap->tail_start;

            while (excess < oldest->size && is_inside_character(bytes[excess]))
                excess++;
            oldest->size -= excess;
        }
        cap->tail_start += excess;
        cap->left_out_bytes += excess;
    }
    compact(cap);
}

static void keep(struct output_cap *cap, unsigned stream, uint32_t cell, struct bytes bytes)
{
    size_t count = piece_count(cap);
    struct output_piece *last = count > cap->first_piece ? piece_at(cap, count - 1) : NULL;

    buffer_append(&cap->tail, bytes);
    if (last != NULL && last->stream == stream && last->cell == cell)
        last->size += bytes.size;
    else
        buffer_append(&cap->pieces, (struct bytes){&(struct output_piece){stream, cell, bytes.size},
                                                   sizeof(struct output_piece)});
    shorten(cap);
}

size_t output_cap_take(struct output_cap *cap, unsigned stream, uint32_t cell, struct bytes bytes)
{
    size_t head = cap->limit_bytes / 2;
    size_t passes;

    if (cap->limit_bytes == 0 || bytes.size + cap->passed_bytes <= head) {
        cap->passed_bytes += bytes.size;
        return bytes.size;
    }
    passes = cap->passed_bytes < head ? utf8_cut(bytes, head - cap->passed_bytes) : 0;
    cap->passed_bytes = head;
    keep(cap, stream, cell,
         (struct bytes){(const char *)bytes.data + passes, bytes.size - passes});
    return passes;
}

bool output_cap_admits(struct output_cap *cap, size_t size)
{
    if (cap->limit_bytes == 0)
        return true;
    if (cap->passed_bytes + size <= cap->limit_bytes / 2) {
        cap->passed_bytes += size;
        return true;
    }
    cap->left_out_displays++;
    cap->left_out_bytes += size;
    return false;
}

bool output_cap_holds(const struct output_cap *cap)
{
    return cap->left_out_bytes != 0 || piece_count(cap) > cap->first_piece;
}

void output_cap_append_note(const struct output_cap *cap, struct buffer *text)
{
    if (cap->left_out_bytes == 0)
        return;
    buffer_append_format(text, "\n[max_output_kb = %zu: %llu KB left out here",
                         cap->limit_bytes / 1024,
                         (unsigned long long)(cap->left_out_bytes + 1023) / 1024);
    if (cap->left_out_displays != 0)
        buffer_append_format(text, ", and %lu displays", cap->left_out_displays);
    buffer_append_string(text, "]\n");
}

bool output_cap_next(struct output_cap *cap, struct output_piece *ret_piece,
                     struct bytes *ret_bytes)
{
    if (cap->first_piece >= piece_count(cap))
        return false;
    *ret_piece = *piece_at(cap, cap->first_piece++);
    *ret_bytes = (struct bytes){cap->tail.data + cap->tail_start, ret_piece->size};
    cap->tail_start += ret_piece->size;
    return true;
}

void output_cap_append_cut(const struct output_cap *cap, struct bytes text, struct buffer *cut)
{
    const char *start = text.data;
    size_t half = cap->limit_bytes / 2;
    size_t head;
    size_t tail;

    if (cap->limit_bytes == 0 || text.size <= cap->limit_bytes) {
        buffer_append(cut, text);
        return;
    }
    head = utf8_cut(text, half);
    tail = utf8_cut(text, text.size - half);
    buffer_append(cut, (struct bytes){start, head});
    buffer_append_format(cut, "\n[max_output_kb = %zu: %zu KB left out here]\n",
                         cap->limit_bytes / 1024, (tail - head + 1023) / 1024);
    buffer_append(cut, (struct bytes){start + tail, text.size - tail});
}
