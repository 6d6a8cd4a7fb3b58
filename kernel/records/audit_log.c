#include "kernel/records/audit_log.h"

#include "guard/link/buffer.h"
#include "kernel/crypto/sha256.h"
#include "kernel/records/folders.h"
#include "kernel/wire/json_text.h"
#include "kernel/wire/session.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

struct audit_log {
    char *path;
    off_t limit_bytes;
    int fd;
    bool cut_short; /* the last line is not whole: the next one starts on a line of its own */
    bool failing;
    char *warning;
    char *session; /* NULL between sessions */
};

char *audit_log_default_path(void)
{
    return folders_default_path("XDG_STATE_HOME", ".local/state", "audit.jsonl");
}

struct audit_log *audit_log_new(const char *path, off_t limit_bytes)
{
    struct audit_log *log = xcalloc(1, sizeof(*log));

    log->path = path != NULL ? xstrdup(path) : NULL;
    log->limit_bytes = limit_bytes;
    log->fd = -1;
    return log;
}

void audit_log_free(struct audit_log *log)
{
    if (log == NULL)
        return;
    if (log->fd >= 0)
        close(log->fd);
    free(log->path);
    free(log->warning);
    free(log->session);
    free(log);
}

char *audit_log_take_warning(struct audit_log *log)
{
    return steal(log->warning);
}

/* ---- the file ------------------------------------------------------------------------------- */

/* O_NONBLOCK: a pipe that nobody reads must not stop the kernel. */
int audit_log_open(struct audit_log *log)
{
    if (log->path == NULL || log->fd >= 0)
        return 0;
    folders_make_above(log->path);
    log->fd =
        open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    return log->fd >= 0 ? 0 : -errno;
}

static void close_file(struct audit_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
}

/* Whether the path still leads to our descriptor: another kernel may have rotated, a user removed
 * it. */
static bool is_ours(const struct audit_log *log, const struct stat *ours)
{
    struct stat named;

    return stat(log->path, &named) == 0 && named.st_dev == ours->st_dev &&
           named.st_ino == ours->st_ino;
}

static void rotate(struct audit_log *log, const struct stat *ours)
{
    cleanup_free char *old = xasprintf("%s.1", log->path);

    /* Two kernels at the limit: the second one finds that the path leads elsewhere by now. */
    if (flock(log->fd, LOCK_EX | LOCK_NB) != 0)
        return;
    if (is_ours(log, ours))
        rename(log->path, old);
    close_file(log);
}

static int prepare(struct audit_log *log)
{
    struct stat ours;

    if (log->fd >= 0 && fstat(log->fd, &ours) == 0 && S_ISREG(ours.st_mode)) {
        if (ours.st_size >= log->limit_bytes)
            rotate(log, &ours);
        else if (!is_ours(log, &ours))
            close_file(log);
    }
    return audit_log_open(log);
}

static void note_failure(struct audit_log *log, int error)
{
    if (!log->failing) {
        free(log->warning);
        log->warning =
            xasprintf("lines of the audit log %s are lost: %s", log->path, strerror(error));
    }
    log->failing = true;
}

static void write_line(struct audit_log *log, struct buffer *line)
{
    ssize_t written;
    int result = prepare(log);

    buffer_append_char(line, '\n');
    if (result < 0) {
        note_failure(log, -result);
        return;
    }
    written = write(log->fd, line->data, line->size);
    if (written != (ssize_t)line->size)
        note_failure(log, written < 0 ? errno : ENOSPC);
    else
        log->failing = false;
    log->cut_short = written > 0 ? written != (ssize_t)line->size : log->cut_short;
}

/* ---- lines ---------------------------------------------------------------------------------- */

static void append_string(struct buffer *line, const char *name, const char *text)
{
    buffer_append_format(line, ",\"%s\":", name);
    if (text != NULL)
        json_text_append_string(line, bytes_of_string(text));
    else
        buffer_append_string(line, "null");
}

static void begin_line(const struct audit_log *log, const char *type, struct buffer *line)
{
    char date[SESSION_DATE_SIZE];

    session_date(date);
    buffer_append_format(line, "%s{\"time\":\"%s\",\"type\":\"%s\",\"pid\":%d",
                         log->cut_short ? "\n" : "", date, type, (int)getpid());
    append_string(line, "session", log->session);
}

void audit_log_start_session(struct audit_log *log, const struct audit_session *session)
{
    cleanup_buffer struct buffer line = BUFFER_NONE;

    if (log->path == NULL)
        return;
    free(log->session);
    log->session = xstrdup(session->id);
    begin_line(log, "session_start", &line);
    buffer_append_format(&line, ",\"guard_pid\":%d", (int)session->guard_pid);
    append_string(&line, "version", SAFEPYRUN_VERSION);
    append_string(&line, "python", session->python);
    append_string(&line, "preset", session->preset);
    append_string(&line, "policy_file", session->policy_file);
    buffer_append_format(&line, ",\"os_ring\":%s", session->os_ring != NULL ? session->os_ring : "null");
    buffer_append_char(&line, '}');
    write_line(log, &line);
}

void audit_log_end_session(struct audit_log *log, const char *reason)
{
    cleanup_buffer struct buffer line = BUFFER_NONE;

    if (log->path == NULL || log->session == NULL)
        return;
    begin_line(log, "session_end", &line);
    append_string(&line, "reason", reason);
    buffer_append_char(&line, '}');
    write_line(log, &line);
    free(steal(log->session));
}

static void append_sha256(struct buffer *line, struct bytes source)
{
    unsigned char digest[SHA256_BYTES];

    sha256_digest(source, digest);
    buffer_append_string(line, ",\"sha256\":\"");
    buffer_append_hex(line, (struct bytes){digest, sizeof(digest)});
    buffer_append_char(line, '"');
}

void audit_log_cell(struct audit_log *log, const struct audit_cell *cell)
{
    cleanup_buffer struct buffer line = BUFFER_NONE;

    if (log->path == NULL)
        return;
    begin_line(log, "cell", &line);
    buffer_append_format(&line, ",\"execution_count\":%d", cell->execution_count);
    append_sha256(&line, cell->source);
    append_string(&line, "status", cell->status);
    buffer_append_format(
        &line, ",\"silent\":%s,\"wall_ms\":%.3f,\"cpu_ms\":%.3f,\"denial_count\":%ld}",
        cell->silent ? "true" : "false", cell->wall_ms, cell->cpu_ms, cell->denial_count);
    write_line(log, &line);
}

void audit_log_debugger(struct audit_log *log, int execution_count, const char *command,
                        struct bytes source)
{
    cleanup_buffer struct buffer line = BUFFER_NONE;

    if (log->path == NULL)
        return;
    begin_line(log, "debugger", &line);
    buffer_append_format(&line, ",\"execution_count\":%d", execution_count);
    append_string(&line, "command", command);
    append_sha256(&line, source);
    buffer_append_char(&line, '}');
    write_line(log, &line);
}

static void add_object(struct audit_log *log, const char *type, int execution_count,
                       struct bytes object)
{
    cleanup_buffer struct buffer line = BUFFER_NONE;
    struct bytes members = json_text_inside(object);

    if (log->path == NULL)
        return;
    begin_line(log, type, &line);
    buffer_append_format(&line, ",\"execution_count\":%d%s", execution_count, members.size != 0 ? "," : "");
    buffer_append(&line, members);
    buffer_append_char(&line, '}');
    write_line(log, &line);
}

void audit_log_denial(struct audit_log *log, int execution_count, struct bytes refusal)
{
    add_object(log, "denial", execution_count, refusal);
}

void audit_log_tool(struct audit_log *log, int execution_count, struct bytes step)
{
    add_object(log, "tool", execution_count, step);
}

void audit_log_command(struct audit_log *log, int execution_count, struct bytes command)
{
    add_object(log, "command", execution_count, command);
}

void audit_log_question(struct audit_log *log, int execution_count, struct bytes question)
{
    add_object(log, "question", execution_count, question);
}
