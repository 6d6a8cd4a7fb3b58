#include "kernel/wire/json_text.h"

#include "guard/link/plain_run.h"
#include "guard/link/utf8.h"

#include <string.h>

/* A place in the text; every skip_…() moves it forward and says whether what it met was right. */
struct scanner {
    const char *at;
    const char *end;
    enum json_text_rules rules;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void skip_space(struct scanner *scanner)
{
    while (scanner->at < scanner->end && is_space(*scanner->at))
        scanner->at++;
}

static bool skip_char(struct scanner *scanner, char c)
{
    if (scanner->at >= scanner->end || *scanner->at != c)
        return false;
    scanner->at++;
    return true;
}

static bool skip_word(struct scanner *scanner, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(scanner->end - scanner->at) < length || memcmp(scanner->at, word, length) != 0)
        return false;
    scanner->at += length;
    return true;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool skip_escape(struct scanner *scanner)
{
    if (scanner->at >= scanner->end)
        return false;
    if (*scanner->at != 'u') {
        if (strchr("\"\\/bfnrt", *scanner->at) == NULL || *scanner->at == '\0')
            return false;
        scanner->at++;
        return true;
    }
    if (scanner->end - scanner->at < 5)
        return false;
    for (int i = 1; i <= 4; i++)
        if (!is_hex(scanner->at[i]))
            return false;
    scanner->at += 5;
    return true;
}

static bool skip_string(struct scanner *scanner)
{
    if (!skip_char(scanner, '"'))
        return false;
    for (;;) {
        unsigned char c;
        int length;

        scanner->at = plain_run_end(scanner->at, scanner->end);
        if (scanner->at == scanner->end)
            return false;
        c = (unsigned char)*scanner->at;
        if (c == '"') {
            scanner->at++;
            return true;
        }
        if (c < 0x20)
            return false;
        if (c == '\\') {
            scanner->at++;
            if (!skip_escape(scanner))
                return false;
            continue;
        }
        length = utf8_character((struct bytes){scanner->at, (size_t)(scanner->end - scanner->at)});
        if (length <= 0)
            return false;
        scanner->at += length;
    }
}

static bool skip_digits(struct scanner *scanner)
{
    const char *start = scanner->at;

    while (scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9')
        scanner->at++;
    return scanner->at > start;
}

static bool skip_number(struct scanner *scanner)
{
    skip_char(scanner, '-');
    if (scanner->rules == JSON_TEXT_LENIENT && skip_word(scanner, "Infinity"))
        return true;
    if (!skip_char(scanner, '0') && !skip_digits(scanner))
        return false;
    if (skip_char(scanner, '.') && !skip_digits(scanner))
        return false;
    if (skip_char(scanner, 'e') || skip_char(scanner, 'E')) {
        if (!skip_char(scanner, '+'))
            skip_char(scanner, '-');
        return skip_digits(scanner);
    }
    return true;
}

static bool skip_scalar(struct scanner *scanner)
{
    if (scanner->at >= scanner->end)
        return false;
    switch (*scanner->at) {
    case '"':
        return skip_string(scanner);
    case 't':
        return skip_word(scanner, "true");
    case 'f':
        return skip_word(scanner, "false");
    case 'n':
        return skip_word(scanner, "null");
    case 'N':
        return scanner->rules == JSON_TEXT_LENIENT && skip_word(scanner, "NaN");
    default:
        return skip_number(scanner);
    }
}

static bool skip_key(struct scanner *scanner)
{
    skip_space(scanner);
    if (!skip_string(scanner))
        return false;
    skip_space(scanner);
    if (!skip_char(scanner, ':'))
        return false;
    skip_space(scanner);
    return true;
}

/* After a value: closes what ends here. False when neither a comma nor the right bracket follows. */
static bool skip_ends(struct scanner *scanner, const char *open, size_t *depth)
{
    for (;;) {
        skip_space(scanner);
        if (*depth == 0)
            return true;
        if (skip_char(scanner, ',')) {
            if (open[*depth - 1] == '{')
                return skip_key(scanner);
            skip_space(scanner);
            return true;
        }
        if (!skip_char(scanner, open[*depth - 1] == '{' ? '}' : ']'))
            return false;
        (*depth)--;
    }
}

/* One value with all that is inside of it. A stack of brackets instead of recursion: the text is a stranger's. */
static bool skip_value(struct scanner *scanner)
{
    char open[JSON_TEXT_DEPTH_MAX];
    size_t depth = 0;

    do {
        bool opens = scanner->at < scanner->end && (*scanner->at == '{' || *scanner->at == '[');

        if (opens) {
            char bracket = *scanner->at;

            if (depth == JSON_TEXT_DEPTH_MAX)
                return false;
            open[depth++] = bracket;
            scanner->at++;
            skip_space(scanner);
            if (scanner->at < scanner->end && *scanner->at == (bracket == '{' ? '}' : ']')) {
                if (!skip_ends(scanner, open, &depth))
                    return false;
                continue;
            }
            if (bracket == '{' && !skip_key(scanner))
                return false;
            continue;
        }
        if (!skip_scalar(scanner) || !skip_ends(scanner, open, &depth))
            return false;
    } while (depth != 0);
    return true;
}

static struct scanner scanner_of(struct bytes text, enum json_text_rules rules)
{
    const char *start = text.data;

    return (struct scanner){start, start + text.size, rules};
}

bool json_text_is_object(struct bytes text, enum json_text_rules rules)
{
    struct scanner scanner = scanner_of(text, rules);

    if (text.size == 0)
        return false;
    skip_space(&scanner);
    if (scanner.at >= scanner.end || *scanner.at != '{' || !skip_value(&scanner))
        return false;
    skip_space(&scanner);
    return scanner.at == scanner.end;
}

bool json_text_is_string(struct bytes value)
{
    struct scanner scanner = scanner_of(value, JSON_TEXT_STRICT);

    return value.size >= 2 && skip_string(&scanner) && scanner.at == scanner.end;
}

static struct bytes strip_space(struct bytes text)
{
    const char *at = text.data;
    const char *end = at + text.size;

    while (at < end && is_space(*at))
        at++;
    while (end > at && is_space(end[-1]))
        end--;
    return (struct bytes){at, (size_t)(end - at)};
}

struct bytes json_text_inside(struct bytes container)
{
    struct bytes whole = strip_space(container);

    if (whole.size < 2)
        return BYTES_NONE;
    return strip_space((struct bytes){(const char *)whole.data + 1, whole.size - 2});
}

bool json_text_next(struct bytes *rest, bool in_object, struct bytes *ret_key, struct bytes *ret_value)
{
    struct scanner scanner = scanner_of(*rest, JSON_TEXT_LENIENT);
    const char *start;

    if (rest->size == 0)
        return false;
    skip_space(&scanner);
    if (skip_char(&scanner, ','))
        skip_space(&scanner);
    start = scanner.at;
    if (in_object) {
        if (!skip_string(&scanner))
            return false;
        *ret_key = (struct bytes){start, (size_t)(scanner.at - start)};
        scanner.at = start;
        if (!skip_key(&scanner))
            return false;
        start = scanner.at;
    }
    if (!skip_value(&scanner))
        return false;
    *ret_value = strip_space((struct bytes){start, (size_t)(scanner.at - start)});
    *rest = (struct bytes){scanner.at, (size_t)(scanner.end - scanner.at)};
    return true;
}

static bool string_is(struct bytes quoted, const char *text)
{
    cleanup_buffer struct buffer decoded = BUFFER_NONE;
    size_t length = strlen(text);

    if (memchr(quoted.data, '\\', quoted.size) == NULL)
        return quoted.size == length + 2 &&
               memcmp((const char *)quoted.data + 1, text, length) == 0;
    return json_text_string(quoted, &decoded) &&
           bytes_equal_string(buffer_bytes(&decoded), text);
}

bool json_text_member(struct bytes object, const char *key, struct bytes *ret_value)
{
    struct bytes rest = strip_space(object);
    struct bytes name;
    struct bytes value;
    bool found = false;

    if (rest.size < 2 || *(const char *)rest.data != '{')
        return false;
    rest = (struct bytes){(const char *)rest.data + 1, rest.size - 2};
    while (json_text_next(&rest, true, &name, &value)) {
        if (!string_is(name, key))
            continue;
        *ret_value = value;
        found = true;
    }
    return found;
}

bool json_text_member_given(struct bytes object, const char *key, struct bytes *ret_value)
{
    struct bytes value;

    if (!json_text_member(object, key, &value) || bytes_equal_string(value, "null"))
        return false;
    *ret_value = value;
    return true;
}

bool json_text_member_string(struct bytes object, const char *key, struct buffer *decoded)
{
    struct bytes value;

    return json_text_member(object, key, &value) && json_text_string(value, decoded);
}
