#include "kernel/supervisor/template_key.h"

#include "guard/link/buffer.h"
#include "guard/policy/env_names.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* A name that ends with "*" stands for all that begin so. */
static const char *const variables[] = {
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_*", "TZ", "VIRTUAL_ENV", "CONDA_PREFIX",
    "XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_CONFIG_HOME", "LD_*", "MALLOC_*", "GLIBC_*", "PYTHON*",
    "IPYTHON_*", "TRAITLETS_*",
    "OMP_*", "OPENBLAS_*", "GOTO_*", "MKL_*", "BLIS_*", "NUMEXPR_*", "KMP_*", "GOMP_*", "NUMBA_*",
    "NPY_*", "NUMPY_*", "SCIPY_*", "PANDAS_*", "SKLEARN_*", "CUDA_*", "MPL*", "MATPLOTLIBRC"};

static bool matches(const char *name, size_t size, const char *pattern)
{
    size_t length = strlen(pattern);

    if (pattern[length - 1] == '*')
        return size >= length - 1 && memcmp(name, pattern, length - 1) == 0;
    return size == length && memcmp(name, pattern, size) == 0;
}

bool template_key_has_variable(const char *entry)
{
    const char *equals = strchr(entry, '=');
    cleanup_free char *name = equals != NULL ? xstrndup(entry, (size_t)(equals - entry)) : NULL;

    for (size_t i = 0; name != NULL && i < sizeof(variables) / sizeof(variables[0]); i++)
        if (matches(name, strlen(name), variables[i]))
            return !env_names_look_secret(name, equals + 1);
    return false;
}

static void add_line(struct buffer *text, const char *name, const char *value)
{
    buffer_append_format(text, "%s %zu ", name, strlen(value));
    buffer_append_string(text, value);
    buffer_append_char(text, '\n');
}

static int compare(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* The order in which they were set is nothing to a library. */
static void add_variables(struct buffer *text)
{
    size_t count = 0;
    cleanup_free const char **found = NULL;

    for (char **item = environ; *item != NULL; item++) {
        if (!template_key_has_variable(*item))
            continue;
        found = xrealloc(found, (count + 1) * sizeof(*found));
        found[count++] = *item;
    }
    if (count > 0)
        qsort(found, count, sizeof(*found), compare);
    for (size_t i = 0; i < count; i++)
        add_line(text, "variable", found[i]);
}

static void add_file_of_process(struct buffer *text, const char *name)
{
    char path[64];
    cleanup_file FILE *file = NULL;
    char *to;

    snprintf(path, sizeof(path), "/proc/self/%s", name);
    file = fopen(path, "re");
    buffer_append_string(text, name);
    to = buffer_reserve(text, 8192);
    if (file != NULL)
        buffer_commit(text, fread(to, 1, 8192, file));
}

static void add_link_of_process(struct buffer *text, const char *name)
{
    char path[64];
    char target[PATH_MAX];
    ssize_t size;

    snprintf(path, sizeof(path), "/proc/self/%s", name);
    size = readlink(path, target, sizeof(target) - 1);
    target[size > 0 ? size : 0] = '\0';
    add_line(text, name, target);
}

/* Rights and processors; the rest of the file changes all the time. */
static void add_status(struct buffer *text)
{
    static const char *const wanted[] = {"Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:", "Seccomp:",
                                         "Cpus_allowed:", "Mems_allowed:"};
    cleanup_file FILE *file = fopen("/proc/self/status", "re");
    char line[4096];

    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
            if (strncmp(line, wanted[i], strlen(wanted[i])) == 0)
                add_line(text, "status", line);
}

static void add_process(struct buffer *text)
{
    static const char *const spaces[] = {"ns/mnt", "ns/pid", "ns/pid_for_children", "ns/net", "ns/user",
                                         "ns/ipc", "ns/uts", "ns/cgroup", "ns/time", "root"};
    static const char *const files[] = {"cgroup", "limits", "oom_score_adj", "attr/current"};
    char nice[16];

    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
        add_link_of_process(text, spaces[i]);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        add_file_of_process(text, files[i]);
    add_status(text);
    snprintf(nice, sizeof(nice), "%d", getpriority(PRIO_PROCESS, 0));
    add_line(text, "nice", nice);
}

/* A program that was replaced has another inode, time or size. */
static void add_program(struct buffer *text, const char *path)
{
    struct stat status = {0};

    stat(path, &status);
    add_line(text, "program", path);
    buffer_append_format(text, "%ju %ju %jd.%ld\n", (uintmax_t)status.st_ino, (uintmax_t)status.st_size,
                         (intmax_t)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

static uint64_t fnv1a(uint64_t hash, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

char *template_key_digest(const char *data, unsigned long size)
{
    uint64_t one = fnv1a(UINT64_C(0xcbf29ce484222325), data, size);
    uint64_t other = fnv1a(one ^ UINT64_C(0x9e3779b97f4a7c15), data, size);

    return xasprintf("%016jx%016jx", (uintmax_t)one, (uintmax_t)other);
}

char *template_key_path(const struct template_kind_of *kind)
{
    cleanup_buffer struct buffer text = BUFFER_NONE;
    cleanup_free char *start = xasprintf("%s/safepyrun/_start.py", kind->package);
    cleanup_free char *module = xasprintf("%s/safepyrun/_guard.abi3.so", kind->package);
    cleanup_free char *digest = NULL;

    add_line(&text, "version", SAFEPYRUN_VERSION);
    add_program(&text, kind->program);
    add_program(&text, kind->python);
    add_program(&text, start);
    add_program(&text, module);
    add_line(&text, "shell", kind->shell);
    add_line(&text, "imports", kind->imports);
    add_variables(&text);
    add_process(&text);
    digest = template_key_digest(text.data, text.size);
    return xasprintf("%s/%s.s", kind->folder, digest);
}
