#include "kernel/execution/cells.h"

struct cells *cells_new(void)
{
    return xcalloc(1, sizeof(struct cells));
}

void cells_free(struct cells *cells)
{
    if (cells == NULL)
        return;
    for (size_t i = 0; i < CELLS_KEPT; i++)
        buffer_finish(&cells->kept[i].header);
    free(cells);
}

uint32_t cells_add(struct cells *cells, struct bytes header, bool silent)
{
    uint32_t number = ++cells->last;
    struct cell *cell = &cells->kept[number % CELLS_KEPT];

    buffer_clear(&cell->header, 0);
    buffer_append(&cell->header, header);
    cell->number = number;
    cell->silent = silent;
    return number;
}

bool cells_is_known(const struct cells *cells, uint32_t number)
{
    return number != 0 && number <= cells->last;
}

const struct cell *cells_find(const struct cells *cells, uint32_t number)
{
    const struct cell *cell = &cells->kept[number % CELLS_KEPT];

    if (cells->last == 0)
        return NULL;
    return number != 0 && cell->number == number ? cell : &cells->kept[cells->last % CELLS_KEPT];
}
