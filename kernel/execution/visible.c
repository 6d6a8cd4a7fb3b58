#include "kernel/execution/visible.h"

#include "guard/link/utf8.h"

static unsigned long code_point(const unsigned char *c, int length)
{
    unsigned long point = length == 2 ? c[0] & 0x1fu : length == 3 ? c[0] & 0x0fu : c[0] & 0x07u;

    for (int i = 1; i < length; i++)
        point = point << 6 | (c[i] & 0x3fu);
    return point;
}

/* Scripts that file names are written in. No space, no mark that moves or hides what stands beside
 * it. */
static bool is_shown(unsigned long point)
{
    static const unsigned long ranges[][2] = {
        {0x00a1, 0x00ac}, {0x00ae, 0x024f}, /* Latin; not the soft hyphen */
        {0x0370, 0x0482}, {0x048a, 0x052f}, /* Greek, Cyrillic */
        {0x3041, 0x3096}, {0x30a1, 0x30fa}, /* kana */
        {0x4e00, 0x9fff}, {0xac00, 0xd7a3}, /* Chinese characters, Hangul */
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (point >= ranges[i][0] && point <= ranges[i][1])
            return true;
    return false;
}

struct visible_character visible_at(struct bytes text)
{
    const unsigned char *c = text.data;
    int length = utf8_character(text);

    if (length <= 0 || c[0] < 0x20 || c[0] == 0x7f)
        return (struct visible_character){.size = 1, .point = c[0], .is_byte = true};
    if (length == 1)
        return (struct visible_character){.size = 1, .point = c[0], .is_shown = true};
    return (struct visible_character){.size = (size_t)length,
                                      .point = code_point(c, length),
                                      .is_shown = is_shown(code_point(c, length))};
}

bool visible_is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((((const unsigned char *)text.data)[i] & 0x80) != 0)
            return false;
    return true;
}
