/*
 * session_policy - what the kernel process says about the policy before any file does
 *
 * The preset "workspace", the write roots of the command line, and what no policy file can give
 * away: the connection file and the folders where Jupyter keeps such files, which hold the keys of
 * all kernels; and the policy files themselves, which a cell must not rewrite for its next session.
 */
#pragma once

#include "guard/link/frame.h"
#include "guard/policy/policy.h"
#include "kernel/config/options.h"
#include "kernel/config/policy_sources.h"

/* A new policy; policy_free(). private_directory may be NULL. */
struct policy *session_policy_new(const struct options *options,
                                  const struct policy_sources *sources,
                                  const char *private_directory);

/* CONFIGURE; policy: as policy_encode() wrote it. */
void session_policy_push(struct frame_writer *writer, const char *shell, struct bytes policy,
                         const struct policy_sources *sources);
