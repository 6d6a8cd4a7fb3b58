/*
 * cells - which request a cell number stands for
 *
 * The guard knows a request by its number only. What it sends under that number, also long after
 * the request is over (a thread prints, a widget changes), gets the parent header kept here. The
 * last CELLS_KEPT numbers are known; output under an older one goes to the newest.
 */
#pragma once

#include "guard/link/buffer.h"

#include <stdint.h>

enum { CELLS_KEPT = 4096 };

struct cell {
    uint32_t number;      /* 0: unused place */
    struct buffer header; /* raw JSON of the request's header */
    bool silent;          /* execute_request with silent: nothing but status is published */
};

struct cells {
    struct cell kept[CELLS_KEPT];
    uint32_t last; /* the newest number; 0 before the first */
};

struct cells *cells_new(void);
void cells_free(struct cells *cells);

/* Gives out the next number. */
uint32_t cells_add(struct cells *cells, struct bytes header, bool silent);

/* Whether this number was ever given out. */
bool cells_is_known(const struct cells *cells, uint32_t number);

/* The cell that output under this number belongs to, borrowed; NULL before the first. */
const struct cell *cells_find(const struct cells *cells, uint32_t number);
