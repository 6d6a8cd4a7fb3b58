/* What lies below Python: native code, the descriptor of the link, requests to devices. */
#include "guard/policy/verdict_parts.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* For those who have a policy file: see verdict_remedy_of_program(). */
#define LEAVE_IT_TO_THE_RING ", or leave native code to the OS ring: preset = \"open\" in the policy file"

enum verdict check_native(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    (void)policy;
    if (facts->caller == CALLER_IMPORT)
        return VERDICT_ALLOW;
    /* A stack without user code proves nothing: a thread pool, the event loop or atexit runs
       whatever a cell handed it, a native function included. */
    if ((facts->caller == CALLER_DEPUTY || facts->caller == CALLER_LIBRARY) &&
        facts->deputy_is_known)
        return VERDICT_ALLOW;
    return verdict_deny(ret_denial, VERDICT_RING,
                        "use a package that was compiled against its library" LEAVE_IT_TO_THE_RING,
                        "cells may not call native code through ctypes");
}

/* Being imported is no reason: what is called there may be what a cell has put in its place, and what cffi has opened or
   cast once is used without a further question. */
enum verdict check_cffi(const struct policy *policy, const struct facts *facts,
                        struct denial *ret_denial)
{
    (void)policy, (void)facts;
    return verdict_deny(ret_denial, VERDICT_RING,
                        "use a package that was compiled against its library, or trust one by allow_imports.add()",
                        "cells may not call native code through cffi");
}

/* What threadpoolctl asks BLAS and OpenMP for, without "scipy_" in front and "64_" behind. */
static enum native_shape known_function(struct bytes name)
{
    static const char *const numbers[] = {
        "omp_get_max_threads",         "omp_set_num_threads",         "openblas_get_num_threads",
        "openblas_set_num_threads",    "openblas_get_parallel",       "MKL_Get_Max_Threads",
        "MKL_Set_Num_Threads",         "bli_thread_get_num_threads",  "bli_thread_set_num_threads",
        "bli_info_get_enable_openmp",  "bli_info_get_enable_pthreads", "bli_arch_query_id",
        NULL};
    static const char *const texts[] = {"openblas_get_config", "openblas_get_corename",
                                        "bli_arch_string", "bli_info_get_version_str", NULL};
    static const char prefix[] = "scipy_";
    const char *text = name.data;

    if (name.size > strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0)
        name = (struct bytes){text + strlen(prefix), name.size - strlen(prefix)};
    text = name.data;
    while (name.size > 0 && strchr("_64", text[name.size - 1]) != NULL)
        name.size--;
    if (verdict_is_one_of(name, numbers))
        return NATIVE_NUMBERS;
    return verdict_is_one_of(name, texts) ? NATIVE_TEXT : NATIVE_ANYTHING;
}

/*
 * `name` is the symbol behind the address, the path is the library; none when it is nobody's. Being imported is no
 * reason to call anything: what a module calls may be what a cell has put there. Even a library of one's own
 * package has functions that run programs (libgfortran beside numpy).
 */
enum verdict check_native_call(const struct policy *policy, const struct facts *facts,
                               struct denial *ret_denial)
{
    struct bytes library = facts->paths[0].text;
    enum native_shape shape = known_function(facts->name);

    if (check_native(policy, facts, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    if (shape != NATIVE_ANYTHING && facts->number_known && facts->number == (long)shape)
        return VERDICT_ALLOW;
    verdict_name_subject(ret_denial, facts->name);
    if (library.size > 0 && memmem(library.data, library.size, "/llvmlite/", 10) != NULL)
        return verdict_deny(ret_denial, VERDICT_RING,
                            "compute with numpy, scipy or polars, which are compiled already" LEAVE_IT_TO_THE_RING,
                            "numba makes machine code while it runs, and nobody can judge that");
    return verdict_deny(ret_denial, VERDICT_RING,
                        "use a package that was compiled against its library" LEAVE_IT_TO_THE_RING,
                        "only a few functions of BLAS and OpenMP may be called through ctypes");
}

enum verdict check_native_package(const struct policy *policy, const struct facts *facts,
                                  struct denial *ret_denial)
{
    (void)policy;
    verdict_name_subject(ret_denial, facts->name);
    return verdict_deny(ret_denial, "native calls", "allow() it, or let on_call say that it is harmless",
                        "nothing is known about what %.*s does", (int)facts->name.size,
                        facts->name.data != NULL ? (const char *)facts->name.data : "");
}

/* It does nothing that it has not done. */
static bool is_loaded(const char *path)
{
    void *library = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);

    if (library == NULL)
        return false;
    dlclose(library);
    return true;
}

/* Where it really lies, below the folder of packages where that really lies. */
static bool is_of_a_package(const struct policy *policy, struct bytes path)
{
    char file[PATH_MAX];
    char folder[PATH_MAX];
    bool magic;

    if (path_resolve(path, AT_FDCWD, PATH_FOLLOW_LAST, file, &magic) != 0 || magic)
        return false;
    for (size_t i = 0; i < policy->read_only.count; i++) {
        const char *item = policy->read_only.items[i];

        if (policy_is_package_folder(item) &&
            path_resolve(bytes_of_string(item), AT_FDCWD, PATH_FOLLOW_LAST, folder, &magic) == 0 && !magic &&
            strncmp(file, folder, strlen(folder)) == 0 && file[strlen(folder)] == '/')
            return true;
    }
    return false;
}

/*
 * A library runs code of its own when it is loaded, and whoever has it loaded has set its variables: glibc brings two that write
 * a file which one of them names. So it is one that is loaded already, or one of a package, which could be imported as well.
 */
enum verdict check_native_library(const struct policy *policy, const struct facts *facts,
                                  struct denial *ret_denial)
{
    const struct path_fact *file = &facts->paths[0];
    char path[PATH_MAX];

    if (check_native(policy, facts, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    if (file->odd)
        return verdict_deny_odd(ret_denial);
    if (policy->write_roots == NULL || file->text.data == NULL) /* the program itself */
        return VERDICT_ALLOW;
    verdict_name_subject(ret_denial, file->text);
    if (file->text.size >= sizeof(path))
        return verdict_deny_odd(ret_denial);
    memcpy(path, file->text.data, file->text.size);
    path[file->text.size] = '\0';
    /* A name without a folder is looked up by the loader, never in a write root. */
    if (memchr(path, '/', file->text.size) != NULL &&
        write_roots_are_on_the_way(policy->write_roots, file->text))
        return verdict_deny(ret_denial, "ok_dests", "install the library outside of the write roots",
                            "native libraries are not loaded from a write root");
    if (is_loaded(path) || is_of_a_package(policy, file->text))
        return VERDICT_ALLOW;
    return verdict_deny(ret_denial, VERDICT_RING, "use a package that brings its library along" LEAVE_IT_TO_THE_RING,
                        "what a library does when it is loaded, nobody can judge");
}

enum verdict check_mapping(const struct policy *policy, const struct facts *facts,
                           struct denial *ret_denial)
{
    (void)policy;
    if (facts->number_known && (facts->number & MAP_FIXED) == 0)
        return VERDICT_ALLOW;
    return verdict_deny(ret_denial, VERDICT_RING, "leave out MAP_FIXED",
                        "it would replace the memory that is there");
}

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101 /* linux/mman.h; glibc leaves it out */
#endif

/* Root can have a page called broken: Linux never uses it again, and ends every program that has it. */
enum verdict check_memory_advice(const struct policy *policy, const struct facts *facts,
                                 struct denial *ret_denial)
{
    (void)policy;
    if (facts->number_known && facts->number != MADV_HWPOISON && facts->number != MADV_SOFT_OFFLINE)
        return VERDICT_ALLOW;
    return verdict_deny(ret_denial, VERDICT_RING, "no policy key allows it inside a cell",
                        "it takes memory from all programs of the machine");
}

/* Any other number is read as an address, and none is known to be a thread that lives. */
enum verdict check_own_thread(const struct policy *policy, const struct facts *facts,
                              struct denial *ret_denial)
{
    (void)policy;
    if (facts->number_known && (unsigned long)facts->number == (unsigned long)pthread_self())
        return VERDICT_ALLOW;
    return verdict_deny(ret_denial, VERDICT_RING, "call it, or time.thread_time(), in the thread that is meant",
                        "for any other thread the system reads memory wherever the number leads");
}

/* ---- the link: what is written there would end the guard ------------------------------------- */

bool verdict_is_link(const struct facts *facts, int fd)
{
    return fd >= 0 && fd == facts->link_fd;
}

enum verdict verdict_deny_link(const struct facts *facts, struct denial *denial)
{
    verdict_deny(denial, VERDICT_RING, "use the descriptors of files that the cell opened",
                 "descriptor %d belongs to the guard", facts->link_fd);
    denial->is_final = true;
    return VERDICT_DENY;
}

enum verdict check_link(const struct policy *policy, const struct facts *facts,
                        struct denial *ret_denial)
{
    (void)policy;
    if (facts->number_odd || (facts->number_known && verdict_is_link(facts, (int)facts->number)))
        return verdict_deny_link(facts, ret_denial);
    return VERDICT_ALLOW;
}

enum verdict check_link_library(const struct policy *policy, const struct facts *facts,
                                struct denial *ret_denial)
{
    if (check_library(policy, facts, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    return check_link(policy, facts, ret_denial);
}

/* Descriptors are read as "paths": that is where the facts keep them. */
enum verdict check_link_pair(const struct policy *policy, const struct facts *facts,
                             struct denial *ret_denial)
{
    (void)policy;
    for (unsigned i = 0; i < facts->path_count; i++)
        if (facts->paths[i].odd || verdict_is_link(facts, facts->paths[i].fd))
            return verdict_deny_link(facts, ret_denial);
    return VERDICT_ALLOW;
}

/* Linux is told the last one, as a number without a sign: of a range that ends before 0 that is the highest of all. */
static bool range_has(int low, int end, int fd)
{
    return fd >= 0 && low <= fd && (unsigned)fd <= (unsigned)end - 1;
}

enum verdict check_link_range(const struct policy *policy, const struct facts *facts,
                              struct denial *ret_denial)
{
    (void)policy;
    if (facts->paths[0].odd || facts->paths[1].odd ||
        range_has(facts->paths[0].fd, facts->paths[1].fd, facts->link_fd))
        return verdict_deny_link(facts, ret_denial);
    return VERDICT_ALLOW;
}

/* "%p1%s" shows the text at an address and "%l" measures it. A sign or a width may stand in between; "+" and "-" are sums unless
   ":" comes first. */
static bool shows_memory(struct bytes text)
{
    const char *data = text.data;

    for (size_t at = 0; at + 1 < text.size; at++) {
        const char *between = data[at + 1] == ':' ? ":+-# .0123456789" : "# .0123456789";
        size_t end = at + 1;

        while (end < text.size && data[end] != '\0' && strchr(between, data[end]) != NULL)
            end++;
        if (data[at] == '%' && end < text.size && (data[end] == 's' || data[end] == 'l'))
            return true;
    }
    return false;
}

enum verdict check_terminal_text(const struct policy *policy, const struct facts *facts,
                                 struct denial *ret_denial)
{
    (void)policy;
    if (facts->name.data != NULL && !shows_memory(facts->name))
        return VERDICT_ALLOW;
    return verdict_deny(ret_denial, VERDICT_RING, "fill it in with str.format()",
                        "a number would be taken for the address of a text");
}

/* Also what is in a root by one more name: that of a language. */
static bool is_open_to_cells(const struct policy *policy, struct bytes folder)
{
    char resolved[PATH_MAX];
    bool magic;

    return folder.size == 0 || ((const char *)folder.data)[0] != '/' || /* it is looked for where the process is by then */
           write_roots_are_on_the_way(policy->write_roots, folder) ||
           path_resolve(folder, AT_FDCWD, PATH_FOLLOW_LAST, resolved, &magic) != 0 ||
           write_roots_hold_start(policy->write_roots, resolved);
}

/* The C library believes what it finds in such a file: where a text begins, and that a text which numbers are filled into asks for
   numbers. The name of a domain is part of the path. */
enum verdict check_messages(const struct policy *policy, const struct facts *facts,
                            struct denial *ret_denial)
{
    const struct path_fact *folder = &facts->paths[0];
    bool has_folder = facts->path_count > 0 && folder->text.data != NULL;

    if (facts->path_count > 0 && folder->odd)
        return verdict_deny_odd(ret_denial);
    if (policy->write_roots == NULL ||
        ((facts->name.size == 0 || memchr(facts->name.data, '/', facts->name.size) == NULL) &&
         (!has_folder || !is_open_to_cells(policy, folder->text))))
        return VERDICT_ALLOW;
    verdict_name_subject(ret_denial, has_folder ? folder->text : facts->name);
    return verdict_deny(ret_denial, "ok_dests", "call gettext.translation(), which reads such files in Python",
                        "messages of the C library are not taken from where a cell can write");
}

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76 /* Linux 6.5; glibc leaves it out at first */
#endif

/* Who wants to be told who sends is bound to a name that Linux chooses, as soon as it sends: no event comes. */
static bool asks_for_sender(int option)
{
    return option == SO_PASSCRED || option == SO_PASSSEC || option == SO_PASSPIDFD;
}

/* A filter is handed over by its address. It can be asked for as well, and then comes as long as it is, however little room
   there is: over other objects. Level and name are read as descriptors, where the facts keep two numbers. */
enum verdict check_socket_option(const struct policy *policy, const struct facts *facts,
                                 struct denial *ret_denial)
{
    const struct path_fact *level = &facts->paths[0];
    const struct path_fact *name = &facts->paths[1];
    bool is_known = !level->odd && !name->odd;

    (void)policy;
    if (is_known && level->fd == SOL_SOCKET && asks_for_sender(name->fd))
        return verdict_deny(ret_denial, VERDICT_RING, "leave it out: the other end of a pair is the process itself",
                            "the socket would get a name, which every program can send to");
    if (is_known && (level->fd != SOL_SOCKET || (name->fd != SO_ATTACH_FILTER && name->fd != SO_ATTACH_REUSEPORT_CBPF)))
        return VERDICT_ALLOW;
    return verdict_deny(ret_denial, VERDICT_RING, "leave out what is not wanted when it was received",
                        "the value of this option is the address of memory");
}

/* A number in place of memory is an address, also one of the interpreter's own variables: those of a program that is not moved
   when it starts have addresses that fit. */
static enum verdict deny_address(struct denial *denial)
{
    return verdict_deny(denial, VERDICT_RING, "pass bytes, or an array or a bytearray that is filled",
                        "the system would take this number for the address of memory");
}

static bool takes_number(long command)
{
    static const int commands[] = {F_DUPFD,    F_DUPFD_CLOEXEC, F_GETFD,      F_SETFD,      F_GETFL,     F_SETFL,   F_GETOWN,
                                   F_GETSIG,   F_SETLEASE,      F_GETLEASE,   F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS};

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (command == commands[i])
            return true;
    return false;
}

enum verdict check_fcntl(const struct policy *policy, const struct facts *facts,
                         struct denial *ret_denial)
{
    if (check_link_pair(policy, facts, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    if (facts->number_known && facts->number != F_SETOWN && facts->number != F_SETSIG &&
        facts->number != F_SETOWN_EX && facts->number != F_NOTIFY)
        return !facts->value_is_number || takes_number(facts->number) ? VERDICT_ALLOW : deny_address(ret_denial);
    return verdict_deny(ret_denial, VERDICT_RING, "use locks or threads instead",
                        "cells may not have signals sent by a descriptor");
}

/* Sizes of terminals and how much can be read. Others change devices, and files that are open for
   reading only. */
enum verdict check_ioctl(const struct policy *policy, const struct facts *facts,
                         struct denial *ret_denial)
{
    static const unsigned long asking[] = {TIOCGWINSZ, TCGETS,  FIONREAD,
                                           FIONBIO,    FIOCLEX, FIONCLEX};

    if (check_link_pair(policy, facts, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    for (size_t i = 0; facts->number_known && i < sizeof(asking) / sizeof(asking[0]); i++)
        if ((unsigned long)facts->number == asking[i])
            return !facts->value_is_number || asking[i] == FIOCLEX || asking[i] == FIONCLEX ? VERDICT_ALLOW
                                                                                          : deny_address(ret_denial);
    return verdict_deny(ret_denial, VERDICT_RING, "no policy key allows it inside a cell",
                        "only requests that ask for a size are known to be harmless");
}
