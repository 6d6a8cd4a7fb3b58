/*
 * string_list - strings that somebody owns
 *
 * Short lists, in the order in which they were written; looked through from the front. Its owner calls
 * string_list_finish(); {NULL, 0} is an empty one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct string_list {
    char **items;
    size_t count;
};

/* Appends a copy. */
void string_list_add(struct string_list *list, const char *text);
/* Appends copies of all of them. */
void string_list_add_all(struct string_list *list, const struct string_list *from);

bool string_list_has(const struct string_list *list, const char *text);
/* Whether a component of the path is one of them. */
bool string_list_has_part_of(const struct string_list *list, const char *path);

void string_list_finish(struct string_list *list);
