/*
 * appeal - which refusals a person may set aside
 *
 * With on_deny = "ask" the front end of a running cell may be asked whether one path may pass after
 * all. Only what stands in guard/link/questions.def is ever asked; never what keeps the guard
 * itself: the connection file, policy and set-up files, the audit log, installed packages,
 * protected names, /proc, /sys and /dev. What was answered applies to one event, one rule and one
 * resolved path. Pure C; who asks and keeps the answers is guard/audit/ask.
 */
#pragma once

#include "guard/policy/policy.h"

enum { EXCUSES_MAX = 4 };

/* What passes in the one call that is being judged. Texts are borrowed. */
struct excuses {
    unsigned count;
    struct {
        const char *rule;    /* the policy key that says no */
        const char *subject; /* resolved path */
    } items[EXCUSES_MAX];
};

/* excuses: NULL, nearly always. */
bool excuses_hold(const struct excuses *excuses, const char *rule, const char *subject);

/* Whether a person may be asked at all. False under every policy without on_deny = "ask". */
bool appeal_may_write(const struct policy *policy, const char *resolved);
bool appeal_may_read(const struct policy *policy, const char *resolved);
