/*
 * plain_run - how far a text is such that JSON takes it as it is
 *
 * For both processes: a figure is a string of megabytes without one character that means anything, and is looked at in
 * each of them. Eight bytes at a time; not for checking UTF-8, nothing beyond ASCII is plain.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#define PLAIN_RUN_ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

/* A bit in each byte that is zero, and perhaps in some above the lowest of them. */
static inline uint64_t plain_run_zeros(uint64_t word)
{
    return (word - PLAIN_RUN_ALL(0x01)) & ~word & PLAIN_RUN_ALL(0x80);
}

static inline int plain_run_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Where the first character is that is a quote, a backslash, a control character or no ASCII; else `end`. */
static inline const char *plain_run_end(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        /* Below 0x20, once what is beyond ASCII is out: a byte minus 0x20 borrows. */
        if ((word & PLAIN_RUN_ALL(0x80)) != 0 ||
            (((word - PLAIN_RUN_ALL(0x20)) & PLAIN_RUN_ALL(0x80)) | plain_run_zeros(word ^ PLAIN_RUN_ALL('"')) |
             plain_run_zeros(word ^ PLAIN_RUN_ALL('\\'))) != 0)
            break;
        at += 8;
    }
    while (at < end && plain_run_is_plain((unsigned char)*at))
        at++;
    return at;
}
