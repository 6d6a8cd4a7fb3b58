/*
 * stream_type - the Python objects behind sys.stdout and sys.stderr
 *
 * What a cell sees of the streams: io.TextIOBase with a `buffer` for bytes. There are four objects
 * in all, two texts and their two buffers, and no way to make more, so that the objects need no
 * state of their own. Where the text goes is the matter of streams.h.
 */
#pragma once

#include <Python.h>

/* Makes the objects, once. 0 or -1 with an exception. */
int stream_type_prepare(void);

/* The same unless it is done, puts them into sys and patches os.write(). 0 or -1 with an exception. */
int stream_type_start(void);
