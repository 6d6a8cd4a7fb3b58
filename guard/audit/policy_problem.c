#include "guard/audit/policy_problem.h"

#include "guard/policy/policy_entries.h"
#include "guard/policy/policy_line.h"
#include "guard/python/py_cleanup.h"

#include <ctype.h>
#include <string.h>

enum {
    NAME_BYTES = 64,
    NOT_NEAR = 1000,
    PROBLEMS_BYTES_MAX = 8000, /* whoever makes so many reads the first ones and asks again */
    SHOWN_MAX = 60, /* bytes of a wrong value that the message repeats */
};

static char *place(const struct policy_file *file, unsigned line)
{
    return line != 0 ? xasprintf("policy file %s, line %u", file->path, line)
                     : xasprintf("policy file %s", file->path);
}

void policy_problem_add(char **problems, char *problem)
{
    char *before = *problems;

    if (before == NULL) {
        *problems = problem;
        return;
    }
    if (strlen(before) < PROBLEMS_BYTES_MAX) {
        *problems = xasprintf("%s\n%s", before, problem);
        free(before);
    }
    free(problem);
}

char *policy_problem_place(const struct policy_file *file, const char *key)
{
    return place(file, policy_line_find(file->text, key));
}

char *policy_problem_place_of_item(const struct policy_file *file, const char *key, size_t item)
{
    return place(file, policy_line_of_item(file->text, key, item));
}

/* ---- the nearest key ------------------------------------------------------------------------- */

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

static char fold(char c)
{
    return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

/* How many letters have to be put in, taken out or replaced (Levenshtein). */
static size_t edits(const char *one, const char *other)
{
    size_t row[NAME_BYTES + 1];
    size_t width = strlen(other);

    if (width > NAME_BYTES || strlen(one) > NAME_BYTES)
        return NOT_NEAR;
    for (size_t i = 0; i <= width; i++)
        row[i] = i;
    for (size_t at = 0; one[at] != '\0'; at++) {
        size_t diagonal = row[0];

        row[0] = at + 1;
        for (size_t i = 1; i <= width; i++) {
            size_t above = row[i];

            row[i] = smallest(above + 1, row[i - 1] + 1,
                              diagonal + (fold(one[at]) != fold(other[i - 1]) ? 1 : 0));
            diagonal = above;
        }
    }
    return row[width];
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL ? dot + 1 : name;
}

static bool begins_alike(const char *one, const char *other)
{
    size_t size = strlen(one) < strlen(other) ? strlen(one) : strlen(other);

    return size >= 3 && strncmp(one, other, size) == 0;
}

/* 0 is the same; NOT_NEAR what nobody would mistake for it. */
static size_t distance(const char *written, const char *name)
{
    size_t whole = edits(written, name);
    size_t last = edits(last_part(written), last_part(name)) + 1; /* in another table, perhaps */
    size_t least = whole < last ? whole : last;
    size_t size = strlen(last < whole ? last_part(written) : written);

    if (least <= 1 + size / 4)
        return least;
    return begins_alike(last_part(written), last_part(name)) ? 1 + size / 4 : NOT_NEAR;
}

/* "[limits]" of "limits.cpu_seconds", or the name itself. */
static void consider(const char *written, const char *name, char best[NAME_BYTES], size_t *least)
{
    const char *dot = strchr(name, '.');
    cleanup_free char *table = dot != NULL ? xstrndup(name, (size_t)(dot - name)) : NULL;
    size_t found = distance(written, name);

    if (found < *least) {
        *least = found;
        snprintf(best, NAME_BYTES, "%s", name);
    }
    if (table != NULL && strchr(written, '.') == NULL && edits(written, table) < *least &&
        edits(written, table) <= 1 + strlen(table) / 4) {
        *least = edits(written, table);
        snprintf(best, NAME_BYTES, "[%s]", table);
    }
}

static bool find_nearest(const char *written, char best[NAME_BYTES])
{
    size_t count;
    const struct policy_key *keys = policy_keys(&count);
    size_t least = NOT_NEAR;

    for (size_t i = 0; i < count; i++)
        consider(written, keys[i].name, best, &least);
    return least < NOT_NEAR;
}

char *policy_problem_unknown(const struct policy_file *file, const char *key)
{
    cleanup_free char *where = policy_problem_place(file, key);
    char nearest[NAME_BYTES];

    if (find_nearest(key, nearest))
        return xasprintf("%s: there is no key %s; %s may be meant", where, key, nearest);
    return xasprintf("%s: there is no key %s; `safepyrun policy keys` lists them", where, key);
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool is_good_entry(PyObject *entry, const char *key)
{
    Py_ssize_t size;
    const char *text = PyUnicode_CheckExact(entry) ? PyUnicode_AsUTF8AndSize(entry, &size) : NULL;

    if (text == NULL || size == 0 || strlen(text) != (size_t)size) {
        PyErr_Clear();
        return false;
    }
    return policy_entry_is_good(key, text);
}

/* Counts from 1; 0: it is not about one entry. */
static size_t wrong_entry(PyObject *value, const char *key)
{
    for (Py_ssize_t i = 0; PyList_CheckExact(value) && i < PyList_Size(value); i++)
        if (!is_good_entry(PyList_GetItem(value, i), key))
            return (size_t)i + 1;
    return 0;
}

char *policy_problem_not_here(const struct policy_file *file, const char *key)
{
    cleanup_free char *where = policy_problem_place(file, key);

    return xasprintf("%s: %s may stand in your own policy file only, ~/.config/safepyrun/policy.toml", where, key);
}

char *policy_problem_value(const struct policy_file *file, const char *key, PyObject *value)
{
    const struct policy_key *row = policy_key_find(key);
    const char *accepts = row != NULL ? row->accepts : "something else";
    size_t entry = wrong_entry(value, key);
    cleanup_free char *where = entry != 0 ? policy_problem_place_of_item(file, key, entry - 1)
                                          : policy_problem_place(file, key);

    if (entry != 0 && strncmp(accepts, "a list", 6) == 0)
        return xasprintf("%s: %s must be %s; entry %zu is not one", where, key, accepts, entry);
    if (PyUnicode_CheckExact(value)) {
        cleanup_py PyObject *written = PyObject_Repr(value);
        const char *text = written != NULL ? PyUnicode_AsUTF8AndSize(written, NULL) : NULL;

        PyErr_Clear();
        if (text != NULL && strlen(text) <= SHOWN_MAX)
            return xasprintf("%s: %s must be %s, not %s", where, key, accepts, text);
    }
    return xasprintf("%s: %s must be %s", where, key, accepts);
}

/* ---- TOML ------------------------------------------------------------------------------------ */

static unsigned line_at(const char *text, size_t end)
{
    unsigned line = 1;

    for (size_t i = 0; i < end && text[i] != '\0'; i++)
        line += text[i] == '\n' ? 1 : 0;
    return line;
}

/* "… (at line 3, column 5)", "… (at end of document)" */
static unsigned line_in_words(const struct policy_file *file, const char *words)
{
    const char *at = strstr(words, "(at line ");
    unsigned line = 0;

    if (at != NULL && sscanf(at, "(at line %u", &line) == 1)
        return line;
    return strstr(words, "(at end of document)") != NULL ? line_at(file->text, strlen(file->text))
                                                         : 0;
}

static unsigned line_of_bad_byte(const struct policy_file *file, PyObject *error)
{
    cleanup_py PyObject *start = PyObject_GetAttrString(error, "start");
    long at = start != NULL ? PyLong_AsLong(start) : -1;

    PyErr_Clear();
    return at >= 0 ? line_at(file->text, (size_t)at) : 0;
}

char *policy_problem_toml(const struct policy_file *file)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    cleanup_py PyObject *words = NULL;
    cleanup_free char *where = NULL;
    const char *utf8;
    bool is_text;

    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    words = value != NULL ? PyObject_Str(value) : NULL;
    utf8 = words != NULL ? PyUnicode_AsUTF8AndSize(words, NULL) : NULL;
    PyErr_Clear();
    is_text = value == NULL || !PyErr_GivenExceptionMatches(value, PyExc_UnicodeDecodeError);
    where = place(file, !is_text       ? line_of_bad_byte(file, value)
                        : utf8 != NULL ? line_in_words(file, utf8)
                                       : 0);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    Py_XDECREF(value);
    return xasprintf("%s: it is not TOML: %s", where,
                     !is_text       ? "not UTF-8"
                     : utf8 != NULL ? utf8
                                    : "it cannot be read");
}
