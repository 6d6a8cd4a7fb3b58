/*
 * policy - what is allowed, as one structure in C memory
 *
 * Filled from a preset, changed by the policy file's keys, then sealed: after policy_seal() nobody
 * changes it and nothing in Python can reach it. Pure C: the kernel process makes one and sends it
 * over the link (policy_encode), the guard reads it (policy_decode, which believes nothing).
 * Which facts a decision needs and how they are judged is in verdict.h; how paths are compared is in
 * write_roots.h; the names of the keys are in keys.def. The owner of a `struct policy` owns all in it.
 */
#pragma once

#include "guard/link/buffer.h"
#include "guard/link/bytes.h"
#include "guard/policy/string_list.h"
#include "guard/policy/write_roots.h"

#include <stdbool.h>
#include <stddef.h>

enum policy_preset {
    POLICY_READ_ONLY, /* no writes at all, not even temporary files */
    POLICY_WORKSPACE, /* '.' and a private temporary directory: the kernel's default */
    POLICY_STRICT,    /* as workspace, without '.'; allow mode with lists for computing */
    POLICY_OPEN,      /* the interpreter ring lets everything pass */
};

/* Of [limits], as written; 0: no such limit. The kernel process enforces them. */
struct policy_limits {
#define POLICY_LIMIT(field, most, usual, strict) long field;
#include "guard/policy/limits.def"
#undef POLICY_LIMIT
};

/* The OS ring: what the system holds, whatever runs in the guard process. */
enum policy_os_ring {
    POLICY_OS_RING_AUTO,    /* as far as this system gives it; what is missing is said */
    POLICY_OS_RING_REQUIRE, /* no session without it */
    POLICY_OS_RING_OFF,
};

struct policy {
    enum policy_preset preset;
    bool sealed;
    bool guards_writes;             /* false: ok_dests = "any" */
    bool guards_reads;              /* true: read_roots is a list */
    bool allow_mode;                /* mode = "allow": what is not listed is refused */
    enum policy_os_ring os_ring;
    bool ban_defs;                  /* def, async def and class are refused */
    struct policy_limits limits;
    bool of_program;                /* RunPython's or mk_audit's: arguments, and no policy file */
    bool asks;                      /* on_deny = "ask": a person may let a path pass */
    bool passive_outputs;           /* outputs = "passive": nothing that a browser runs */
    bool templates;                 /* warm.templates: the guard may be forked from a template */
    bool learns_imports;            /* no warm.imports: what was used lately */
    long ask_seconds;               /* how long such a question waits */
    struct string_list ok_dests;    /* write roots as written; "." is where the process is */
    struct string_list extra_roots; /* further ones, from the command line: no file takes them away */
    struct string_list ban_imports; /* module names; a submodule is banned with its parent */
    struct string_list ban_builtins; /* restrict mode: built-in names that a cell may not use */
    struct string_list allowed_imports;  /* allow mode, instead of ban_imports */
    struct string_list allowed_builtins; /* allow mode */
    struct string_list allowed_globals;  /* allow mode: which of [extra_globals] */
    struct string_list unregistered;     /* allow mode: what set-up files define and do not allow() */
    struct string_list deny_read;   /* paths whose content may not be read */
    struct string_list secrets;     /* the same, whatever deny_read says: the connection file */
    struct string_list read_roots;  /* what may be read, if guards_reads */
    struct string_list protect;     /* names that stay read-only inside a write root */
    struct string_list env_pass;    /* variables that look like secrets and are none */
    struct string_list env_hide;    /* variables that cells do not see */
    struct string_list network_allow; /* "host:port" */
    struct string_list warm_imports; /* modules that a template holds, unless `learns_imports` */
    struct string_list setup_files; /* trusted Python files, absolute */
    struct string_list read_only;   /* folders of installed packages: inside a root or not */
    struct string_list readable;    /* what Python itself needs: adds to read_roots */
    struct string_list read_free;   /* made by policy_seal(): see read_rules_prepare() */
    char *private_directory;        /* the guard's own temporary directory, a write root; or NULL */
    struct write_roots *write_roots; /* made by policy_seal(); NULL: writes are not guarded */
    struct write_roots *read_denied; /* made by policy_seal(); NULL: nothing */
    struct write_roots *read_allowed; /* made by policy_seal(); NULL: everything */
    struct write_roots *never_asked; /* made by policy_seal() if `asks`: see appeal.h */
};

enum policy_outcome {
    POLICY_E_UNKNOWN_PRESET = 1,
    POLICY_E_UNKNOWN_KEY,
    POLICY_E_BAD_VALUE,  /* the right type, but not one of the values that the key takes */
    POLICY_E_BAD_TYPE,   /* keys.def says what the type would be */
    POLICY_E_MALFORMED,  /* policy_decode(): not what policy_encode() writes */
    POLICY_E_SEALED,
};

/* A new policy with a preset's values; policy_free(). */
struct policy *policy_new(enum policy_preset preset);
void policy_free(struct policy *policy);
static inline void cleanup_policy_at(struct policy **policy)
{
    policy_free(*policy);
}
#define cleanup_policy cleanup_with(cleanup_policy_at)

/* "workspace" -> POLICY_WORKSPACE. Returns 0 or POLICY_E_UNKNOWN_PRESET. */
int policy_preset_find(const char *name, enum policy_preset *ret_preset);
const char *policy_preset_name(enum policy_preset preset);
/* "auto", "require", "off". */
const char *policy_os_ring_name(enum policy_os_ring os_ring);
/* Puts a preset's values in place of all others; the private directory stays. */
int policy_set_preset(struct policy *policy, enum policy_preset preset);

/* The guard's private temporary directory; NULL for none. Copied. Returns 0 or POLICY_E_SEALED. */
int policy_set_private_directory(struct policy *policy, const char *path);

/* A folder or file that is never written to, also inside a write root: where packages are. */
int policy_add_read_only(struct policy *policy, const char *path);
/* A folder where packages are installed, by its name: "/…/site-packages". */
bool policy_is_package_folder(const char *folder);
/* What may be read although read_roots does not name it. */
int policy_add_readable(struct policy *policy, const char *path);
/* What may never be read, and a write root that stays, whatever policy files say. */
int policy_add_secret(struct policy *policy, const char *path);
int policy_add_write_root(struct policy *policy, const char *path);

/*
 * A key's value as the policy file gives it. What `type` says is what is set; texts are copied.
 * Returns 0 or POLICY_E_UNKNOWN_KEY, _BAD_TYPE, _BAD_VALUE, _SEALED.
 */
enum policy_type { POLICY_BOOLEAN, POLICY_INTEGER, POLICY_STRING, POLICY_STRINGS };
struct policy_value {
    enum policy_type type;
    bool boolean;
    long integer;
    const char *string;
    const char *const *strings;
    size_t count;
};
int policy_set(struct policy *policy, const char *key, const struct policy_value *value);

enum { POLICY_ASK_SECONDS_MAX = 3600 };

/* One row of keys.def. */
struct policy_key {
    const char *name;
    const char *accepts; /* what would be right, for error messages: 'true or false' */
    const char *otherwise; /* the default in words */
    const char *meaning;
};
const struct policy_key *policy_keys(size_t *ret_count);
const struct policy_key *policy_key_find(const char *name);
/* The list that a key sets, borrowed; NULL for a key that is no list. */
const struct string_list *policy_list(const struct policy *policy, const char *key);
/* The number that a key of [limits] sets, borrowed; NULL for any other key. */
const long *policy_limit(const struct policy *policy, const char *key);

/* No more changes: resolves the paths ("~" too). Idempotent. */
void policy_seal(struct policy *policy);
/* The write roots that sealing would give it now: new; NULL: writes are not guarded. */
struct write_roots *policy_roots(const struct policy *policy);

/* The policy as bytes, appended; and back. Decoding returns 0 or POLICY_E_MALFORMED; not sealed. */
void policy_encode(const struct policy *policy, struct buffer *buffer);
int policy_decode(struct bytes bytes, struct policy **ret_policy);
