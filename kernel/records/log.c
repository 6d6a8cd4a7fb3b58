#include "kernel/records/log.h"

#include "guard/link/buffer.h"

#include <fcntl.h>
#include <stdarg.h>
#include <time.h>

/* State of the file: every module logs, none should carry it. */
static int log_fd = -1;
static enum log_level log_limit = LOG_INFO;

static const char *const level_names[] = {"error", "warning", "info", "debug"};

bool log_level_from_name(const char *name, enum log_level *ret_level)
{
    for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        if (strcmp(name, level_names[level]) == 0) {
            *ret_level = (enum log_level)level;
            return true;
        }
    }
    return false;
}

int log_open(const char *path, enum log_level level)
{
    int fd = strcmp(path, "-") == 0
                 ? dup(STDERR_FILENO)
                 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    log_close();
    log_fd = fd;
    log_limit = level;
    return 0;
}

void log_close(void)
{
    if (log_fd >= 0)
        close(log_fd);
    log_fd = -1;
}

/* A line is a line: text that a stranger chose must not start another one. */
static void replace_controls(struct buffer *line)
{
    for (size_t i = 0; i < line->size; i++)
        if ((unsigned char)line->data[i] < 0x20)
            line->data[i] = ' ';
}

static void write_line(int fd, enum log_level level, const char *format, va_list arguments)
{
    cleanup_buffer struct buffer line = BUFFER_NONE;
    cleanup_free char *text = NULL;
    char date[32];
    struct timespec now;
    struct tm utc;

    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    buffer_append_format(&line, "%s.%03dZ %d %s: %s", date, (int)(now.tv_nsec / 1000000),
                         (int)getpid(), level_names[level], text != NULL ? text : "");
    replace_controls(&line);
    buffer_append_char(&line, '\n');
    (void)!write(fd, line.data, line.size);
}

void log_write(enum log_level level, const char *format, ...)
{
    va_list arguments;

    if (log_fd < 0 || level > log_limit)
        return;
    va_start(arguments, format);
    write_line(log_fd, level, format, arguments);
    va_end(arguments);
}

void log_alarm(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(log_fd >= 0 ? log_fd : STDERR_FILENO, LOG_ERROR, format, arguments);
    va_end(arguments);
}
