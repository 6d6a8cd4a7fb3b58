/*
 * holes - free memory of a template that its guards should not use
 *
 * After the imports free blocks lie scattered over all pages. A guard that takes some for its own objects writes
 * to pages that all share, and each becomes its own: 2 MB of a guard's 8 were that. So the template takes the blocks
 * itself and never gives them back; guards find their memory together, behind everything else.
 */
#pragma once

/* Both of Python's allocators: its own for small objects and the C library's. Once, when all is imported. */
void holes_fill(void);
