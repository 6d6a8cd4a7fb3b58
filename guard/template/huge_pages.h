/*
 * huge_pages - a template's memory in few large pages
 *
 * A fork copies one entry for each page, and the end of a guard takes each back: a quarter of what a guard with pandas
 * costs. In pages of two megabytes there are a hundred entries where there were twenty thousand; what a guard writes to is
 * still copied in small ones. Needs Linux 6.1; without it nothing changes.
 * Source: madvise(2), MADV_COLLAPSE.
 */
#pragma once

/* All private memory that is no file's. Once, when nothing will be allocated any more. */
void huge_pages_collapse(void);
