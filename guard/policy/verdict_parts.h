/*
 * verdict_parts - what the files of verdict share
 *
 * How a denial is worded and a few questions that more than one decision asks. Not for anybody
 * else: decisions are in verdict.h. Everything is borrowed.
 */
#pragma once

#include "guard/policy/verdict.h"

#define VERDICT_RING "interpreter ring"

/* Fills the denial and returns VERDICT_DENY. */
enum verdict verdict_deny(struct denial *denial, const char *rule, const char *remedy,
                          const char *reason, ...) __attribute__((format(printf, 4, 5)));
/* A path that is no str, bytes or int. */
enum verdict verdict_deny_odd(struct denial *denial);
/* The descriptor that belongs to the guard. */
enum verdict verdict_deny_link(const struct facts *facts, struct denial *denial);
bool verdict_is_link(const struct facts *facts, int fd);

/*
 * verdict_judge_path() - one path against the write roots; the path that was compared becomes the subject
 *
 * opening      a descriptor may be opened again: it can do what it could before
 * root_itself  the operation may name a write root, as mkdir() may
 */
enum verdict verdict_judge_path(const struct policy *policy, const struct path_fact *path, bool opening,
                                bool root_itself, struct denial *denial);

/* Of what needs another process. */
const char *verdict_threads_remedy(const struct policy *policy);
void verdict_name_subject(struct denial *denial, struct bytes text);
/* `names` ends with NULL. */
bool verdict_is_one_of(struct bytes name, const char *const *names);
