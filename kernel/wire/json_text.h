/*
 * json_text - look into JSON text without building a tree
 *
 * Content and metadata pass through the kernel process as the bytes that came: a JSON library that
 * decodes them would choke on what Python peers send every day (lone surrogates, NaN, integers
 * beyond 64 bits). This module checks that text is JSON, so that a guard process cannot make the
 * kernel process send garbage, and reads the few fields that the kernel process acts upon.
 *
 * Not a parser for our own files: those go through jansson. All results are views into the text.
 */
#pragma once

#include "guard/link/buffer.h"
#include "guard/link/bytes.h"
#include "guard/link/frame.h"

enum json_text_rules {
    JSON_TEXT_STRICT,  /* RFC 8259 */
    JSON_TEXT_LENIENT, /* and NaN, Infinity, -Infinity, as Python's json module writes them */
};

enum { JSON_TEXT_DEPTH_MAX = FRAME_JSON_DEPTH_MAX }; /* what clients send goes on to the guard, and back */

/* Whether `text` is one JSON object in UTF-8, nested at most JSON_TEXT_DEPTH_MAX deep. */
bool json_text_is_object(struct bytes text, enum json_text_rules rules);

/* Whether `value` is one JSON string in UTF-8. */
bool json_text_is_string(struct bytes value);

/*
 * json_text_member() - the value of a member of the outermost object
 *
 * object     checked with json_text_is_object() before
 * ret_value  the value's text; the last one where the key is repeated, as Python reads it
 */
bool json_text_member(struct bytes object, const char *key, struct bytes *ret_value);

/* The same; a member that is null is none: so requests ask for what is usual. */
bool json_text_member_given(struct bytes object, const char *key, struct bytes *ret_value);

/*
 * json_text_next() - the next member of an object, or element of a list
 *
 * rest       at first what json_text_inside() gave; moved on
 * ret_key    with its quotes; of an object only
 *
 * False at the end.
 */
bool json_text_next(struct bytes *rest, bool in_object, struct bytes *ret_key, struct bytes *ret_value);

/* What stands between the brackets of an object or a list, without space around it; empty for none. */
struct bytes json_text_inside(struct bytes container);

/* Appends the decoded string of a member; false when there is none, or something else. */
bool json_text_member_string(struct bytes object, const char *key, struct buffer *decoded);

/* Appends the strings of a list, decoded, with line ends between them; nothing of what is no list. */
void json_text_append_lines(struct bytes list, struct buffer *text);

/* Whether the value is of this kind; `ret_…` are set on success only. */
bool json_text_bool(struct bytes value, bool *ret_truth);
bool json_text_integer(struct bytes value, long *ret_number);
/* Appends the decoded string as UTF-8; a lone surrogate becomes U+FFFD. */
bool json_text_string(struct bytes value, struct buffer *decoded);

/* Appends `text` (bytes that should be UTF-8) as a JSON string with its quotes. */
void json_text_append_string(struct buffer *buffer, struct bytes text);

/* Appends a member that is a string to an object that is being made, which begins with its brace. */
void json_text_append_string_member(struct buffer *object, const char *name, struct bytes text);
