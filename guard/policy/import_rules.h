/*
 * import_rules - may a cell import this module?
 *
 * mode "restrict": what ban_imports names is refused, with its submodules. mode "allow": what
 * allowed_imports does not name is refused; its submodules come with a module. importlib is refused
 * in both, whatever the lists say: it imports under any name. Asked for user code only, by the
 * rules on the source and by the audit hook. Pure C, borrows everything.
 */
#pragma once

#include "guard/policy/policy.h"

enum import_answer {
    IMPORT_ALLOWED,
    IMPORT_BANNED,     /* by ban_imports, or importlib */
    IMPORT_NOT_LISTED, /* allow mode */
};

/* ret_banned: the name that bans it, borrowed; set for IMPORT_BANNED only. */
enum import_answer import_rules_ask(const struct policy *policy, struct bytes module,
                                    const char **ret_banned);
