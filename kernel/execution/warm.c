#include "kernel/execution/warm.h"

#include "kernel/kernel.h"
#include "kernel/wire/json_text.h"

/* Set-up files run in this time too; one that takes longer is run twice, but a guard that hangs must end. */
enum { READY_MS = 20000 };

static int on_late(void *context)
{
    struct kernel *kernel = context;

    if (kernel->guard.state == GUARD_STARTING && kernel->guard.is_forked)
        guard_process_condemn(&kernel->guard, "it does not come to an end of its start");
    return 0;
}

void warm_init(struct kernel *kernel)
{
    templates_init(&kernel->templates, kernel->loop,
                   &(struct templates_options){
                       .python = kernel->options.python,
                       .shell = kernel->options.shell,
                       .policy_files = &kernel->policy_files,
                   });
    kernel->warm_timer = (struct loop_timer){.callback = on_late, .context = kernel};
    loop_add_timer(kernel->loop, &kernel->warm_timer);
}

char *warm_socket(struct kernel *kernel)
{
    return kernel->template_failed ? NULL : templates_socket(&kernel->templates);
}

void warm_watch(struct kernel *kernel)
{
    if (kernel->guard.is_forked)
        loop_timer_start(&kernel->warm_timer, READY_MS);
}

void warm_ready(struct kernel *kernel, struct bytes info)
{
    cleanup_buffer struct buffer imports = BUFFER_NONE;
    struct bytes warm;
    struct bytes value;
    bool wanted = false;
    bool are_named;

    loop_timer_stop(&kernel->warm_timer);
    if (!json_text_member(info, "warm", &warm) || !json_text_is_object(warm, JSON_TEXT_STRICT))
        return;
    if (json_text_member(warm, "templates", &value))
        json_text_bool(value, &wanted);
    are_named = json_text_member_string(warm, "imports", &imports);
    if (are_named && imports.data == NULL)
        buffer_reserve(&imports, 1); /* an empty list is a list */
    templates_take_wishes(&kernel->templates, wanted, are_named ? buffer_bytes(&imports) : (struct bytes){NULL, 0});
}

int warm_imported(struct kernel *kernel, const struct frame *frame)
{
    templates_take_imported(&kernel->templates, frame->parts[0]);
    return 0;
}

bool warm_has_failed(struct kernel *kernel)
{
    if (!kernel->guard.is_forked || kernel->guard.state != GUARD_FAILED)
        return false;
    loop_timer_stop(&kernel->warm_timer);
    kernel->template_failed = true; /* for the rest of this session */
    log_warning("a guard from the template did not start (%s): another is started without it",
                kernel->guard.failure != NULL ? kernel->guard.failure : "it says nothing");
    return true;
}
