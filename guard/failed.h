/*
 * failed - a guard that cannot start: one sentence, and the end of the process
 *
 * Said as FAILED over the link, which is open; the kernel process shows it to whoever started the kernel.
 * Only before READY.
 */
#pragma once

void __attribute__((noreturn)) failed(const char *reason);

/* The same for the exception that is set: "the guard could not DOING: TypeError: …" */
void __attribute__((noreturn)) failed_with_exception(const char *doing);
