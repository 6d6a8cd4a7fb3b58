/*
 * opening - what a kernel reads and opens before it can start
 *
 * The connection, the records and the policy, each from where the command line says. Into the kernel, which
 * owns it all. An error is a sentence for whoever started the kernel; free().
 */
#pragma once

struct kernel;

/* History and audit log; neither file is touched yet. */
void opening_make_records(struct kernel *kernel);

/* The connection file, or what a gateway says instead. Returns 0 or 1. */
int opening_connection(struct kernel *kernel, char **ret_error);

/* Returns 0, also without the log that is usual, or 1. */
int opening_audit_log(struct kernel *kernel, char **ret_error);

/* The policy files, and what is sent of them to the guard; after the private directory. */
void opening_policy(struct kernel *kernel);
