#include "guard/policy/verdict.h"

#include "guard/policy/import_rules.h"
#include "guard/policy/read_rules.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define RING "interpreter ring"

static enum verdict deny(struct denial *denial, const char *rule, const char *remedy,
                         const char *reason, ...) __attribute__((format(printf, 4, 5)));
static enum verdict deny(struct denial *denial, const char *rule, const char *remedy,
                         const char *reason, ...)
{
    va_list arguments;

    denial->rule = rule;
    denial->remedy = remedy;
    va_start(arguments, reason);
    vsnprintf(denial->reason, sizeof(denial->reason), reason, arguments);
    va_end(arguments);
    return VERDICT_DENY;
}

static void name_subject(struct denial *denial, struct bytes text)
{
    snprintf(denial->subject, sizeof(denial->subject), "%.*s", (int)text.size,
             text.data != NULL ? (const char *)text.data : "");
}

enum verdict check_always(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    (void)policy, (void)facts, (void)ret_denial;
    return VERDICT_ALLOW;
}

enum verdict check_never(const struct policy *policy, const struct facts *facts,
                         struct denial *ret_denial)
{
    (void)policy, (void)facts;
    return deny(ret_denial, RING, "no policy key allows it inside a cell", "cells may not do this");
}

enum verdict check_program(const struct policy *policy, const struct facts *facts,
                           struct denial *ret_denial)
{
    (void)policy, (void)facts;
    return deny(ret_denial, RING, "run it outside of the notebook, or use a Python library instead",
                "cells may not start programs or processes");
}

enum verdict check_network(const struct policy *policy, const struct facts *facts,
                           struct denial *ret_denial)
{
    (void)policy, (void)facts;
    return deny(ret_denial, RING, "put the data into a file and read that",
                "cells may not use the network");
}

enum verdict check_library(const struct policy *policy, const struct facts *facts,
                           struct denial *ret_denial)
{
    (void)policy;
    if (facts->caller != CALLER_USER)
        return VERDICT_ALLOW;
    return deny(ret_denial, RING, "call a library that does it for you",
                "only library code may do this, not a cell");
}

enum verdict check_code(const struct policy *policy, const struct facts *facts,
                        struct denial *ret_denial)
{
    (void)policy;
    if (facts->caller != CALLER_USER)
        return VERDICT_ALLOW;
    return deny(ret_denial, RING, "write the code into a cell of its own",
                "cells may not make code from text or data");
}

enum verdict check_new_code(const struct policy *policy, const struct facts *facts,
                            struct denial *ret_denial)
{
    (void)policy;
    if (facts->caller != CALLER_USER && facts->caller != CALLER_DEPUTY)
        return VERDICT_ALLOW;
    return deny(ret_denial, RING, "write the code into a cell of its own",
                "cells may not make or change code objects");
}

enum verdict check_native(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    (void)policy;
    if (facts->caller == CALLER_IMPORT)
        return VERDICT_ALLOW;
    /* A stack without user code proves nothing: a thread pool, the event loop or atexit runs whatever a
       cell handed it, a native function included. */
    if ((facts->caller == CALLER_DEPUTY || facts->caller == CALLER_LIBRARY) &&
        facts->deputy_is_known)
        return VERDICT_ALLOW;
    return deny(ret_denial, RING, "use a package that wraps the native library",
                "cells may not call native code through ctypes");
}

static bool begins_with(struct bytes text, const char *prefix)
{
    return text.size >= strlen(prefix) && memcmp(text.data, prefix, strlen(prefix)) == 0;
}

/* `name` is the symbol behind the address, the path is the library; none when it is nobody's. */
enum verdict check_native_call(const struct policy *policy, const struct facts *facts,
                               struct denial *ret_denial)
{
    /* What threadpoolctl and wrappers of BLAS and OpenMP ask for, wherever these are installed. */
    static const char *const prefixes[] = {"omp_", "openblas_", "scipy_openblas_", "MKL_", "mkl_",
                                           "bli_", "dl_iterate_phdr", NULL};
    struct bytes library = facts->paths[0].text;

    if (check_native(policy, facts, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    for (size_t i = 0; prefixes[i] != NULL; i++)
        if (begins_with(facts->name, prefixes[i]))
            return VERDICT_ALLOW;
    /* A package may call its own library while it is imported. The C library would be any system call. */
    if (library.size > 0 && memmem(library.data, library.size, "-packages/", 10) != NULL)
        return VERDICT_ALLOW;
    return deny(ret_denial, RING, "use a package that wraps the native library",
                "only the libraries of installed packages may be called through ctypes");
}

/* ---- the link: what is written there would end the guard ------------------------------------- */

static bool is_link(const struct facts *facts, int fd)
{
    return fd >= 0 && fd == facts->link_fd;
}

static enum verdict deny_link(const struct facts *facts, struct denial *denial)
{
    return deny(denial, RING, "use the descriptors of files that the cell opened",
                "descriptor %d belongs to the guard", facts->link_fd);
}

enum verdict check_link(const struct policy *policy, const struct facts *facts,
                        struct denial *ret_denial)
{
    (void)policy;
    if (facts->number_odd || (facts->number_known && is_link(facts, (int)facts->number)))
        return deny_link(facts, ret_denial);
    return VERDICT_ALLOW;
}

/* Descriptors are read as "paths": that is where the facts keep them. */
enum verdict check_link_pair(const struct policy *policy, const struct facts *facts,
                             struct denial *ret_denial)
{
    (void)policy;
    for (unsigned i = 0; i < facts->path_count; i++)
        if (facts->paths[i].odd || is_link(facts, facts->paths[i].fd))
            return deny_link(facts, ret_denial);
    return VERDICT_ALLOW;
}

enum verdict check_link_range(const struct policy *policy, const struct facts *facts,
                              struct denial *ret_denial)
{
    (void)policy;
    if (facts->paths[0].odd || facts->paths[1].odd ||
        (facts->link_fd >= 0 && facts->paths[0].fd <= facts->link_fd &&
         facts->link_fd < facts->paths[1].fd))
        return deny_link(facts, ret_denial);
    return VERDICT_ALLOW;
}

/* ---- paths ---------------------------------------------------------------------------------- */

#define ADD_ROOT "add its folder to ok_dests in the policy file"

static enum verdict deny_odd(struct denial *denial)
{
    return deny(denial, RING, "pass the path as str, for example str(path)",
                "the path is an object whose text could change after the check");
}

static enum verdict deny_outside(const struct policy *policy, struct denial *denial)
{
    char roots[DENIAL_TEXT / 2];

    write_roots_describe(policy->write_roots, roots, sizeof(roots));
    if (roots[0] == '\0')
        return deny(denial, "ok_dests", ADD_ROOT, "the policy has no write roots");
    return deny(denial, "ok_dests", ADD_ROOT, "it is outside the write roots (%s)", roots);
}

/* Mode, owner, times and attributes can be changed through a descriptor that was opened for reading. */
static enum verdict judge_descriptor(const struct policy *policy, int fd, struct denial *denial)
{
    char link[64];
    char target[PATH_MAX];
    int length = snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    bool magic;

    if (path_resolve((struct bytes){link, (size_t)length}, AT_FDCWD, PATH_FOLLOW_LAST, target,
                     &magic) == 0 &&
        write_roots_ask(policy->write_roots, bytes_of_string(target), AT_FDCWD, PATH_KEEP_LAST,
                        denial->subject) == ROOTS_INSIDE)
        return VERDICT_ALLOW;
    return deny_outside(policy, denial);
}

/* One path against the write roots. The answer's path becomes the subject. */
static enum verdict judge_path(const struct policy *policy, const struct path_fact *path,
                               bool opening, bool root_itself, struct denial *denial)
{
    if (path->odd)
        return deny_odd(denial);
    if (path->fd >= 0)
        return opening ? VERDICT_ALLOW : judge_descriptor(policy, path->fd, denial);
    switch (write_roots_ask(policy->write_roots, path->text, path->dir_fd, path->follow,
                            denial->subject)) {
    case ROOTS_INSIDE:
        if (root_itself)
            return VERDICT_ALLOW;
        if (write_roots_hold_excluded(policy->write_roots, denial->subject))
            return deny(denial, "protect", "change what is inside it instead",
                        "it holds packages or set-up files, which are protected");
        if (!write_roots_is_root(policy->write_roots, denial->subject))
            return VERDICT_ALLOW;
        return deny(denial, "ok_dests", "change what is inside it instead",
                    "it is a write root itself");
    case ROOTS_DEVICE:
        if (opening)
            return VERDICT_ALLOW;
        return deny_outside(policy, denial);
    case ROOTS_PROTECTED:
        return deny(denial, "protect", "remove its name from protect in the policy file",
                    "it is protected, although it lies inside a write root");
    case ROOTS_DESCRIPTOR:
        return deny(denial, RING, "use the path of the file itself",
                    "the path leads through /proc or /dev/fd to an open file");
    case ROOTS_UNRESOLVED:
        name_subject(denial, path->text);
        return deny(denial, RING, "use a plain absolute path", "the path cannot be resolved");
    case ROOTS_OUTSIDE:
        break;
    }
    return deny_outside(policy, denial);
}

/* What may not be read may not be moved or linked to where it may, nor a folder that holds it. */
static bool is_kept_secret(const struct policy *policy, const struct path_fact *path,
                           struct denial *denial)
{
    bool magic;

    return policy->read_denied != NULL && path->text.data != NULL &&
           path_resolve(path->text, path->dir_fd, path->follow, denial->subject, &magic) == 0 &&
           (write_roots_cover(policy->read_denied, denial->subject) ||
            write_roots_hold_root(policy->read_denied, denial->subject));
}

static enum verdict judge_paths(const struct policy *policy, const struct facts *facts,
                                bool root_itself, struct denial *denial)
{
    for (unsigned i = 0; !root_itself && i < facts->path_count; i++)
        if (is_kept_secret(policy, &facts->paths[i], denial))
            return deny(denial, "deny_read", "remove it from deny_read in the policy file",
                        "the policy says that what is there may not be read");
    if (policy->write_roots == NULL)
        return VERDICT_ALLOW;
    for (unsigned i = 0; i < facts->path_count; i++)
        if (judge_path(policy, &facts->paths[i], false, root_itself, denial) == VERDICT_DENY)
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

enum verdict check_read(const struct policy *policy, const struct facts *facts,
                        struct denial *ret_denial)
{
    const struct path_fact *path = &facts->paths[0];

    if (!read_rules_exist(policy) || facts->path_count == 0 || path->fd >= 0)
        return VERDICT_ALLOW;
    if (path->odd)
        return deny_odd(ret_denial);
    if (path->text.data == NULL) /* os.listdir() without a path: where we are */
        return VERDICT_ALLOW;
    switch (read_rules_ask(policy, path->text, path->dir_fd, ret_denial->subject)) {
    case READ_DENIED:
        return deny(ret_denial, "deny_read", "remove it from deny_read in the policy file",
                    "the policy says that it may not be read");
    case READ_OUTSIDE:
        return deny(ret_denial, "read_roots", "add its folder to read_roots in the policy file",
                    "it is outside of what the policy lets cells read");
    case READ_PROCESS:
        return deny(ret_denial, "deny_read", "os.environ has the variables that cells may see",
                    "cells may not read the memory or the environment of processes");
    case READ_ALLOWED:
        break;
    }
    return VERDICT_ALLOW;
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
    if (is_link(facts, facts->paths[0].fd))
        return deny_link(facts, ret_denial);
    if (policy->write_roots != NULL && opens_for_writing(facts) &&
        judge_path(policy, &facts->paths[0], true, true, ret_denial) == VERDICT_DENY)
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
        return deny_odd(ret_denial);
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

/* "file:/x/y.db?mode=ro" -> the path, with %41 undone. False when it is no plain local path. */
static bool sqlite_uri_path(struct bytes uri, char ret_path[PATH_MAX])
{
    const char *text = uri.data;
    size_t at = strlen("file:");
    size_t size = 0;

    if (uri.size >= at + 2 && text[at] == '/' && text[at + 1] == '/') {
        at += 2;
        if (uri.size - at >= 9 && strncasecmp(text + at, "localhost", 9) == 0)
            at += 9;
        if (at < uri.size && text[at] != '/')
            return false;
    }
    while (at < uri.size && text[at] != '?' && text[at] != '#') {
        char c = text[at++];

        if (c == '%') {
            unsigned code;

            /* As SQLite reads it: two digits. It takes any other sign as it stands; nobody needs that. */
            if (uri.size - at < 2 || !isxdigit((unsigned char)text[at]) ||
                !isxdigit((unsigned char)text[at + 1]) || sscanf(text + at, "%2x", &code) != 1 ||
                code == 0)
                return false;
            c = (char)code;
            at += 2;
        }
        if (size + 1 >= PATH_MAX)
            return false;
        ret_path[size++] = c;
    }
    ret_path[size] = '\0';
    return true;
}

enum verdict check_sqlite(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    struct path_fact path = facts->paths[0];
    char from_uri[PATH_MAX];

    if (policy->write_roots == NULL)
        return check_read(policy, facts, ret_denial);
    if (path.odd || facts->path_count == 0 || path.fd >= 0)
        return deny_odd(ret_denial);
    /* "" is a temporary database of the connection's own. */
    if (path.text.size == 0 || bytes_equal_string(path.text, ":memory:"))
        return VERDICT_ALLOW;
    if (path.text.size >= 5 && strncmp(path.text.data, "file:", 5) == 0) {
        /* Without uri=True it is a file of this name; so both readings have to be inside. */
        if (!sqlite_uri_path(path.text, from_uri))
            return deny(ret_denial, RING, "use a plain path", "the file: URI cannot be resolved");
        if (from_uri[0] != '\0' && strcmp(from_uri, ":memory:") != 0) {
            path.text = bytes_of_string(from_uri);
            if (judge_path(policy, &path, false, false, ret_denial) == VERDICT_DENY)
                return VERDICT_DENY;
        }
        path.text = facts->paths[0].text;
    }
    if (judge_path(policy, &path, false, false, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    return check_read(policy, facts, ret_denial);
}

enum verdict check_attach(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    if (policy->write_roots != NULL && facts->paths[0].text.data == NULL)
        return deny(ret_denial, RING, "write the name into the statement, as 'file.db'",
                    "SQLite does not say which file an expression or a parameter names");
    return check_sqlite(policy, facts, ret_denial);
}

enum verdict check_native_library(const struct policy *policy, const struct facts *facts,
                                  struct denial *ret_denial)
{
    const struct path_fact *file = &facts->paths[0];

    if (check_native(policy, facts, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    if (policy->write_roots == NULL || file->text.data == NULL)
        return VERDICT_ALLOW;
    if (file->odd)
        return deny_odd(ret_denial);
    /* A name without a folder is looked up by the loader, never in a write root. */
    if (memchr(file->text.data, '/', file->text.size) == NULL ||
        write_roots_ask(policy->write_roots, file->text, AT_FDCWD, PATH_FOLLOW_LAST,
                        ret_denial->subject) != ROOTS_INSIDE)
        return VERDICT_ALLOW;
    return deny(ret_denial, "ok_dests", "install the library outside of the write roots",
                "native libraries are not loaded from a write root");
}

/* ---- names ---------------------------------------------------------------------------------- */

static bool is_one_of(struct bytes name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (bytes_equal_string(name, names[i]))
            return true;
    return false;
}

static enum verdict judge_import(const struct policy *policy, struct bytes module,
                                 struct denial *denial)
{
    const char *banned;

    switch (import_rules_ask(policy, module, &banned)) {
    case IMPORT_BANNED:
        return deny(denial, "ban_imports", "remove it from ban_imports in the policy file",
                    "importing %s is banned", banned);
    case IMPORT_NOT_LISTED:
        return deny(denial, "allowed_imports", "add it to allowed_imports in the policy file",
                    "only listed modules may be imported");
    case IMPORT_ALLOWED:
        break;
    }
    return VERDICT_ALLOW;
}

/* Also as "package._testcapi": the loader runs the same code for it. */
static bool is_test_module(struct bytes name)
{
    static const char *const modules[] = {"_testcapi",    "_testinternalcapi", "_testclinic",
                                          "_xxtestfuzz",  "_testlimitedcapi",  "_testbuffer",
                                          "_testmultiphase", "_testsinglephase",
                                          "_testimportmultiple", NULL};
    const char *dot = name.size > 0 ? memrchr(name.data, '.', name.size) : NULL;

    if (dot != NULL)
        name = (struct bytes){dot + 1, name.size - (size_t)(dot + 1 - (const char *)name.data)};
    return is_one_of(name, modules);
}

enum verdict check_import(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    const struct path_fact *file = &facts->paths[0];

    name_subject(ret_denial, facts->name);
    if (is_test_module(facts->name))
        return deny(ret_denial, RING, "do without it",
                    "it holds test functions that write files and change the interpreter");
    if (facts->caller == CALLER_USER && judge_import(policy, facts->name, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    /* A native module of the user's own would run below every check of this ring. */
    if (policy->write_roots == NULL || facts->path_count == 0 || file->text.data == NULL)
        return VERDICT_ALLOW;
    if (write_roots_ask(policy->write_roots, file->text, AT_FDCWD, PATH_FOLLOW_LAST,
                        ret_denial->subject) != ROOTS_INSIDE)
        return VERDICT_ALLOW;
    return deny(ret_denial, "ok_dests", "install the package outside of the write roots",
                "native modules are not loaded from a write root");
}

enum verdict check_attribute_read(const struct policy *policy, const struct facts *facts,
                                  struct denial *ret_denial)
{
    (void)policy;
    if (facts->caller != CALLER_USER)
        return VERDICT_ALLOW;
    name_subject(ret_denial, facts->name);
    return deny(ret_denial, RING, "use inspect or traceback, which may look there",
                "cells may not reach frames and code objects");
}

enum verdict check_attribute_write(const struct policy *policy, const struct facts *facts,
                                   struct denial *ret_denial)
{
    /* What only describes: dataclasses, namedtuple and decorators in cells set these. */
    static const char *const harmless[] = {"__doc__",      "__module__",       "__name__",
                                           "__qualname__", "__annotations__",  "__abstractmethods__",
                                           "__text_signature__", NULL};

    (void)policy;
    if (facts->caller != CALLER_USER || is_one_of(facts->name, harmless))
        return VERDICT_ALLOW;
    name_subject(ret_denial, facts->name);
    return deny(ret_denial, RING, "define a new function or class instead",
                "cells may not change code, defaults or the class of an object");
}

enum verdict check_environment(const struct policy *policy, const struct facts *facts,
                               struct denial *ret_denial)
{
    static const char *const names[] = {
        "PATH",       "BASH_ENV",      "ENV",        "IFS",      "SHELL",   "EDITOR",
        "VISUAL",     "PAGER",         "BROWSER",    "TMPDIR",   "TEMP",    "TMP",
        "HOME",       "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "HTTP_PROXY",
        "HTTPS_PROXY", "ALL_PROXY",    "all_proxy",  "PERL5LIB", "NODE_OPTIONS", "GCONV_PATH",
        "LOCPATH",    "NLSPATH",       "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES",
        "LOCALDOMAIN", "HDF5_PLUGIN_PATH", "GDAL_DRIVER_PATH", "TERMINFO", "TCLLIBPATH",
        "TCL_LIBRARY", "TK_LIBRARY",   "ODBCSYSINI", NULL};
    static const char *const prefixes[] = {"LD_",  "PYTHON", "GIT_", "PIP_",
                                           "UV_",  "SSH_",   "DYLD_", "IPYTHON",
                                           "JUPYTER", "OPENSSL_", "GIO_", "KRB5_", "RES_",
                                           "GST_", "GTK_", "QT_", "MALLOC_", NULL};
    bool refused = facts->name.data == NULL || is_one_of(facts->name, names);

    (void)policy;
    for (size_t i = 0; !refused && prefixes[i] != NULL; i++)
        refused = facts->name.size >= strlen(prefixes[i]) &&
                  memcmp(facts->name.data, prefixes[i], strlen(prefixes[i])) == 0;
    if (!refused)
        return VERDICT_ALLOW;
    name_subject(ret_denial, facts->name);
    return deny(ret_denial, RING, "set it before the kernel starts",
                "this variable decides which programs and libraries are used");
}

enum verdict check_socket(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    const long unix_family = 1; /* AF_UNIX: what asyncio makes its wake-up pair of */

    if (facts->caller != CALLER_USER && facts->number_known && facts->number == unix_family)
        return VERDICT_ALLOW;
    return check_network(policy, facts, ret_denial);
}

enum verdict check_fcntl(const struct policy *policy, const struct facts *facts,
                         struct denial *ret_denial)
{
    if (check_link_pair(policy, facts, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    if (facts->number_known && facts->number != F_SETOWN && facts->number != F_SETSIG &&
        facts->number != F_SETOWN_EX && facts->number != F_NOTIFY)
        return VERDICT_ALLOW;
    return deny(ret_denial, RING, "use locks or threads instead",
                "cells may not have signals sent by a descriptor");
}

/* Sizes of terminals and how much can be read. Others change devices, and files that are open for
   reading only. */
enum verdict check_ioctl(const struct policy *policy, const struct facts *facts,
                         struct denial *ret_denial)
{
    static const unsigned long asking[] = {TIOCGWINSZ, TCGETS, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX};

    if (check_link_pair(policy, facts, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    for (size_t i = 0; facts->number_known && i < sizeof(asking) / sizeof(asking[0]); i++)
        if ((unsigned long)facts->number == asking[i])
            return VERDICT_ALLOW;
    return deny(ret_denial, RING, "no policy key allows it inside a cell",
                "only requests that ask for a size are known to be harmless");
}
