/*
 * passive - what a front end shows without running or fetching anything
 *
 * A browser runs what is in HTML, SVG and JavaScript with the rights of the person who looks at it: those of the Jupyter
 * server, where nobody guards. Markdown and HTML fetch pictures from wherever they say. Here such forms are taken out of
 * what a guard sends, by a list of those that stay; plain text is nearly always among them. Text in, text out. Not for
 * whether: kernel/execution/from_guard.
 */
#pragma once

#include "guard/link/buffer.h"
#include "guard/link/bytes.h"

/*
 * passive_append() - `object` without the members, at any depth, that are named by a MIME type which is not passive
 *
 * object  checked with json_text_is_object() before
 */
void passive_append(struct bytes object, struct buffer *text);
