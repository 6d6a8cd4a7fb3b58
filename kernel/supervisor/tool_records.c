#include "kernel/supervisor/tool_records.h"

#include "guard/link/cleanup.h"

#include <poll.h>
#include <sys/socket.h>

enum {
    RECORD_BYTES = 64 * 1024,
    BITE = 16, /* records, before others have their turn */
};

/* One record a read; those that are cut are none. */
static int on_record(void *context)
{
    static char bytes[RECORD_BYTES];
    struct tool_records *records = context;

    for (int i = 0; i < BITE; i++) {
        ssize_t size = recv(records->fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);
        int result;

        if (size < 0)
            return 0;
        if (size == 0) {
            tool_records_close(records);
            return 0;
        }
        if (size > (ssize_t)sizeof(bytes) || records->take == NULL)
            continue;
        result = records->take(records->context, (struct bytes){bytes, (size_t)size});
        if (result < 0)
            return result;
    }
    return 0;
}

void tool_records_init(struct tool_records *records, struct loop *loop, tool_record *take, void *context)
{
    *records = (struct tool_records){.loop = loop, .take = take, .context = context, .fd = -1};
}

void tool_records_open(struct tool_records *records, int fd)
{
    tool_records_close(records);
    records->fd = fd;
    records->source = (struct loop_source){
        .fd = fd, .events = POLLIN, .callback = on_record, .context = records};
    loop_add(records->loop, &records->source);
}

void tool_records_close(struct tool_records *records)
{
    if (records->fd < 0)
        return;
    loop_remove(records->loop, &records->source);
    close(steal_fd(&records->fd));
}
