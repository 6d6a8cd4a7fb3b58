#include "kernel/wire/colours.h"

void colours_strip(struct bytes text, struct buffer *plain)
{
    const char *at = text.data;
    const char *end = at + text.size;

    while (at < end) {
        if (*at == '\033' && at + 1 < end && at[1] == '[') {
            at += 2;
            while (at < end && (*at < '@' || *at > '~'))
                at++;
            at += at < end;
        } else {
            buffer_append_char(plain, *at++);
        }
    }
}
