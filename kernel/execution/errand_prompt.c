#include "kernel/execution/errand_prompt.h"

#include "kernel/execution/question_prompt.h"
#include "kernel/execution/visible.h"

/* One line of the question: a part of a line of the command, or all of it. */
struct row {
    struct bytes text; /* without the end of line */
    bool goes_on;      /* the line before */
};

struct command {
    struct bytes rest;
    bool in_line; /* the last row ended for its length */
};

/* Brackets that are in no script of visible.h: a cell cannot write what looks like this. */
static size_t append_character(struct buffer *line, struct bytes text, bool ascii_only,
                               size_t *columns)
{
    struct visible_character character = visible_at(text);
    size_t before = line->size;

    *columns += 1;
    if (character.is_shown && !(ascii_only && character.size > 1)) {
        buffer_append(line, (struct bytes){text.data, character.size});
        return character.size;
    }
    buffer_append_format(line, "\u27e8%s%02lx\u27e9", character.is_byte ? "x" : "u", character.point);
    *columns += line->size - before;
    return character.size;
}

static struct bytes skip(struct bytes text, size_t size)
{
    return (struct bytes){(const char *)text.data + size, text.size - size};
}

static bool next_row(struct command *command, struct row *ret_row)
{
    cleanup_buffer struct buffer ignored = BUFFER_NONE;
    const char *end = command->rest.size > 0 ? memchr(command->rest.data, '\n', command->rest.size) : NULL;
    size_t line = end != NULL ? (size_t)(end - (const char *)command->rest.data) : command->rest.size;
    size_t taken = 0;
    size_t columns = 0;

    if (command->rest.size == 0)
        return false;
    while (taken < line && columns < ERRAND_COLUMNS)
        taken += append_character(&ignored, skip((struct bytes){command->rest.data, line}, taken), false, &columns);
    *ret_row = (struct row){{command->rest.data, taken}, command->in_line};
    command->in_line = taken < line;
    command->rest = skip(command->rest, taken + (taken == line && end != NULL));
    return true;
}

static void append_line(struct buffer *line, const char *mark, struct bytes text, bool ascii_only)
{
    size_t columns = 0;

    buffer_append_string(line, mark);
    while (text.size > 0)
        text = skip(text, append_character(line, text, ascii_only, &columns));
    buffer_append_char(line, '\n');
}

/* Letters beyond ASCII a second time, as numbers: a Cyrillic "a" looks like a Latin one. */
static void append_row(struct buffer *prompt, const struct row *row)
{
    bool has_letters = false;

    for (struct bytes rest = row->text; rest.size > 0 && !has_letters;) {
        struct visible_character character = visible_at(rest);

        has_letters = character.is_shown && character.size > 1;
        rest = skip(rest, character.size);
    }
    append_line(prompt, row->goes_on ? "    |+ " : "    | ", row->text, false);
    if (has_letters)
        append_line(prompt, "    = ", row->text, true);
}

static size_t count_rows(struct bytes text)
{
    struct command command = {text, false};
    struct row row;
    size_t count = 0;

    while (next_row(&command, &row))
        count++;
    return count;
}

static void append_command(struct buffer *prompt, struct bytes text)
{
    struct command command = {text, false};
    size_t count = count_rows(text);
    size_t head = count > ERRAND_LINES_MAX ? ERRAND_LINES_HEAD : count;
    size_t tail = count > ERRAND_LINES_MAX ? count - ERRAND_LINES_TAIL : count;
    size_t hidden = 0;
    struct row row;

    for (size_t i = 0; next_row(&command, &row); i++) {
        if (i == tail && tail != count)
            buffer_append_format(prompt,
                                 "    [%zu lines with %zu characters are NOT SHOWN here. A yes is for them as well.]\n",
                                 tail - head, hidden);
        if (i < head || i >= tail)
            append_row(prompt, &row);
        else
            hidden += row.text.size;
    }
}

void errand_prompt_append(struct buffer *prompt, const struct errand_words *words)
{
    buffer_append_string(prompt, "safepyrun asks you: the running cell wants this command to be run\n");
    append_command(prompt, words->command);
    buffer_append_string(prompt, "in the folder\n");
    question_prompt_append_path(prompt, words->folder);
    buffer_append_format(prompt,
                         "\nIt would run outside of the guard, with all your rights: it may read, change and send\n"
                         "whatever you may, and so may every script that it starts, also one that a cell wrote.\n"
                         "Type\n"
                         "    once %s      and it is run, this one time.\n"
                         "Anything else is a no, and so is no answer in %ld s.\n"
                         "Your answer: ",
                         words->code, words->seconds);
}
