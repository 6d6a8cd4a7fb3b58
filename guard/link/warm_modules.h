/*
 * warm_modules - the names of warm_modules.def
 *
 * Both sides read the table: the guard looks for these only, the kernel process believes in no other.
 */
#pragma once

#include "guard/link/buffer.h"

#include <stdint.h>

/* The bit of a name; 0 for one that is not in the table. */
uint32_t warm_modules_bit(const char *name, size_t size);

/* Names with commas between them; others are passed over. */
uint32_t warm_modules_read(struct bytes names);
void warm_modules_write(uint32_t bits, struct buffer *names);
