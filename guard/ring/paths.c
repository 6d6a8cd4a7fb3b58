#include "guard/ring/paths.h"

#include <sys/stat.h>

/* With the folders above it, as far as they are missing. What cannot be made is no root. */
static void make_folder(const char *path)
{
    cleanup_free char *part = xstrdup(path);

    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0777);
        *slash = '/';
    }
    mkdir(part, 0777);
}

bool ring_path_is_below(const char *path, const char *folder)
{
    size_t size = strlen(folder);

    return strcmp(folder, "/") == 0 ||
           (strncmp(path, folder, size) == 0 && (path[size] == '\0' || path[size] == '/'));
}

bool ring_path_is_in(const char *path, const struct string_list *folders)
{
    for (size_t i = 0; i < folders->count; i++)
        if (ring_path_is_below(path, folders->items[i]))
            return true;
    return false;
}

static void add_existing(struct string_list *list, const char *path)
{
    struct stat about;

    if (lstat(path, &about) == 0 && !string_list_has(list, path))
        string_list_add(list, path);
}

static void add_roots(struct ring_paths *paths, const struct write_roots *roots)
{
    for (size_t i = 0; i < write_roots_count(roots); i++) {
        const char *path = write_roots_at(roots, i);

        if (access(path, F_OK) != 0)
            make_folder(path);
        add_existing(&paths->roots, path);
    }
}

/* Only what is there: the names of `protect` in the root itself, not in every folder below. */
static void add_read_only(struct ring_paths *paths, const struct policy *policy)
{
    for (size_t i = 0; i < write_roots_excluded_count(policy->write_roots); i++) {
        const char *path = write_roots_excluded_at(policy->write_roots, i);

        if (ring_path_is_in(path, &paths->roots))
            add_existing(&paths->read_only, path);
    }
    for (size_t i = 0; i < paths->roots.count; i++) {
        for (size_t j = 0; j < policy->protect.count; j++) {
            const char *root = paths->roots.items[i];
            cleanup_free char *path = xasprintf("%s/%s", strcmp(root, "/") == 0 ? "" : root,
                                                policy->protect.items[j]);

            add_existing(&paths->read_only, path);
        }
    }
}

static void add_all(struct string_list *list, const struct write_roots *roots)
{
    for (size_t i = 0; i < write_roots_count(roots); i++)
        add_existing(list, write_roots_at(roots, i));
}

/* "/proc/self" was resolved to a number, which a forked copy would not have. */
static void add_readable(struct string_list *list, const struct write_roots *roots)
{
    for (size_t i = 0; i < write_roots_count(roots); i++) {
        const char *path = write_roots_at(roots, i);
        bool is_process = strncmp(path, "/proc/", 6) == 0 && path[6] >= '0' && path[6] <= '9';

        add_existing(list, is_process ? "/proc" : path);
    }
}

void ring_paths_init(struct ring_paths *paths, const struct policy *policy)
{
    *paths = (struct ring_paths){.guards_writes = policy->write_roots != NULL,
                                 .guards_reads = policy->read_allowed != NULL,
                                 .memory_mb = policy->limits.memory_limit_mb};
    if (policy->write_roots != NULL) {
        add_roots(paths, policy->write_roots);
        add_read_only(paths, policy);
    }
    if (policy->read_denied != NULL)
        add_all(&paths->denied, policy->read_denied);
    if (policy->read_allowed != NULL)
        add_readable(&paths->readable, policy->read_allowed);
}

void ring_paths_open(struct ring_paths *paths)
{
    ring_paths_finish(paths);
    *paths = (struct ring_paths){.guards_writes = false, .memory_mb = paths->memory_mb};
}

void ring_paths_finish(struct ring_paths *paths)
{
    string_list_finish(&paths->roots);
    string_list_finish(&paths->read_only);
    string_list_finish(&paths->denied);
    string_list_finish(&paths->readable);
}
