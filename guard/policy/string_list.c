#include "guard/policy/string_list.h"

#include "guard/link/buffer.h"
#include "guard/link/bytes.h"

void string_list_add(struct string_list *list, const char *text)
{
    list->items = xrealloc(list->items, (list->count + 1) * sizeof(*list->items));
    list->items[list->count++] = xstrdup(text);
}

void string_list_add_all(struct string_list *list, const struct string_list *from)
{
    for (size_t i = 0; i < from->count; i++)
        string_list_add(list, from->items[i]);
}

bool string_list_has(const struct string_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

bool string_list_has_part_of(const struct string_list *list, const char *path)
{
    while (*path != '\0') {
        size_t size;

        path += strspn(path, "/");
        size = strcspn(path, "/");
        for (size_t i = 0; i < list->count; i++)
            if (bytes_equal_string((struct bytes){path, size}, list->items[i]))
                return true;
        path += size;
    }
    return false;
}

void string_list_finish(struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){NULL, 0};
}
