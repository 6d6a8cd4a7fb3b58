#include "guard/policy/write_roots.h"

#include "guard/link/buffer.h"

#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

struct write_root {
    char *written;  /* for messages */
    char *resolved; /* absolute; for a dynamic root, where it was when the roots were made */
    bool dynamic;   /* written as ".": the current directory at the time of the question */
};

struct write_roots {
    struct write_root *items;
    size_t count;
    struct string_list protect;  /* names */
    struct string_list excluded; /* absolute, resolved */
    bool stay;                   /* "." counts below where it was at the start only */
};

/* "~" and "~/x" as a shell means them. The password database counts, where HOME says nothing. */
char *write_roots_expand_home(const char *path)
{
    const char *home;

    if (path[0] != '~' || (path[1] != '/' && path[1] != '\0'))
        return xstrdup(path);
    home = getenv("HOME");
    if (home == NULL || home[0] != '/') {
        const struct passwd *entry = getpwuid(getuid());

        home = entry != NULL ? entry->pw_dir : "/nonexistent";
    }
    return xasprintf("%s%s", home, path + 1);
}

static void add_root(struct write_roots *roots, const char *written, struct path_notes *notes)
{
    cleanup_free char *expanded = write_roots_expand_home(written);
    char resolved[PATH_MAX];
    bool magic;
    struct write_root *root;

    /* A root that cannot be resolved (too long, a loop of links) covers nothing. */
    if (path_resolve_noting(bytes_of_string(expanded), notes, resolved, &magic) != 0)
        return;
    roots->items = xrealloc(roots->items, (roots->count + 1) * sizeof(*roots->items));
    root = &roots->items[roots->count++];
    root->written = xstrdup(written);
    root->resolved = xstrdup(resolved);
    root->dynamic = strcmp(written, ".") == 0;
}

struct write_roots *write_roots_new(const struct string_list *paths)
{
    struct write_roots *roots = xcalloc(1, sizeof(*roots));
    struct path_notes notes = {.links = NULL};

    for (size_t i = 0; i < paths->count; i++)
        add_root(roots, paths->items[i], &notes);
    return roots;
}

void write_roots_protect(struct write_roots *roots, const struct string_list *names)
{
    string_list_add_all(&roots->protect, names);
}

void write_roots_stay(struct write_roots *roots)
{
    roots->stay = true;
}

void write_roots_exclude(struct write_roots *roots, const struct string_list *paths)
{
    /* Who puts something else in a link's place has changed what the path means. */
    struct path_notes notes = {.links = &roots->excluded};
    char resolved[PATH_MAX];
    bool magic;

    for (size_t i = 0; i < paths->count; i++)
        if (path_resolve_noting(bytes_of_string(paths->items[i]), &notes, resolved, &magic) == 0)
            string_list_add(&roots->excluded, resolved);
}

void write_roots_exclude_links(struct write_roots *roots, const struct string_list *paths)
{
    struct path_notes notes = {.links = &roots->excluded};
    char resolved[PATH_MAX];
    bool magic;

    for (size_t i = 0; i < paths->count; i++) {
        cleanup_free char *expanded = write_roots_expand_home(paths->items[i]);

        path_resolve_noting(bytes_of_string(expanded), &notes, resolved, &magic);
    }
}

static void root_finish(struct write_root *root)
{
    free(root->written);
    free(root->resolved);
}

void write_roots_free(struct write_roots *roots)
{
    if (roots == NULL)
        return;
    for (size_t i = 0; i < roots->count; i++)
        root_finish(&roots->items[i]);
    free(roots->items);
    string_list_finish(&roots->protect);
    string_list_finish(&roots->excluded);
    free(roots);
}

/* What follows the root in the path ("" for the root itself, else "/tail"); NULL when outside. */
static const char *tail_below(const char *root, const char *path)
{
    size_t size = strlen(root);

    if (size == 1) /* "/" */
        return path[1] == '\0' ? "" : path;
    if (strncmp(root, path, size) != 0 || (path[size] != '\0' && path[size] != '/'))
        return NULL;
    return path + size;
}

/* Where a root is now. `current` holds the answer for a dynamic one. */
static const char *root_path(const struct write_roots *roots, const struct write_root *root, char current[PATH_MAX])
{
    if (!root->dynamic)
        return root->resolved;
    if (getcwd(current, PATH_MAX) == NULL || current[0] != '/')
        return NULL;
    for (size_t i = 0; roots->stay && i < roots->count; i++)
        if (tail_below(roots->items[i].resolved, current) != NULL)
            return current;
    return roots->stay ? NULL : current;
}

bool write_roots_exclude_this(const struct write_roots *roots, const char *resolved)
{
    for (size_t i = 0; i < roots->excluded.count; i++)
        if (tail_below(roots->excluded.items[i], resolved) != NULL)
            return true;
    return false;
}

/* A protected name below where the roots were at the start: who steps into .git does not take its name away. */
static bool is_protected(const struct write_roots *roots, const char *path)
{
    for (size_t i = 0; i < roots->count; i++) {
        const char *tail = tail_below(roots->items[i].resolved, path);

        if (tail != NULL && string_list_has_part_of(&roots->protect, tail))
            return true;
    }
    return write_roots_exclude_this(roots, path);
}

/* Inside one root is enough, unless a protected name stands below any of the roots that cover it:
   protection wins, whatever the order of the roots. */
static enum write_roots_answer compare(const struct write_roots *roots, const char *path)
{
    enum write_roots_answer answer = ROOTS_OUTSIDE;
    char current[PATH_MAX];

    for (size_t i = 0; i < roots->count; i++) {
        const char *root = root_path(roots, &roots->items[i], current);
        const char *tail = root != NULL ? tail_below(root, path) : NULL;

        if (tail == NULL)
            continue;
        if (string_list_has_part_of(&roots->protect, tail) || is_protected(roots, path))
            return ROOTS_PROTECTED;
        answer = ROOTS_INSIDE;
    }
    return answer;
}

/* One that swallows or makes data. */
static bool is_harmless_device(const char *path)
{
    static const char *const devices[] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                          "/dev/random", "/dev/urandom", NULL};

    for (size_t i = 0; devices[i] != NULL; i++)
        if (strcmp(path, devices[i]) == 0)
            return true;
    return false;
}

enum write_roots_answer write_roots_ask(const struct write_roots *roots, struct bytes path, int dir_fd,
                                        enum path_follow follow, char ret_resolved[PATH_MAX])
{
    bool magic;

    ret_resolved[0] = '\0';
    if (path_resolve(path, dir_fd, follow, ret_resolved, &magic) != 0)
        return ROOTS_UNRESOLVED;
    if (is_harmless_device(ret_resolved) && !magic)
        return ROOTS_DEVICE;
    if (magic)
        return ROOTS_DESCRIPTOR;
    return compare(roots, ret_resolved);
}

const char *write_roots_covering(const struct write_roots *roots, const char *resolved)
{
    char current[PATH_MAX];

    for (size_t i = 0; i < roots->count; i++) {
        const char *root = root_path(roots, &roots->items[i], current);

        if (root != NULL && tail_below(root, resolved) != NULL)
            return roots->items[i].written;
    }
    return NULL;
}

bool write_roots_cover(const struct write_roots *roots, const char *resolved)
{
    return write_roots_covering(roots, resolved) != NULL;
}

bool write_roots_is_root(const struct write_roots *roots, const char *resolved)
{
    char current[PATH_MAX];

    for (size_t i = 0; i < roots->count; i++) {
        const char *root = root_path(roots, &roots->items[i], current);

        if (root != NULL && strcmp(root, resolved) == 0)
            return true;
    }
    return false;
}

bool write_roots_hold_root(const struct write_roots *roots, const char *resolved)
{
    char current[PATH_MAX];

    for (size_t i = 0; i < roots->count; i++) {
        const char *root = root_path(roots, &roots->items[i], current);

        if (root != NULL && tail_below(resolved, root) != NULL)
            return true;
    }
    return false;
}

bool write_roots_hold_excluded(const struct write_roots *roots, const char *resolved)
{
    for (size_t i = 0; i < roots->excluded.count; i++)
        if (tail_below(resolved, roots->excluded.items[i]) != NULL)
            return true;
    return false;
}

bool write_roots_names_protected(const struct write_roots *roots, const char *resolved)
{
    return string_list_has_part_of(&roots->protect, resolved);
}

bool write_roots_cover_start(const struct write_roots *roots, const char *resolved)
{
    for (size_t i = 0; i < roots->count; i++)
        if (tail_below(roots->items[i].resolved, resolved) != NULL)
            return true;
    return write_roots_cover(roots, resolved);
}

bool write_roots_hold_start(const struct write_roots *roots, const char *resolved)
{
    for (size_t i = 0; i < roots->count; i++)
        if (tail_below(resolved, roots->items[i].resolved) != NULL)
            return true;
    return write_roots_hold_root(roots, resolved);
}

size_t write_roots_count(const struct write_roots *roots)
{
    return roots->count;
}

const char *write_roots_at(const struct write_roots *roots, size_t index)
{
    return roots->items[index].resolved;
}

size_t write_roots_excluded_count(const struct write_roots *roots)
{
    return roots->excluded.count;
}

const char *write_roots_excluded_at(const struct write_roots *roots, size_t index)
{
    return roots->excluded.items[index];
}

/* "." moves only below where it was at the start, so that place stands for all it has been. */
bool write_roots_ever_cover(const struct write_roots *roots, const char *resolved)
{
    bool covered = false;

    if (is_protected(roots, resolved))
        return false;
    for (size_t i = 0; i < roots->count; i++)
        covered |= tail_below(roots->items[i].resolved, resolved) != NULL;
    return covered || compare(roots, resolved) == ROOTS_INSIDE;
}

static bool is_reached_over_link_in(const struct write_roots *writable, const struct write_root *root)
{
    cleanup_free char *expanded = write_roots_expand_home(root->written);
    struct string_list links = {NULL, 0};
    struct path_notes notes = {.links = &links};
    char resolved[PATH_MAX];
    bool magic;
    bool found = false;

    path_resolve_noting(bytes_of_string(expanded), &notes, resolved, &magic);
    for (size_t i = 0; !found && i < links.count; i++)
        found = write_roots_ever_cover(writable, links.items[i]);
    string_list_finish(&links);
    return found;
}

void write_roots_drop_redirected(struct write_roots *roots, const struct write_roots *writable)
{
    size_t kept = 0;
    bool *drops = xcalloc(roots->count + 1, sizeof(*drops));

    for (size_t i = 0; i < roots->count; i++) /* before any goes: they may be the same roots */
        drops[i] = is_reached_over_link_in(writable, &roots->items[i]);
    for (size_t i = 0; i < roots->count; i++) {
        if (drops[i])
            root_finish(&roots->items[i]);
        else
            roots->items[kept++] = roots->items[i];
    }
    roots->count = kept;
    free(drops);
}

bool write_roots_are_on_the_way(const struct write_roots *roots, struct bytes path)
{
    struct string_list places = {NULL, 0};
    struct path_notes notes = {.places = &places};
    char resolved[PATH_MAX];
    bool magic;
    bool found = path_resolve_noting(path, &notes, resolved, &magic) != 0 || magic ||
                 write_roots_ever_cover(roots, resolved);

    /* A folder above installed packages stays where it is, also inside a root. */
    for (size_t i = 0; !found && i < places.count; i++)
        found = write_roots_ever_cover(roots, places.items[i]) && !write_roots_hold_excluded(roots, places.items[i]);
    string_list_finish(&places);
    return found;
}

bool write_roots_here_is_gone(void)
{
    char here[PATH_MAX];

    return getcwd(here, sizeof(here)) == NULL || here[0] != '/';
}

void write_roots_describe(const struct write_roots *roots, char *text, size_t size)
{
    static const char gone[] = " (a folder that is gone)";
    size_t used = 0;

    if (size == 0)
        return;
    text[0] = '\0';
    for (size_t i = 0; i < roots->count && used < size; i++) {
        const struct write_root *root = &roots->items[i];
        int written =
            snprintf(text + used, size - used, "%s'%s'%s", used > 0 ? ", " : "", root->written,
                     root->dynamic && write_roots_here_is_gone() ? gone : "");

        if (written < 0)
            return;
        used += (size_t)written;
    }
}
