#include "guard/link/warm_modules.h"

#include <string.h>

static const char *const modules[] = {
#define WARM_MODULE(name) name,
#include "guard/link/warm_modules.def"
#undef WARM_MODULE
};

enum { COUNT = sizeof(modules) / sizeof(modules[0]) };

_Static_assert(sizeof(modules) / sizeof(modules[0]) <= 32, "a bit for each");

uint32_t warm_modules_bit(const char *name, size_t size)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strlen(modules[i]) == size && memcmp(modules[i], name, size) == 0)
            return UINT32_C(1) << i;
    return 0;
}

uint32_t warm_modules_read(struct bytes names)
{
    const char *at = names.data;
    const char *end = at + names.size;
    uint32_t bits = 0;

    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;

        bits |= warm_modules_bit(at, (size_t)(stop - at));
        at = stop + 1;
    }
    return bits;
}

void warm_modules_write(uint32_t bits, struct buffer *names)
{
    for (size_t i = 0; i < COUNT; i++) {
        if ((bits >> i & 1) == 0)
            continue;
        if (names->size > 0)
            buffer_append_char(names, ',');
        buffer_append_string(names, modules[i]);
    }
}
