#include "guard/policy/policy_line.h"

#include "guard/link/bytes.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 512, DEPTH_MAX = 64, NO_ITEM = -1 };

struct scan {
    const char *at;
    unsigned line;
    unsigned depth;
    const char *key; /* what is looked for */
    long item;       /* of its array, or NO_ITEM */
    unsigned found;
    unsigned found_item;
};

static void step(struct scan *scan)
{
    if (*scan->at == '\n')
        scan->line++;
    if (*scan->at != '\0')
        scan->at++;
}

static void skip_blanks(struct scan *scan)
{
    while (*scan->at == ' ' || *scan->at == '\t')
        scan->at++;
}

/* Blanks, ends of lines, comments. */
static void skip_space(struct scan *scan)
{
    for (;;) {
        skip_blanks(scan);
        if (*scan->at == '#')
            scan->at += strcspn(scan->at, "\n");
        if (*scan->at != '\n' && *scan->at != '\r')
            return;
        step(scan);
    }
}

static void skip_long_string(struct scan *scan, char quote)
{
    const char end[] = {quote, quote, quote, '\0'};

    scan->at += 3;
    while (*scan->at != '\0' && strncmp(scan->at, end, 3) != 0) {
        if (*scan->at == '\\' && quote == '"')
            step(scan);
        step(scan);
    }
    while (*scan->at == quote) /* up to two may stand in front of the end */
        scan->at++;
}

static void skip_string(struct scan *scan)
{
    char quote = *scan->at;

    if (scan->at[1] == quote && scan->at[2] == quote) {
        skip_long_string(scan, quote);
        return;
    }
    scan->at++;
    while (*scan->at != quote && *scan->at != '\0' && *scan->at != '\n') {
        if (*scan->at == '\\' && quote == '"')
            step(scan);
        step(scan);
    }
    if (*scan->at == quote)
        scan->at++;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* One part of a key, as it stands, without its quotes. */
static struct bytes read_part(struct scan *scan)
{
    const char *start = scan->at;
    struct bytes part;

    if (*start == '"' || *start == '\'') {
        skip_string(scan);
        if (scan->at - start < 2)
            return BYTES_NONE;
        return (struct bytes){start + 1, (size_t)(scan->at - start) - 2};
    }
    while (isalnum((unsigned char)*scan->at) || *scan->at == '_' || *scan->at == '-')
        scan->at++;
    part = (struct bytes){start, (size_t)(scan->at - start)};
    return part;
}

/* Appends ".part" to the path; what does not fit is nothing that is looked for. */
static void add_part(char path[PATH_BYTES], struct bytes part)
{
    size_t size = strlen(path);
    bool quoted = part.size == 0 || memchr(part.data, '.', part.size) != NULL;

    snprintf(path + size, PATH_BYTES - size, "%s%s%.*s%s", size > 0 ? "." : "", quoted ? "\"" : "",
             (int)part.size, part.data != NULL ? (const char *)part.data : "", quoted ? "\"" : "");
}

static void read_key(struct scan *scan, char path[PATH_BYTES])
{
    for (;;) {
        skip_blanks(scan);
        add_part(path, read_part(scan));
        skip_blanks(scan);
        if (*scan->at != '.')
            return;
        scan->at++;
    }
}

static void note(struct scan *scan, const char *path, unsigned line)
{
    size_t size = strlen(scan->key);

    if (scan->found == 0 && strncmp(path, scan->key, size) == 0 &&
        (path[size] == '\0' || path[size] == '.'))
        scan->found = line;
}

/* ---- values ---------------------------------------------------------------------------------- */

static void skip_value(struct scan *scan, const char *path);

static void skip_array(struct scan *scan, const char *path)
{
    bool is_it = scan->item != NO_ITEM && strcmp(path, scan->key) == 0;

    scan->at++;
    for (long item = 0;; item++) {
        skip_space(scan);
        if (*scan->at == ']' || *scan->at == '\0')
            break;
        if (is_it && item == scan->item)
            scan->found_item = scan->line;
        skip_value(scan, "");
        skip_space(scan);
        if (*scan->at != ',')
            break;
        scan->at++;
    }
    if (*scan->at == ']')
        scan->at++;
}

static void read_pair(struct scan *scan, const char *table)
{
    char path[PATH_BYTES];
    unsigned line = scan->line;

    snprintf(path, sizeof(path), "%s", table);
    read_key(scan, path);
    note(scan, path, line);
    if (*scan->at != '=') {
        scan->at += strlen(scan->at); /* no TOML: nothing that follows can be trusted */
        return;
    }
    scan->at++;
    skip_blanks(scan);
    skip_value(scan, path);
}

static void skip_inline_table(struct scan *scan, const char *path)
{
    scan->at++;
    for (;;) {
        skip_space(scan);
        if (*scan->at == '}' || *scan->at == '\0')
            break;
        read_pair(scan, path);
        skip_space(scan);
        if (*scan->at == ',')
            scan->at++;
        else
            break;
    }
    if (*scan->at == '}')
        scan->at++;
}

static void skip_value(struct scan *scan, const char *path)
{
    if (++scan->depth > DEPTH_MAX)
        scan->at += strlen(scan->at);
    if (*scan->at == '"' || *scan->at == '\'')
        skip_string(scan);
    else if (*scan->at == '[')
        skip_array(scan, path);
    else if (*scan->at == '{')
        skip_inline_table(scan, path);
    else
        scan->at += strcspn(scan->at, ",]}#\n");
    scan->depth--;
}

/* ---- the file -------------------------------------------------------------------------------- */

/* [env], [[env]] */
static void read_header(struct scan *scan, char table[PATH_BYTES])
{
    unsigned line = scan->line;

    scan->at += strspn(scan->at, "[");
    table[0] = '\0';
    read_key(scan, table);
    note(scan, table, line);
    scan->at += strspn(scan->at, "]");
}

static unsigned look(struct scan *scan)
{
    char table[PATH_BYTES] = "";

    for (skip_space(scan); *scan->at != '\0'; skip_space(scan)) {
        if (*scan->at == '[')
            read_header(scan, table);
        else
            read_pair(scan, table);
    }
    return scan->found_item != 0 ? scan->found_item : scan->found;
}

unsigned policy_line_find(const char *text, const char *key)
{
    return look(&(struct scan){.at = text, .line = 1, .key = key, .item = NO_ITEM});
}

unsigned policy_line_of_item(const char *text, const char *key, size_t item)
{
    return look(&(struct scan){.at = text, .line = 1, .key = key, .item = (long)item});
}
