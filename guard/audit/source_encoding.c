#include "guard/audit/source_encoding.h"

#include <ctype.h>

enum { LINES_LOOKED_AT = 2, NAME_MAX_BYTES = 32 };

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

static bool begins_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* As it is compared: small letters and hyphens. Endings ("latin-1-unix") count for these three alone. */
static bool is_built_in(const char *name)
{
    static const char *const exact[] = {"utf-8", "utf8", "ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1", "iso8859-1", "iso-latin-1"};

    for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
        if (strcmp(name, exact[i]) == 0)
            return true;
    return begins_with(name, "utf-8-") || begins_with(name, "latin-1-") || begins_with(name, "iso-8859-1-") ||
           begins_with(name, "iso-latin-1-");
}

static bool is_harmless_name(const char *at, const char *end)
{
    char name[NAME_MAX_BYTES];
    size_t size = 0;

    for (; at < end && is_of_name(*at); at++) {
        if (size + 1 == sizeof(name))
            return false;
        name[size++] = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
    }
    name[size] = '\0';
    return size == 0 || is_built_in(name);
}

/* "# … coding: name" and nothing but a comment. All such words are looked at, though the first one decides. */
static bool is_harmless_line(const char *at, const char *end)
{
    static const char word[] = "coding";
    const size_t length = sizeof(word) - 1;

    while (at < end && (*at == ' ' || *at == '\t' || *at == '\f'))
        at++;
    if (at == end || *at != '#')
        return true;
    for (; (size_t)(end - at) > length; at++) {
        const char *name = at + length + 1;

        if (memcmp(at, word, length) != 0 || (at[length] != ':' && at[length] != '='))
            continue;
        while (name < end && (*name == ' ' || *name == '\t'))
            name++;
        if (!is_harmless_name(name, end))
            return false;
    }
    return true;
}

bool source_encoding_is_built_in(struct bytes source)
{
    static const unsigned char mark[] = {0xEF, 0xBB, 0xBF};
    const char *at = source.data;
    const char *end = at + source.size;

    if (source.size >= sizeof(mark) && memcmp(at, mark, sizeof(mark)) == 0)
        at += sizeof(mark);
    for (unsigned i = 0; i < LINES_LOOKED_AT; i++) {
        const char *line = at;

        while (at < end && *at != '\n' && *at != '\r')
            at++;
        if (!is_harmless_line(line, at))
            return false;
        if (at < end && *at == '\r' && at + 1 < end && at[1] == '\n')
            at++;
        at += at < end;
    }
    return true;
}
