#include "kernel/config/policy_sources.h"

#include "guard/link/buffer.h"

#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>

enum { FILE_BYTES_MAX = 1024 * 1024 };

/* The file need not exist: its folder and name are told apart from what cannot be read. */
static char *absolute(const char *path)
{
    char folder[PATH_MAX];

    if (path[0] == '/' || getcwd(folder, sizeof(folder)) == NULL)
        return xstrdup(path);
    return xasprintf("%s/%s", folder, path);
}

/* Returns a sentence, new, or NULL. */
static char *read_text(const char *path, struct buffer *text)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat about;
    ssize_t size = 1;

    if (fd < 0 || fstat(fd, &about) < 0)
        return xasprintf("cannot be read: %s", strerror(errno));
    if (!S_ISREG(about.st_mode))
        return xstrdup("cannot be read: it is no regular file");
    while (size > 0 && text->size <= FILE_BYTES_MAX) {
        size = read(fd, buffer_reserve(text, FILE_BYTES_MAX + 1), FILE_BYTES_MAX + 1);
        if (size < 0)
            return xasprintf("cannot be read: %s", strerror(errno));
        buffer_commit(text, (size_t)size);
    }
    if (text->size > FILE_BYTES_MAX)
        return xstrdup("is longer than 1 MB");
    if (text->size > 0 && memchr(text->data, '\0', text->size) != NULL)
        return xstrdup("is no text: it holds a NUL byte");
    return NULL;
}

static void add(struct policy_sources *sources, const char *kind, const char *path)
{
    struct policy_source *source = &sources->items[sources->count++];
    struct buffer text = BUFFER_NONE;

    source->kind = kind;
    source->path = absolute(path);
    source->problem = read_text(path, &text);
    if (source->problem != NULL)
        buffer_clear(&text, 0);
    source->text = buffer_steal_string(&text);
}

/* What nobody named may be missing. Nothing else is taken for missing. */
static void add_if_there(struct policy_sources *sources, const char *kind, const char *path)
{
    struct stat about;

    if (stat(path, &about) == 0 || (errno != ENOENT && errno != ENOTDIR))
        add(sources, kind, path);
}

char *policy_sources_user_folder(void)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    if (config != NULL && config[0] == '/')
        return xasprintf("%s/safepyrun", config);
    if (home == NULL || home[0] != '/') {
        const struct passwd *entry = getpwuid(getuid());

        home = entry != NULL ? entry->pw_dir : NULL;
    }
    return home != NULL ? xasprintf("%s/.config/safepyrun", home) : NULL;
}

/* New; NULL when there is no place for one. */
static char *users_own_file(void)
{
    cleanup_free char *folder = policy_sources_user_folder();

    return folder != NULL ? xasprintf("%s/policy.toml", folder) : NULL;
}

void policy_sources_read(const char *argument, struct policy_sources *ret_sources)
{
    cleanup_free char *own = users_own_file();
    const char *named = getenv("SAFEPYRUN_POLICY");

    *ret_sources = (struct policy_sources){.count = 0};
    if (own != NULL)
        add_if_there(ret_sources, "user", own);
    add_if_there(ret_sources, "project", POLICY_PROJECT_FILE);
    if (named != NULL && named[0] != '\0')
        add(ret_sources, "environment", named);
    if (argument != NULL)
        add(ret_sources, "argument", argument);
}

/* What only one's own file may say is right there. */
static bool is_users_own(const char *path)
{
    cleanup_free char *own = users_own_file();
    struct stat about;
    struct stat about_own;

    return own != NULL && stat(own, &about_own) == 0 && stat(path, &about) == 0 &&
           about.st_dev == about_own.st_dev && about.st_ino == about_own.st_ino;
}

void policy_sources_read_one(const char *path, struct policy_sources *ret_sources)
{
    *ret_sources = (struct policy_sources){.count = 0};
    add(ret_sources, is_users_own(path) ? "user" : "argument", path);
}

void policy_sources_of_text(const char *name, char *text, struct policy_sources *ret_sources)
{
    *ret_sources = (struct policy_sources){.count = 1};
    ret_sources->items[0] =
        (struct policy_source){.kind = "argument", .path = xstrdup(name), .text = text};
}

void policy_sources_finish(struct policy_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        free(sources->items[i].path);
        free(sources->items[i].text);
        free(sources->items[i].problem);
    }
    sources->count = 0;
}

const char *policy_sources_problem(const struct policy_sources *sources, const char *kind)
{
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->items[i].kind, kind) == 0)
            return sources->items[i].problem;
    return NULL;
}

size_t policy_sources_parts(const struct policy_sources *sources,
                            struct bytes ret_parts[POLICY_SOURCES_MAX * POLICY_SOURCE_PARTS])
{
    struct bytes *part = ret_parts;

    for (size_t i = 0; i < sources->count; i++) {
        const struct policy_source *source = &sources->items[i];

        *part++ = bytes_of_string(source->kind);
        *part++ = bytes_of_string(source->path);
        *part++ = bytes_of_string(source->text);
        *part++ = bytes_of_string(source->problem != NULL ? source->problem : "");
    }
    return (size_t)(part - ret_parts);
}
