/*
 * guard - the guard process: from CONFIGURE to SHUTDOWN
 *
 * The one entry that both hosts call once an interpreter runs. Here the parts meet that do not know
 * each other: CPython mechanics (python/), the user-code rules, the audit hook and the policy. It
 * owns the main thread until the process ends.
 */
#pragma once

/*
 * guard_serve() - warm up, say READY, serve frames
 *
 * Called with the GIL, on the main thread, audit_install() done.
 *
 * link_fd            TAKEN
 * library_directory  where the package safepyrun is; NULL when it is already imported
 *
 * Does not return: the process ends with SHUTDOWN, with the link, or after FAILED.
 */
void __attribute__((noreturn)) guard_serve(int link_fd, const char *library_directory);

struct template_settings;

/*
 * guard_be_template() - be what guards are forked from; see template/template.h
 *
 * As guard_serve(), without a link. Returns to nobody: a guard that is forked from here serves.
 */
void __attribute__((noreturn)) guard_be_template(const struct template_settings *settings,
                                                 const char *library_directory);

/* Says FAILED with one sentence and ends the process; for hosts that cannot start an interpreter. */
void __attribute__((noreturn)) guard_fail(int link_fd, const char *reason);
