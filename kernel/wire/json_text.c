#include "kernel/wire/json_text.h"

#include "guard/link/plain_run.h"
#include "guard/link/utf8.h"

#include <limits.h>
#include <stdint.h>

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
    struct scanner scanner = scanner_of(object, JSON_TEXT_LENIENT);
    bool found = false;

    if (object.size == 0)
        return false;
    skip_space(&scanner);
    if (!skip_char(&scanner, '{'))
        return false;
    do {
        const char *name;
        const char *value;
        struct bytes quoted;

        skip_space(&scanner);
        name = scanner.at;
        if (!skip_string(&scanner))
            return found;
        quoted = (struct bytes){name, (size_t)(scanner.at - name)};
        skip_space(&scanner);
        if (!skip_char(&scanner, ':'))
            return found;
        skip_space(&scanner);
        value = scanner.at;
        if (!skip_value(&scanner))
            return found;
        if (string_is(quoted, key)) {
            const char *end = scanner.at;

            while (end > value && strchr(" \n\t\r", end[-1]) != NULL)
                end--;
            *ret_value = (struct bytes){value, (size_t)(end - value)};
            found = true;
        }
        skip_space(&scanner);
    } while (skip_char(&scanner, ','));
    return found;
}

bool json_text_bool(struct bytes value, bool *ret_truth)
{
    if (bytes_equal_string(value, "true")) {
        *ret_truth = true;
        return true;
    }
    if (!bytes_equal_string(value, "false"))
        return false;
    *ret_truth = false;
    return true;
}

bool json_text_integer(struct bytes value, long *ret_number)
{
    char digits[24];
    char *end;
    long number;

    if (value.size == 0 || value.size >= sizeof(digits))
        return false;
    memcpy(digits, value.data, value.size);
    digits[value.size] = '\0';
    errno = 0;
    number = strtol(digits, &end, 10);
    if (errno != 0 || *end != '\0' || digits[0] == ' ' || digits[0] == '+')
        return false;
    *ret_number = number;
    return true;
}

static unsigned hex_value(const char *digits)
{
    unsigned value = 0;

    for (int i = 0; i < 4; i++) {
        char c = digits[i];

        value = value * 16 +
                (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static void append_code_point(struct buffer *buffer, uint32_t c)
{
    if (c < 0x80) {
        buffer_append_char(buffer, (char)c);
    } else if (c < 0x800) {
        buffer_append_char(buffer, (char)(0xC0 | (c >> 6)));
        buffer_append_char(buffer, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buffer_append_char(buffer, (char)(0xE0 | (c >> 12)));
        buffer_append_char(buffer, (char)(0x80 | ((c >> 6) & 0x3F)));
        buffer_append_char(buffer, (char)(0x80 | (c & 0x3F)));
    } else {
        buffer_append_char(buffer, (char)(0xF0 | (c >> 18)));
        buffer_append_char(buffer, (char)(0x80 | ((c >> 12) & 0x3F)));
        buffer_append_char(buffer, (char)(0x80 | ((c >> 6) & 0x3F)));
        buffer_append_char(buffer, (char)(0x80 | (c & 0x3F)));
    }
}

/* Decodes \uXXXX, with its second half where there is one; returns how many characters it took. */
static size_t decode_unicode(const char *at, const char *end, struct buffer *decoded)
{
    unsigned first = hex_value(at + 1);
    unsigned second;

    if (first < 0xD800 || first > 0xDFFF) {
        append_code_point(decoded, first);
        return 5;
    }
    if (first < 0xDC00 && end - at >= 11 && at[5] == '\\' && at[6] == 'u') {
        second = hex_value(at + 7);
        if (second >= 0xDC00 && second <= 0xDFFF) {
            append_code_point(decoded, 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
            return 11;
        }
    }
    append_code_point(decoded, 0xFFFD);
    return 5;
}

static char simple_escape(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c;
    }
}

bool json_text_string(struct bytes value, struct buffer *decoded)
{
    struct scanner scanner = scanner_of(value, JSON_TEXT_STRICT);
    const char *at;
    const char *end;

    if (value.size < 2 || !skip_string(&scanner) || scanner.at != scanner.end)
        return false;
    at = (const char *)value.data + 1;
    end = scanner.end - 1;
    while (at < end) {
        const char *plain = memchr(at, '\\', (size_t)(end - at));

        if (plain == NULL)
            plain = end;
        buffer_append(decoded, (struct bytes){at, (size_t)(plain - at)});
        at = plain;
        if (at == end)
            break;
        at++;
        if (*at == 'u') {
            at += decode_unicode(at, end, decoded);
        } else {
            buffer_append_char(decoded, simple_escape(*at));
            at++;
        }
    }
    return true;
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

/* Of JSON that was checked before: every string has its end. */
void json_text_append_lines(struct bytes list, struct buffer *text)
{
    const char *at = list.data;
    const char *end = at + list.size;
    bool is_first = true;

    if (list.size == 0 || *at != '[')
        return;
    while ((at = memchr(at, '"', (size_t)(end - at))) != NULL) {
        const char *start = at++;

        while (*at != '"')
            at += *at == '\\' ? 2 : 1;
        at++;
        if (!is_first)
            buffer_append_char(text, '\n');
        is_first = false;
        json_text_string((struct bytes){start, (size_t)(at - start)}, text);
    }
}

void json_text_append_string(struct buffer *buffer, struct bytes text)
{
    utf8_append_quoted(text, buffer);
}

void json_text_append_string_member(struct buffer *object, const char *name, struct bytes text)
{
    buffer_append_format(object, "%s\"%s\":", object->size > 1 ? "," : "", name);
    utf8_append_quoted(text, object);
}
