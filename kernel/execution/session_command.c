#include "kernel/execution/session_command.h"

#include "kernel/execution/account.h"
#include "kernel/execution/restore.h"
#include "kernel/kernel.h"
#include "kernel/requests/requests.h"

enum { CELLS_MAX = 1000000 };

static const char spaces[] = " \t\r\n\f";

static struct bytes skip(struct bytes text, size_t size)
{
    return (struct bytes){(const char *)text.data + size, text.size - size};
}

static struct bytes strip(struct bytes text)
{
    while (text.size > 0 && strchr(spaces, *(const char *)text.data) != NULL && *(const char *)text.data != '\0')
        text = skip(text, 1);
    while (text.size > 0 && ((const char *)text.data)[text.size - 1] != '\0' &&
           strchr(spaces, ((const char *)text.data)[text.size - 1]) != NULL)
        text.size--;
    return text;
}

/* Takes the word off, if the text begins with it and it ends there. */
static bool take_word(struct bytes *text, const char *word)
{
    size_t size = strlen(word);

    if (text->size < size || memcmp(text->data, word, size) != 0)
        return false;
    if (text->size > size && strchr(spaces, ((const char *)text->data)[size]) == NULL)
        return false;
    *text = skip(*text, size);
    return true;
}

/* A number from 1, and nothing else. */
static bool read_cells(struct bytes text, long *ret_cells)
{
    long cells = 0;

    for (size_t i = 0; i < text.size; i++) {
        char digit = ((const char *)text.data)[i];

        if (digit < '0' || digit > '9' || cells > CELLS_MAX)
            return false;
        cells = cells * 10 + (digit - '0');
    }
    *ret_cells = cells;
    return cells > 0;
}

struct session_command_found session_command_find(struct bytes code)
{
    struct session_command_found found = {.command = COMMAND_NONE, .cells = 1};
    struct bytes text = strip(code);
    const char *line_end;

    if (text.size == 0 || *(const char *)text.data != '%')
        return found;
    if (take_word(&text, "%rewind")) {
        text = strip(text);
        if (text.size == 0 || read_cells(text, &found.cells))
            found.command = COMMAND_REWIND;
    } else if (take_word(&text, "%guard")) {
        text = strip(text);
        if (bytes_equal_string(text, "reset"))
            found.command = COMMAND_RESET;
    } else if (take_word(&text, "%%trial")) {
        line_end = memchr(text.data, '\n', text.size);
        found.body = line_end != NULL ? skip(text, (size_t)(line_end - (const char *)text.data))
                                      : skip(text, text.size);
        found.command = COMMAND_TRIAL;
    } else if (take_word(&text, "%trial")) {
        found.body = strip(text);
        found.command = COMMAND_TRIAL;
    }
    return found;
}

static int succeed(struct kernel *kernel, struct request *request, const char *words)
{
    cleanup_buffer struct buffer content = BUFFER_NONE;
    cleanup_buffer struct buffer metadata = BUFFER_NONE;
    cleanup_free char *line = xasprintf("%s\n", words);
    int result = outputs_write(&kernel->outputs, STREAM_STDOUT, request->cell, bytes_of_string(line));

    if (result == 0)
        result = outputs_flush(&kernel->outputs);
    buffer_append_format(&content,
                         "{\"status\":\"ok\",\"execution_count\":%d,\"user_expressions\":{},"
                         "\"payload\":[]}",
                         request->execute.execution_count);
    buffer_append_string(&metadata, "{\"safepyrun\":");
    account_end(kernel, request, "ok", &metadata);
    buffer_append_char(&metadata, '}');
    if (result != 0) {
        request_close(request);
        return result;
    }
    return request_reply(request, buffer_bytes(&content), buffer_bytes(&metadata));
}

static int reset(struct kernel *kernel, struct request *request)
{
    bool respawns;
    cleanup_free char *words = restore_reset(kernel, &respawns);
    int result = succeed(kernel, request, words);

    return result == 0 && respawns ? kernel_respawn(kernel) : result;
}

static int rewind_cells(struct kernel *kernel, struct request *request, long cells)
{
    bool failed;
    cleanup_free char *words = restore_rewind(kernel, cells, &failed);

    if (!failed)
        return succeed(kernel, request, words);
    account_end(kernel, request, "error", NULL);
    return requests_fail(request, "RestoreError", words);
}

int session_command_run(struct kernel *kernel, const struct session_command_found *found)
{
    struct request *request = steal(kernel->queue.running);

    account_begin(kernel, request);
    return found->command == COMMAND_REWIND ? rewind_cells(kernel, request, found->cells)
                                            : reset(kernel, request);
}
