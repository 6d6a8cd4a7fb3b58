#include "kernel/execution/guard_ready.h"

#include "kernel/execution/main_shell.h"
#include "kernel/execution/restore.h"
#include "kernel/execution/warm.h"
#include "kernel/kernel.h"
#include "kernel/records/log.h"
#include "kernel/wire/json_text.h"

static void start_audit(struct kernel *kernel, struct bytes preset)
{
    cleanup_free char *name = xstrndup(preset.data, preset.size);

    kernel->is_open = strcmp(name, "open") == 0;
    audit_log_start_session(kernel->audit_log, &(struct audit_session){
                                                   .id = kernel->channels.session.id,
                                                   .guard_pid = kernel->guard.pid,
                                                   .python = kernel->python_version,
                                                   .preset = name,
                                                   .os_ring = kernel->os_ring,
                                                   .policy_file = kernel->options.policy_file,
                                               });
}

static void repeat_version(struct kernel *kernel, struct bytes info)
{
    cleanup_buffer struct buffer version = BUFFER_NONE;

    if (!json_text_member_string(info, "python_version", &version) ||
        memchr(version.data, '.', version.size) == NULL)
        return;
    free(kernel->python_version);
    kernel->python_version = buffer_steal_string(&version);
}

static void repeat_banner(struct kernel *kernel, struct bytes info)
{
    cleanup_buffer struct buffer banner = BUFFER_NONE;

    if (!json_text_member_string(info, "banner", &banner))
        return;
    free(kernel->banner);
    kernel->banner = buffer_steal_string(&banner);
}

/* Said before the first cell: nothing that a guard says later changes it. */
static void read_outputs(struct kernel *kernel, struct bytes info)
{
    cleanup_buffer struct buffer outputs = BUFFER_NONE;

    kernel->shows_passive_only = json_text_member_string(info, "outputs", &outputs) &&
                                 !bytes_equal_string(buffer_bytes(&outputs), "any");
}

int guard_ready_take(struct kernel *kernel, const struct frame *frame)
{
    struct bytes info = frame->parts[0];
    struct bytes ring = frame->parts[1];
    cleanup_buffer struct buffer preset = BUFFER_NONE;
    struct policy_limits limits;
    int result;

    if (!json_text_is_object(info, JSON_TEXT_STRICT) || !json_text_is_object(ring, JSON_TEXT_STRICT)) {
        guard_process_condemn(&kernel->guard, "it broke the protocol: READY is no JSON object");
        return 0;
    }
    repeat_version(kernel, info);
    repeat_banner(kernel, info);
    free(kernel->os_ring);
    kernel->os_ring = xstrndup(ring.data, ring.size);
    json_text_member_string(info, "preset", &preset);
    start_audit(kernel, buffer_bytes(&preset));
    warm_ready(kernel, info);
    errand_read_settings(kernel, info);
    read_outputs(kernel, info);
    limits_read(info, &limits);
    limits_set(&kernel->limits, &limits);
    restore_start(kernel, info);
    kernel->outputs.cap.limit_bytes = (size_t)limits.max_output_kb * 1024;
    log_info("guard %d is ready", (int)kernel->guard.pid);
    if (kernel->debugger.is_attached)
        debugger_send_settings(kernel);
    result = subshells_begin(kernel);
    return result != 0 ? result : main_shell_run_next(kernel);
}
