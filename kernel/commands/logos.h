/*
 * logos - the kernelspec's pictures, as bytes of the program
 *
 * Made at build time from kernelspec/safepyrun/: a binary that was copied or packed into a wheel
 * installs the same kernelspec as one that lies where it was installed.
 */
#pragma once

#include "guard/link/bytes.h"

struct logo {
    const char *name; /* as Jupyter looks for it */
    const unsigned char *start;
    const unsigned char *end;
};

enum { LOGO_COUNT = 3 };

extern const struct logo logos[LOGO_COUNT];

static inline struct bytes logo_bytes(const struct logo *logo)
{
    return (struct bytes){logo->start, (size_t)(logo->end - logo->start)};
}
