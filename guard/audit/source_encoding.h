/*
 * source_encoding - can anybody's code take part when this source is decoded?
 *
 * The interpreter decodes UTF-8, Latin-1 and ASCII by itself. For any other encoding that a source names in its first two lines
 * it asks the registry of codecs, where cells may put theirs: what is compiled then is not what the file says. In
 * doubt the answer is yes. Not for sources without a name of an encoding, which are UTF-8. Owns nothing; no Python.
 */
#pragma once

#include "guard/link/bytes.h"

bool source_encoding_is_built_in(struct bytes source);
