#include "kernel/execution/account.h"

#include "kernel/records/log.h"
#include "kernel/requests/requests.h"
#include "kernel/supervisor/proc.h"
#include "kernel/wire/json_text.h"

#include <time.h>

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void account_warn(struct kernel *kernel)
{
    cleanup_free char *warning = audit_log_take_warning(kernel->audit_log);

    if (warning != NULL)
        log_alarm("%s", warning);
}

void account_begin(struct kernel *kernel, struct request *request)
{
    kernel->late_denials = 0;
    request->run_cpu_ns = proc_cpu_ns(kernel->guard.pid);
    request->run_ns = now_ns();
}

static double milliseconds(int64_t ns)
{
    return ns > 0 ? (double)ns / 1e6 : 0;
}

double account_running_ms(const struct request *request)
{
    return request->run_ns != 0 ? milliseconds(now_ns() - request->run_ns) : 0;
}

static struct request *if_cell(struct request *running)
{
    return running != NULL && running->type == &execute_request ? running : NULL;
}

/* NULL: it is over. */
static struct request *find_running(struct kernel *kernel, uint32_t cell)
{
    return if_cell(kernel_running(kernel, cell));
}

/* A thread can outlive its cell, as those of asyncio's executor do: what it is refused is told with the cell that runs,
   which mostly waits for it. While none runs it is on record, but in no reply. */
static struct request *find_teller(struct kernel *kernel, struct request *own)
{
    return if_cell(own != NULL ? own : kernel->queue.running);
}

void account_denial(struct kernel *kernel, const struct frame *frame)
{
    cleanup_buffer struct buffer refusal = BUFFER_NONE;
    struct denials late = {.count = kernel->late_denials};
    struct request *own = find_running(kernel, frame->cell);
    struct request *teller = find_teller(kernel, own);
    struct denials *denials = teller != NULL ? &teller->denials : &late;

    denials_add(denials, frame->parts[0], &refusal);
    if (refusal.size != 0 && denials->count <= DENIALS_LOGGED) {
        audit_log_denial(kernel->audit_log, own != NULL ? own->execute.execution_count : 0,
                         buffer_bytes(&refusal));
        account_warn(kernel);
        log_info("denied: %.*s", (int)refusal.size, refusal.data);
    }
    kernel->late_denials = teller != NULL ? kernel->late_denials : late.count;
    denials_finish(&late);
}

/* It goes to the log as it came, as one line. */
static bool is_record(struct bytes record)
{
    return json_text_is_object(record, JSON_TEXT_STRICT) && memchr(record.data, '\n', record.size) == NULL;
}

void account_tool(struct kernel *kernel, struct bytes record)
{
    const struct request *cell = if_cell(kernel->queue.running);

    if (!is_record(record))
        return;
    audit_log_tool(kernel->audit_log, cell != NULL ? cell->execute.execution_count : 0, record);
    account_warn(kernel);
}

static void append_metadata(const struct audit_cell *cell, const struct denials *denials,
                            struct buffer *metadata)
{
    buffer_append_format(metadata, "{\"wall_ms\":%.3f,\"cpu_ms\":%.3f,", cell->wall_ms,
                         cell->cpu_ms);
    denials_append_members(denials, metadata);
    buffer_append_char(metadata, '}');
}

void account_end(struct kernel *kernel, const struct request *request, const char *status,
                 struct buffer *ret_metadata)
{
    cleanup_buffer struct buffer source = BUFFER_NONE;
    struct audit_cell cell = {
        .execution_count = request->execute.execution_count,
        .status = status,
        .silent = request->execute.silent,
        .wall_ms = account_running_ms(request),
        .cpu_ms = milliseconds(proc_cpu_ns(kernel->guard.pid) - request->run_cpu_ns),
        .denial_count = request->denials.count,
    };

    json_text_member_string(request_content(request), "code", &source);
    cell.source = buffer_bytes(&source);
    audit_log_cell(kernel->audit_log, &cell);
    account_warn(kernel);
    if (ret_metadata != NULL)
        append_metadata(&cell, &request->denials, ret_metadata);
}
