#include "kernel/supervisor/environment.h"

#include "guard/link/buffer.h"

void environment_add(struct environment *environment, char *item)
{
    environment->items = xrealloc(environment->items, (environment->count + 2) * sizeof(*environment->items));
    environment->items[environment->count++] = item;
    environment->items[environment->count] = NULL;
}

void environment_finish(struct environment *environment)
{
    for (size_t i = 0; i < environment->count; i++)
        free(environment->items[i]);
    free(environment->items);
    *environment = ENVIRONMENT_NONE;
}
