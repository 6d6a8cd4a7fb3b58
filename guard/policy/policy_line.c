#include "guard/policy/policy_line.h"

#include "guard/link/buffer.h"

#include <string.h>

/* `name`, "name" or 'name' at the start, and then an end of it. Returns what follows, or NULL. */
static const char *skip_name(const char *at, const char *name)
{
    size_t size = strlen(name);
    char quote = *at == '"' || *at == '\'' ? *at++ : '\0';

    if (strncmp(at, name, size) != 0)
        return NULL;
    at += size;
    if (quote != '\0' && *at++ != quote)
        return NULL;
    return quote != '\0' || strchr(" \t=.]\n\r", *at) != NULL ? at : NULL;
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* [name] */
static bool is_header(const char *line, const char *name)
{
    const char *after = *line == '[' ? skip_name(skip_blanks(line + 1), name) : NULL;

    return after != NULL && *skip_blanks(after) == ']';
}

/* `env.pass = […]`, or `env = { pass = […] }` */
static bool names_both(const char *at, const char *section, const char *name)
{
    const char *after = skip_name(at, section);

    if (after == NULL)
        return false;
    after = skip_blanks(after);
    return *after == '=' || (*after == '.' && skip_name(skip_blanks(after + 1), name) != NULL);
}

unsigned policy_line_find(const char *text, const char *key)
{
    const char *dot = strchr(key, '.');
    cleanup_free char *section = xstrndup(key, dot != NULL ? (size_t)(dot - key) : 0);
    const char *name = dot != NULL ? dot + 1 : key;
    bool inside = dot == NULL;
    unsigned number = 1;

    for (const char *line = text; line != NULL; number++) {
        const char *at = skip_blanks(line);

        if (*at == '[') {
            if (is_header(at, key))
                return number;
            inside = dot != NULL && is_header(at, section);
        } else if ((inside && skip_name(at, name) != NULL) ||
                   (dot != NULL && !inside && names_both(at, section, name))) {
            return number;
        }
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    return 0;
}
