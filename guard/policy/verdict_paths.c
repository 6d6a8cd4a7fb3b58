/* Files and folders: each path against the write roots and the read rules. */
#include "guard/policy/verdict_parts.h"

#include "guard/policy/read_rules.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define IN_FILE " in the policy file"
#define ADD_ROOT "add its folder to ok_dests"
#define BELOW_OR "use a path below a write root, or "

enum verdict verdict_deny_odd(struct denial *denial)
{
    return verdict_deny(denial, VERDICT_RING, "pass the path as str, for example str(path)",
                        "the path is an object whose text could change after the check");
}

static enum verdict deny_unresolved(const struct path_fact *path, const char *rule,
                                    struct denial *denial)
{
    verdict_name_subject(denial, path->text);
    if (write_roots_here_is_gone())
        return verdict_deny(denial, rule,
                            "restart the kernel in a folder that exists, or use an absolute path",
                            "the current folder is gone");
    return verdict_deny(denial, rule, "use a plain absolute path",
                        "the path cannot be resolved");
}

static enum verdict deny_outside(const struct policy *policy, struct denial *denial)
{
    char roots[DENIAL_TEXT / 2];

    write_roots_describe(policy->write_roots, roots, sizeof(roots));
    /* What multiprocessing would keep there is memory, which another rule refuses wherever it lies. */
    if (strncmp(denial->subject, "/dev/shm/pym-", 13) == 0)
        return verdict_deny(denial, "ok_dests", verdict_threads_remedy(policy),
                            "it is outside the write roots (%s)", roots);
    /* The cache of matplotlib is no place for anybody's files. */
    if (roots[0] == '\0' || (policy->preset == POLICY_READ_ONLY && policy->ok_dests.count + policy->extra_roots.count == 0))
        return verdict_deny(denial, "ok_dests", "show it instead of writing it, or " ADD_ROOT IN_FILE,
                            "the policy has no write roots");
    /* Who writes the first list of their own has to know that it takes the place of ["."]. */
    return verdict_deny(denial, "ok_dests",
                        strncmp(roots, "'.'", 3) == 0 ? BELOW_OR ADD_ROOT " beside \".\"" IN_FILE
                                                      : BELOW_OR ADD_ROOT IN_FILE,
                        "it is outside the write roots (%s)", roots);
}

/* Whether the policy's own list says it: its lists of what no cell may have, no key takes back. */
static enum verdict deny_protected(const struct policy *policy, struct denial *denial)
{
    if (write_roots_exclude_this(policy->write_roots, denial->subject))
        return verdict_deny(denial, "protect", "write to another file or folder: no key of a policy gives this one away",
                            "it is protected, as packages, policy files, set-up files and what starts without a guard are");
    return verdict_deny(denial, "protect",
                        policy->of_program ? "use another name"
                                           : "use another name, or put that name with \"!\" before it at the end of protect" IN_FILE,
                        "a name in it is protected, although it lies inside a write root");
}

/* What is in `denial->subject` lies below an entry of deny_read, or is a secret of the session. */
static enum verdict deny_secret(const struct policy *policy, struct denial *denial)
{
    const char *entry = write_roots_covering(policy->read_denied, denial->subject);

    if (entry == NULL)
        return verdict_deny(denial, "deny_read", "leave it where it is", "it holds what deny_read keeps from being read");
    if (string_list_has(&policy->secrets, entry))
        return verdict_deny(denial, "deny_read", "do without it: no key of a policy gives it away",
                            "keys and records of kernels may not be read");
    return verdict_deny(denial, "deny_read",
                        policy->of_program ? "do without it, or leave that entry out of deny_read"
                                           : "do without it, or put that entry with \"!\" before it at the end of deny_read" IN_FILE,
                        "it may not be read: \"%s\" is in deny_read", entry);
}

/* The same for a path that a person may let pass. */
static enum verdict deny_path(const struct policy *policy, const struct path_fact *path,
                              struct denial *denial)
{
    if (excuses_hold(path->excuses, "ok_dests", denial->subject))
        return VERDICT_ALLOW;
    deny_outside(policy, denial);
    denial->may_ask = appeal_may_write(policy, denial->subject);
    return VERDICT_DENY;
}

/* Mode, owner, times and attributes can be changed through a descriptor that was opened for
 * reading. */
static enum verdict judge_descriptor(const struct policy *policy, const struct path_fact *path,
                                     struct denial *denial)
{
    char link[64];
    char target[PATH_MAX];
    int length = snprintf(link, sizeof(link), "/proc/self/fd/%d", path->fd);
    bool magic;

    if (path_resolve((struct bytes){link, (size_t)length}, AT_FDCWD, PATH_FOLLOW_LAST, target,
                     &magic) == 0 &&
        write_roots_ask(policy->write_roots, bytes_of_string(target), AT_FDCWD, PATH_KEEP_LAST,
                        denial->subject) == ROOTS_INSIDE)
        return VERDICT_ALLOW;
    return deny_path(policy, path, denial);
}

enum verdict verdict_judge_path(const struct policy *policy, const struct path_fact *path, bool opening,
                                bool root_itself, struct denial *denial)
{
    if (path->odd)
        return verdict_deny_odd(denial);
    if (path->fd >= 0)
        return opening ? VERDICT_ALLOW : judge_descriptor(policy, path, denial);
    switch (write_roots_ask(policy->write_roots, path->text, path->dir_fd, path->follow,
                            denial->subject)) {
    case ROOTS_INSIDE:
        if (root_itself)
            return VERDICT_ALLOW;
        if (write_roots_hold_excluded(policy->write_roots, denial->subject))
            return verdict_deny(denial, "protect", "change what is inside it instead",
                                "it holds packages or set-up files, which are protected");
        if (!write_roots_is_root(policy->write_roots, denial->subject))
            return VERDICT_ALLOW;
        return verdict_deny(denial, "ok_dests", "change what is inside it instead",
                            "it is a write root itself");
    case ROOTS_DEVICE:
        if (opening)
            return VERDICT_ALLOW;
        return deny_outside(policy, denial);
    case ROOTS_PROTECTED:
        return deny_protected(policy, denial);
    case ROOTS_DESCRIPTOR:
        return verdict_deny(denial, VERDICT_RING, "use the path of the file itself",
                            "the path leads through /proc or /dev/fd to an open file");
    case ROOTS_UNRESOLVED:
        return deny_unresolved(path, VERDICT_RING, denial);
    case ROOTS_OUTSIDE:
        break;
    }
    return deny_path(policy, path, denial);
}

static enum verdict deny_unreadable(struct denial *denial)
{
    return verdict_deny(denial, "read_roots", "add its folder to read_roots in the policy file",
                        "it is outside of what the policy lets cells read");
}

/* What may not be read may not be moved or linked to where it may, nor a folder that holds it. */
static enum verdict judge_secrecy(const struct policy *policy, const struct path_fact *path,
                                  bool moves, struct denial *denial)
{
    bool magic;

    if (!read_rules_exist(policy))
        return VERDICT_ALLOW;
    if (path->odd)
        return verdict_deny_odd(denial);
    if (path->text.data == NULL)
        return VERDICT_ALLOW;
    if (path_resolve(path->text, path->dir_fd, path->follow, denial->subject, &magic) != 0)
        return deny_unresolved(path, VERDICT_RING, denial);
    if (policy->read_denied != NULL && (write_roots_cover(policy->read_denied, denial->subject) ||
                                        write_roots_hold_root(policy->read_denied, denial->subject)))
        return deny_secret(policy, denial);
    /* Where there are write roots, both ends lie in them, and what can be written can be read. */
    if (moves && policy->write_roots == NULL && policy->read_allowed != NULL &&
        !write_roots_cover(policy->read_allowed, denial->subject))
        return deny_unreadable(denial);
    return VERDICT_ALLOW;
}

static enum verdict judge_paths(const struct policy *policy, const struct facts *facts,
                                bool root_itself, struct denial *denial)
{
    bool moves = facts->path_count > 1 && facts->paths[0].text.data != facts->paths[1].text.data;

    for (unsigned i = 0; !root_itself && i < facts->path_count; i++)
        if (judge_secrecy(policy, &facts->paths[i], moves, denial) == VERDICT_DENY)
            return VERDICT_DENY;
    if (policy->write_roots == NULL)
        return VERDICT_ALLOW;
    for (unsigned i = 0; i < facts->path_count; i++)
        if (verdict_judge_path(policy, &facts->paths[i], false, root_itself, denial) == VERDICT_DENY)
            return VERDICT_DENY;
    return VERDICT_ALLOW;
}

enum verdict check_write_roots(const struct policy *policy, const struct facts *facts,
                               struct denial *ret_denial)
{
    return judge_paths(policy, facts, false, ret_denial);
}

enum verdict check_truncate(const struct policy *policy, const struct facts *facts,
                            struct denial *ret_denial)
{
    if (facts->paths[0].fd >= 0 && !facts->paths[0].odd)
        return VERDICT_ALLOW;
    return check_write_roots(policy, facts, ret_denial);
}

enum verdict check_mkdir(const struct policy *policy, const struct facts *facts,
                         struct denial *ret_denial)
{
    return judge_paths(policy, facts, true, ret_denial);
}

/* What a device leads to is where its numbers say, and not where its name is. Linux looks at the lowest bits of the mode alone. */
enum verdict check_mknod(const struct policy *policy, const struct facts *facts,
                         struct denial *ret_denial)
{
    bool is_device = facts->number_known && (S_ISCHR(facts->number) || S_ISBLK(facts->number));

    if ((!is_device && !facts->number_odd) || (policy->write_roots == NULL && !read_rules_exist(policy)))
        return check_write_roots(policy, facts, ret_denial);
    verdict_name_subject(ret_denial, facts->paths[0].text);
    return verdict_deny(ret_denial, VERDICT_RING, "make a file or a named pipe",
                        "a device stands for a disk, a terminal or memory, wherever it lies");
}

static enum verdict judge_reading(const struct policy *policy, const struct path_fact *path,
                                  struct denial *ret_denial)
{
    if (path->fd >= 0)
        return VERDICT_ALLOW;
    if (path->odd)
        return verdict_deny_odd(ret_denial);
    if (path->text.data == NULL) /* os.listdir() without a path: where we are */
        return VERDICT_ALLOW;
    switch (read_rules_ask(policy, path->text, path->dir_fd, ret_denial->subject)) {
    case READ_ALLOWED:
        return VERDICT_ALLOW;
    case READ_PROCESS:
        return verdict_deny(ret_denial, "deny_read",
                            "os.environ has the variables that cells may see",
                            "cells may not read the memory or the environment of processes");
    case READ_DEVICE:
        return verdict_deny(ret_denial, "deny_read", "do without it",
                            "cells may not read terminals, disks and other devices");
    case READ_DENIED:
        deny_secret(policy, ret_denial);
        break;
    case READ_OUTSIDE:
        deny_unreadable(ret_denial);
        break;
    case READ_UNRESOLVED:
        return deny_unresolved(path, policy->read_denied != NULL ? "deny_read" : "read_roots", ret_denial);
    }
    if (excuses_hold(path->excuses, ret_denial->rule, ret_denial->subject))
        return VERDICT_ALLOW;
    ret_denial->may_ask = appeal_may_read(policy, ret_denial->subject);
    return VERDICT_DENY;
}

enum verdict check_read_all(const struct policy *policy, const struct facts *facts,
                            struct denial *ret_denial)
{
    for (unsigned i = 0; read_rules_exist(policy) && i < facts->path_count; i++)
        if (judge_reading(policy, &facts->paths[i], ret_denial) == VERDICT_DENY)
            return VERDICT_DENY;
    return VERDICT_ALLOW;
}

enum verdict check_read(const struct policy *policy, const struct facts *facts,
                        struct denial *ret_denial)
{
    if (!read_rules_exist(policy) || facts->path_count == 0)
        return VERDICT_ALLOW;
    return judge_reading(policy, &facts->paths[0], ret_denial);
}

static bool opens_for_writing(const struct facts *facts)
{
    long flags = facts->number;

    /* The flags decide; the mode string is looked at as well because not every caller of the
       event fills both. */
    if (facts->number_known &&
        ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC | O_APPEND)) != 0 ||
         (flags & O_TMPFILE) == O_TMPFILE))
        return true;
    for (size_t i = 0; i < facts->name.size; i++)
        if (strchr("waxU+", ((const char *)facts->name.data)[i]) != NULL &&
            ((const char *)facts->name.data)[i] != '\0')
            return true;
    return !facts->number_known && facts->name.data == NULL;
}

enum verdict check_open(const struct policy *policy, const struct facts *facts,
                        struct denial *ret_denial)
{
    if (verdict_is_link(facts, facts->paths[0].fd))
        return verdict_deny_link(facts, ret_denial);
    if (policy->write_roots != NULL && opens_for_writing(facts) &&
        verdict_judge_path(policy, &facts->paths[0], true, true, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    return check_read(policy, facts, ret_denial);
}

enum verdict check_open_at(const struct policy *policy, const struct facts *facts,
                           struct denial *ret_denial)
{
    if (facts->paths[0].dir_fd == AT_FDCWD && !facts->paths[0].odd_dir_fd)
        return VERDICT_ALLOW; /* the event "open" tells it all */
    return check_open(policy, facts, ret_denial);
}

enum verdict check_chdir(const struct policy *policy, const struct facts *facts,
                         struct denial *ret_denial)
{
    const struct path_fact *path = &facts->paths[0];
    char link[64];
    int length;
    bool magic;
    int status;

    if (policy->write_roots == NULL)
        return VERDICT_ALLOW;
    if (path->odd || facts->path_count == 0)
        return verdict_deny_odd(ret_denial);
    /* "." is a root: whoever moves it, moves what may be written. The way back to where the guard
       was started stays open. */
    if (path->fd >= 0) {
        length = snprintf(link, sizeof(link), "/proc/self/fd/%d", path->fd);
        status = path_resolve((struct bytes){link, (size_t)length}, AT_FDCWD, PATH_FOLLOW_LAST,
                              ret_denial->subject, &magic);
    } else {
        status = path_resolve(path->text, AT_FDCWD, PATH_FOLLOW_LAST, ret_denial->subject, &magic);
    }
    if (status == 0 && write_roots_cover_start(policy->write_roots, ret_denial->subject))
        return VERDICT_ALLOW;
    return deny_outside(policy, ret_denial);
}
