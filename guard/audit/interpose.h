/*
 * interpose - checks in front of built-in functions that raise no audit event
 *
 * interpose.def is the table; guard/python/method_patch does the work. Functions of modules that are
 * not loaded yet are patched when the import system has made them. Not for events. Owns nothing.
 */
#pragma once

#include "guard/python/py_cleanup.h"

/*
 * interpose_init() - patch what is loaded, and the functions that load the rest
 *
 * Idempotent. Returns 0, or -1 with an exception set: a function of the table exists and could not be patched.
 */
int interpose_init(void);

/* Loads modules whose types are guarded, as long as nothing of a cell's has run that could use them before that. */
void interpose_load(void);
