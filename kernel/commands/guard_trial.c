#include "kernel/commands/guard_trial.h"

#include "guard/link/descriptors.h"
#include "guard/link/frame.h"
#include "kernel/config/session_policy.h"
#include "kernel/loop.h"
#include "kernel/supervisor/last_words.h"
#include "kernel/supervisor/private_directory.h"
#include "kernel/supervisor/spawn.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { START_LIMIT_MS = 60 * 1000, BITE_BYTES = 4096 };

static void push_configuration(struct frame_writer *writer, const struct policy_sources *sources,
                               const char *private_directory)
{
    struct options options = {.shell = "auto"};
    cleanup_policy struct policy *policy = session_policy_new(&options, sources, private_directory);
    cleanup_buffer struct buffer encoded = BUFFER_NONE;

    policy_encode(policy, &encoded);
    session_policy_push(writer, options.shell, buffer_bytes(&encoded), sources);
}

static json_t *json_of(struct bytes bytes)
{
    return json_loadb(bytes.data, bytes.size, 0, NULL);
}

/* Whether this frame decides. */
static bool take_frame(const struct frame *frame, struct guard_trial *trial)
{
    if (frame->type == FRAME_FAILED)
        trial->problem = xstrndup(frame->parts[0].data, frame->parts[0].size);
    if (frame->type == FRAME_READY) {
        trial->ready = json_of(frame->parts[0]);
        trial->os_ring = json_of(frame->parts[1]);
        if (trial->ready == NULL || trial->os_ring == NULL)
            trial->problem = xstrdup("the guard says in no JSON that it is ready");
    }
    return frame->type == FRAME_FAILED || frame->type == FRAME_READY;
}

/* What has been received, up to the frame that decides. Returns 0 then; LINK_E_*. */
static int take_received(struct frame_reader *reader, struct guard_trial *trial)
{
    struct frame frame;
    int result;

    while ((result = frame_reader_next(reader, &frame)) == 0)
        if (take_frame(&frame, trial))
            return 0;
    return result;
}

/* Sends what waits and reads until READY, FAILED, the end of the guard or the limit. */
static void converse(const struct spawned *guard, struct frame_writer *writer,
                     struct guard_trial *trial)
{
    struct frame_reader reader;
    int64_t deadline = loop_now_ms() + START_LIMIT_MS;
    int result = LINK_E_AGAIN;

    frame_reader_init(&reader, FRAME_TO_KERNEL);
    while (result == LINK_E_AGAIN && loop_now_ms() < deadline) {
        bool writes = frame_writer_flush(writer, guard->link) == LINK_E_AGAIN;
        struct pollfd waits = {guard->link, (short)(POLLIN | (writes ? POLLOUT : 0)), 0};

        poll(&waits, 1, (int)(deadline - loop_now_ms()));
        result = frame_reader_fill(&reader, guard->link);
        if (result == 0)
            result = take_received(&reader, trial);
        if (result == -EINTR)
            result = LINK_E_AGAIN;
    }
    if (result == LINK_E_AGAIN)
        trial->problem = xstrdup("the guard was not ready within a minute");
    frame_reader_finish(&reader);
}

/* What has come by now: its pipe may outlive a guard. A new string. */
static char *read_last_words(int outputs)
{
    char bytes[BITE_BYTES];
    cleanup_buffer struct buffer words = BUFFER_NONE;
    char *line;
    ssize_t size;

    while ((size = read(outputs, bytes, sizeof(bytes))) > 0)
        last_words_keep(&words, (struct bytes){bytes, (size_t)size});
    line = last_words_line(&words);
    return line != NULL ? line : xstrdup("the guard ended without a word");
}

static void end_guard(struct spawned *guard)
{
    kill(-guard->pid, SIGKILL); /* it leads a group of its own */
    while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    spawned_close(guard);
}

void guard_trial_run(const char *python, const struct policy_sources *sources,
                     struct guard_trial *ret_trial)
{
    struct guard_trial trial = {NULL, NULL, NULL, 0};
    char *directory = private_directory_make(&trial.problem);
    cleanup_close int last_line = memfd_create(LAST_LINE_NAME, MFD_CLOEXEC);
    int64_t started = loop_now_ms();
    struct frame_writer writer;
    struct spawned asked = SPAWNED_NONE;
    struct spawned guard;

    if (directory != NULL &&
        spawn_guard(python, directory, &asked, last_line, &guard, &trial.problem) == 0) {
        frame_writer_init(&writer);
        push_configuration(&writer, sources, directory);
        converse(&guard, &writer, &trial);
        if (trial.ready == NULL && trial.problem == NULL)
            trial.problem = read_last_words(guard.outputs[1]);
        frame_writer_finish(&writer);
        end_guard(&guard);
    }
    private_directory_remove(directory);
    trial.elapsed_ms = (long)(loop_now_ms() - started);
    *ret_trial = trial;
}

void guard_trial_finish(struct guard_trial *trial)
{
    json_decref(trial->ready);
    json_decref(trial->os_ring);
    free(trial->problem);
}
