/*
 * warm - templates, as a session uses them: supervisor/templates connected to the guard
 *
 * A guard that was asked for from a template and does not come to READY is no failure of the session:
 * another is started without one.
 */
#pragma once

#include "guard/link/frame.h"

#include <stdbool.h>

struct kernel;

/* When the policy files are read. */
void warm_init(struct kernel *kernel);

/* Where to ask for the guard that is about to be started; a new string or NULL. */
char *warm_socket(struct kernel *kernel);

/* A guard has been started: it must come to READY in time. */
void warm_watch(struct kernel *kernel);

/* The content of READY. */
void warm_ready(struct kernel *kernel, struct bytes info);

/* IMPORTED */
int warm_imported(struct kernel *kernel, const struct frame *frame);

/* Whether the guard that has ended is to be started again, without a template; says so in the log. */
bool warm_has_failed(struct kernel *kernel);
