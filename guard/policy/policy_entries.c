#include "guard/policy/policy_entries.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Letters beyond ASCII are Python's to judge. */
static size_t name_size(const char *text)
{
    size_t size = 0;

    if (text[0] >= '0' && text[0] <= '9')
        return 0;
    while ((text[size] & 0x80) != 0 || text[size] == '_' || (text[size] >= '0' && text[size] <= '9') ||
           (text[size] >= 'a' && text[size] <= 'z') || (text[size] >= 'A' && text[size] <= 'Z'))
        size++;
    return size;
}

static bool is_name(const char *text)
{
    size_t size = name_size(text);

    return size > 0 && text[size] == '\0';
}

static bool is_module(const char *text)
{
    size_t size;

    for (; (size = name_size(text)) > 0; text++) {
        text += size;
        if (*text == '\0')
            return true;
        if (*text != '.')
            return false;
    }
    return false;
}

/* "*" at the end stands for any rest. */
static bool is_variable(const char *text)
{
    const char *star = strchr(text, '*');

    return text[0] != '\0' && strchr(text, '=') == NULL && (star == NULL || star[1] == '\0');
}

static bool is_host_and_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    long port;

    if (colon == NULL || colon == text || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || strpbrk(text, " /@\t\r\n") != NULL)
        return false;
    port = strtol(colon + 1, NULL, 10);
    return port >= 1 && port <= 65535;
}

/* "~name" is not looked up, and no folder of that name is meant either. */
static bool is_path(const char *text)
{
    return text[0] != '~' || text[1] == '/' || text[1] == '\0';
}

/* "!" takes one off, "!*" all. */
static bool is_denial(const char *text)
{
    text += strspn(text, "!");
    return text[0] != '\0' && is_path(text);
}

/* Compared with each component below a write root. */
static bool is_component(const char *text)
{
    return is_denial(text) && strchr(text, '/') == NULL;
}

static const struct {
    const char *key;
    bool (*is_good)(const char *text);
} rows[] = {
    {"ok_dests", is_path},           {"read_roots", is_path},         {"setup.files", is_path},
    {"deny_read", is_denial},        {"protect", is_component},       {"ban_imports", is_module},
    {"allowed_imports", is_module},  {"warm.imports", is_module},     {"ban_builtins", is_name},
    {"allowed_builtins", is_name},   {"allowed_globals", is_name},    {"env.pass", is_variable},
    {"env.hide", is_variable},       {"network.allow", is_host_and_port},
};

bool policy_entry_is_good(const char *key, const char *text)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].key, key) == 0)
            return rows[i].is_good(text);
    return true;
}
