/*
 * write_roots - does a path lie under one of these directories, after everything is resolved?
 *
 * '.', '..', symbolic links (the last component too), a directory descriptor and a tail that does not
 * exist yet are resolved first; a root written as "." is the directory where the process is at the
 * moment of the question. Between the question and the system call another thread can still swap a
 * link: that race is for the OS ring to close, the interpreter ring only explains.
 * Not for reading arguments of Python: the caller has bytes. `struct write_roots` owns its strings.
 */
#pragma once

#include "guard/link/bytes.h"
#include "guard/policy/path_resolve.h"
#include "guard/policy/string_list.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct write_roots;

/* "~" and "~/x" as a shell means them; anything else as it is. A new string. */
char *write_roots_expand_home(const char *path);

/* Roots as people write them: ".", "~/results", "/data", relative to where the process is now. */
struct write_roots *write_roots_new(const struct string_list *paths);
/* From now on "." counts below where the roots were only: who gets out of them takes no root along. */
void write_roots_stay(struct write_roots *roots);
/* Names that stay read-only inside the roots (".git"); copied. */
void write_roots_protect(struct write_roots *roots, const struct string_list *names);
/* Folders that stay read-only wherever they are. */
void write_roots_exclude(struct write_roots *roots, const struct string_list *paths);
/* The links on the way to these paths, but not what they lead to. */
void write_roots_exclude_links(struct write_roots *roots, const struct string_list *paths);
/*
 * Forgets those that are reached over a link that may be changed, as it lies inside of `writable` (which may be
 * the same): an earlier cell can have put it there. Protected names and excluded paths have to be known.
 */
void write_roots_drop_redirected(struct write_roots *roots, const struct write_roots *writable);
void write_roots_free(struct write_roots *roots);

enum write_roots_answer {
    ROOTS_INSIDE,       /* under a root, and not protected */
    ROOTS_OUTSIDE,      /* resolved, and under none */
    ROOTS_PROTECTED,    /* under a root, but below a protected name */
    ROOTS_DEVICE,       /* a device that swallows or makes data: /dev/null and kin */
    ROOTS_DESCRIPTOR,   /* names an open file: /proc/self/fd, /dev/fd, /dev/stdout */
    ROOTS_UNRESOLVED,   /* cannot be judged: too long, a NUL inside, a bad dir_fd, a loop of links */
};

/*
 * write_roots_ask() - where does a path lie?
 *
 * path          as the operation got it; may hold any byte
 * dir_fd        what a relative path starts from; AT_FDCWD for the current directory
 * follow        whether the operation follows a link in the last component
 * ret_resolved  PATH_MAX bytes: the path that was compared, "" when there is none
 */
enum write_roots_answer write_roots_ask(const struct write_roots *roots, struct bytes path, int dir_fd,
                                        enum path_follow follow, char ret_resolved[PATH_MAX]);

/* True when the absolute, resolved path is a root or lies under one. Names are not looked at. */
bool write_roots_cover(const struct write_roots *roots, const char *resolved);
/* The first root that covers it, as it was written; NULL: none does. */
const char *write_roots_covering(const struct write_roots *roots, const char *resolved);
/* True when it is an excluded folder or file, or lies below one: no policy key takes that off. */
bool write_roots_exclude_this(const struct write_roots *roots, const char *resolved);
/* True when it is a root itself: what may be filled, but not removed or renamed. */
bool write_roots_is_root(const struct write_roots *roots, const char *resolved);
/* True when a root lies below this directory. */
bool write_roots_hold_root(const struct write_roots *roots, const char *resolved);
/* True when an excluded folder or file lies below: to move it away would move that as well. */
bool write_roots_hold_excluded(const struct write_roots *roots, const char *resolved);
/* True when a protected name stands anywhere in the path, below a root or not. */
bool write_roots_names_protected(const struct write_roots *roots, const char *resolved);
/* As write_roots_cover(), where "." also means the directory in which the roots were made. */
bool write_roots_cover_start(const struct write_roots *roots, const char *resolved);
/* As write_roots_hold_root(), with the same. */
bool write_roots_hold_start(const struct write_roots *roots, const char *resolved);

/* Where each root was when the roots were made, and each excluded path: absolute, resolved, borrowed. */
size_t write_roots_count(const struct write_roots *roots);
const char *write_roots_at(const struct write_roots *roots, size_t index);
size_t write_roots_excluded_count(const struct write_roots *roots);
const char *write_roots_excluded_at(const struct write_roots *roots, size_t index);
/* True when cells can change what is there, or could when "." was somewhere else: a resolved path. */
bool write_roots_ever_cover(const struct write_roots *roots, const char *resolved);
/*
 * write_roots_are_on_the_way() - can cells change what this name stands for?
 *
 * Each component is looked at where it lies, links included: a link inside a root may point to a library now
 * and to something else in a moment. True also for names in /proc and what cannot be resolved.
 */
bool write_roots_are_on_the_way(const struct write_roots *roots, struct bytes path);

/* Whether there is a current directory; a cell, or somebody else, may have deleted it. */
bool write_roots_here_is_gone(void);

/* The roots as text for a message: "'.', '/tmp/x'"; appended to `text`, cut at `size`. */
void write_roots_describe(const struct write_roots *roots, char *text, size_t size);
