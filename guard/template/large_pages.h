/*
 * large_pages - the memory of a template in few large pages
 *
 * A fork copies the page tables, entry by entry: most of its time once IPython and pandas are there. A page of 2 MB is one
 * entry for 512 until somebody writes to it, so a fork takes about half of the time (madvise(2), MADV_COLLAPSE: Linux 6.1
 * and later; before that nothing happens). Whoever writes gets small pages of that one, and a copy of the page alone.
 */
#pragma once

/* Once, when all is imported and nothing will be freed. */
void large_pages_collect(void);
