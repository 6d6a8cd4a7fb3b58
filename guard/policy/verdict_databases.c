/* Databases are files with other names: dbm adds an ending, SQLite takes URIs and names in statements. */
#include "guard/policy/verdict_parts.h"

#include "guard/policy/read_rules.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* SQLite and ndbm open their files themselves, to read and to write: no other event comes. */
static bool nothing_is_guarded(const struct policy *policy)
{
    return policy->write_roots == NULL && !read_rules_exist(policy);
}

static enum verdict judge_file(const struct policy *policy, const struct path_fact *path, struct bytes name,
                               struct denial *denial)
{
    struct facts file = {.path_count = 1, .paths = {*path}};

    file.paths[0].text = name;
    if (policy->write_roots != NULL &&
        verdict_judge_path(policy, &file.paths[0], false, false, denial) == VERDICT_DENY)
        return VERDICT_DENY;
    return check_read(policy, &file, denial);
}

/* ndbm adds an ending of its own, and follows the link that stands there. */
enum verdict check_dbm(const struct policy *policy, const struct facts *facts,
                       struct denial *ret_denial)
{
    static const char *const endings[] = {"", ".db", ".dir", ".pag"};
    const struct path_fact *path = &facts->paths[0];
    char name[PATH_MAX];

    if (nothing_is_guarded(policy))
        return VERDICT_ALLOW;
    if (path->odd || facts->path_count == 0 || path->text.data == NULL)
        return verdict_deny_odd(ret_denial);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        int size = snprintf(name, sizeof(name), "%.*s%s", (int)path->text.size,
                            (const char *)path->text.data, endings[i]);

        if (size >= (int)sizeof(name))
            return verdict_deny_odd(ret_denial);
        if (judge_file(policy, path, (struct bytes){name, (size_t)size}, ret_denial) == VERDICT_DENY)
            return VERDICT_DENY;
    }
    return VERDICT_ALLOW;
}

enum verdict check_pragma(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    static const char *const folders[] = {"temp_store_directory", "data_store_directory"};

    (void)policy;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        if (facts->name.size == strlen(folders[i]) &&
            strncasecmp(facts->name.data, folders[i], facts->name.size) == 0)
            return verdict_deny(ret_denial, VERDICT_RING, "leave it where it is",
                                "SQLite would write files there, in a folder that nobody checks");
    return VERDICT_ALLOW;
}

/* fts3_tokenizer() takes the address of a function, and tells that of another. */
enum verdict check_sqlite_function(const struct policy *policy, const struct facts *facts,
                                   struct denial *ret_denial)
{
    static const char *const refused[] = {"fts3_tokenizer", "load_extension"};

    (void)policy;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (facts->name.size != strlen(refused[i]) ||
            strncasecmp(facts->name.data, refused[i], facts->name.size) != 0)
            continue;
        verdict_name_subject(ret_denial, facts->name);
        return verdict_deny(ret_denial, VERDICT_RING, "use the tokenizers that SQLite has",
                            "this function brings native code into SQLite");
    }
    return VERDICT_ALLOW;
}

/* Connection.setconfig() of Python 3.12: numbers of sqlite3.h, SQLITE_DBCONFIG_*. */
enum verdict check_sqlite_setting(const struct policy *policy, const struct facts *facts,
                                  struct denial *ret_denial)
{
    static const long harmless[] = {1002, 1003, 1007, 1008, 1009, 1012, 1013, 1014, 1015, 1016};

    (void)policy;
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (facts->number_known && facts->number == harmless[i])
            return VERDICT_ALLOW;
    return verdict_deny(ret_denial, VERDICT_RING, "leave it as it is",
                        "this setting would let native code into SQLite, or its schema be written");
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

            /* As SQLite reads it: two digits. It takes any other sign as it stands; nobody needs
             * that. */
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
    const struct path_fact *path = &facts->paths[0];
    char from_uri[PATH_MAX];

    if (nothing_is_guarded(policy))
        return VERDICT_ALLOW;
    if (path->odd || facts->path_count == 0 || path->fd >= 0)
        return verdict_deny_odd(ret_denial);
    /* "" is a temporary database of the connection's own. */
    if (path->text.size == 0 || bytes_equal_string(path->text, ":memory:"))
        return VERDICT_ALLOW;
    if (path->text.size >= 5 && strncmp(path->text.data, "file:", 5) == 0) {
        /* Without uri=True it is a file of this name; so both readings have to be inside. */
        if (!sqlite_uri_path(path->text, from_uri))
            return verdict_deny(ret_denial, VERDICT_RING, "use a plain path",
                                "the file: URI cannot be resolved");
        if (from_uri[0] != '\0' && strcmp(from_uri, ":memory:") != 0 &&
            judge_file(policy, path, bytes_of_string(from_uri), ret_denial) == VERDICT_DENY)
            return VERDICT_DENY;
    }
    return judge_file(policy, path, path->text, ret_denial);
}

enum verdict check_attach(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    if (!nothing_is_guarded(policy) && facts->paths[0].text.data == NULL)
        return verdict_deny(ret_denial, VERDICT_RING,
                            "write the name into the statement, as 'file.db'",
                            "SQLite does not say which file an expression or a parameter names");
    return check_sqlite(policy, facts, ret_denial);
}
