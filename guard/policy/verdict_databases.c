/* Databases are files with other names: dbm adds an ending, SQLite takes URIs and names in statements. */
#include "guard/policy/verdict_parts.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* ndbm adds an ending of its own, and follows the link that stands there. */
enum verdict check_dbm(const struct policy *policy, const struct facts *facts,
                       struct denial *ret_denial)
{
    static const char *const endings[] = {"", ".db", ".dir", ".pag"};
    struct path_fact path = facts->paths[0];
    char name[PATH_MAX];

    if (policy->write_roots == NULL)
        return VERDICT_ALLOW;
    if (path.odd || facts->path_count == 0 || path.text.data == NULL)
        return verdict_deny_odd(ret_denial);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        int size = snprintf(name, sizeof(name), "%.*s%s", (int)path.text.size,
                            (const char *)path.text.data, endings[i]);
        struct path_fact file = path;

        if (size >= (int)sizeof(name))
            return verdict_deny_odd(ret_denial);
        file.text = (struct bytes){name, (size_t)size};
        if (verdict_judge_path(policy, &file, false, false, ret_denial) == VERDICT_DENY)
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
    struct path_fact path = facts->paths[0];
    char from_uri[PATH_MAX];

    if (policy->write_roots == NULL)
        return check_read(policy, facts, ret_denial);
    if (path.odd || facts->path_count == 0 || path.fd >= 0)
        return verdict_deny_odd(ret_denial);
    /* "" is a temporary database of the connection's own. */
    if (path.text.size == 0 || bytes_equal_string(path.text, ":memory:"))
        return VERDICT_ALLOW;
    if (path.text.size >= 5 && strncmp(path.text.data, "file:", 5) == 0) {
        /* Without uri=True it is a file of this name; so both readings have to be inside. */
        if (!sqlite_uri_path(path.text, from_uri))
            return verdict_deny(ret_denial, VERDICT_RING, "use a plain path",
                                "the file: URI cannot be resolved");
        if (from_uri[0] != '\0' && strcmp(from_uri, ":memory:") != 0) {
            path.text = bytes_of_string(from_uri);
            if (verdict_judge_path(policy, &path, false, false, ret_denial) == VERDICT_DENY)
                return VERDICT_DENY;
        }
        path.text = facts->paths[0].text;
    }
    if (verdict_judge_path(policy, &path, false, false, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    return check_read(policy, facts, ret_denial);
}

enum verdict check_attach(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    if (policy->write_roots != NULL && facts->paths[0].text.data == NULL)
        return verdict_deny(ret_denial, VERDICT_RING,
                            "write the name into the statement, as 'file.db'",
                            "SQLite does not say which file an expression or a parameter names");
    return check_sqlite(policy, facts, ret_denial);
}
