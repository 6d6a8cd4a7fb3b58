/*
 * log - what the kernel process tells its operator
 *
 * Silent unless a file was named, but for log_alarm(): launchers treat a kernel's stderr as an alarm. One line an event:
 * date, level, text. Never the key, never a cell's source. The guard sends its lines as frames.
 */
#pragma once

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* An error that nobody else is told of: goes to stderr where no log is kept. */
void log_alarm(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "error", "warning", "info", "debug"; false for anything else. */
bool log_level_from_name(const char *name, enum log_level *ret_level);

/* Appends to `path`, made with mode 0600; "-" is stderr. Returns 0 or -errno. */
int log_open(const char *path, enum log_level level);
void log_close(void);

void log_write(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
