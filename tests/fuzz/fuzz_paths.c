/* Any bytes as a path: what is resolved is absolute and has no '.', '..' or empty component left.
 */
#include "guard/policy/path_resolve.h"
#include "tests/fuzz/fuzz_target.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>

static void check(const char *resolved)
{
    assert(resolved[0] == '/' && strlen(resolved) < PATH_MAX);
    if (resolved[1] == '\0')
        return;
    for (const char *at = resolved; *at != '\0';) {
        size_t size = strcspn(at + 1, "/");

        assert(*at == '/' && size > 0);
        assert(!(size == 1 && at[1] == '.') && !(size == 2 && at[1] == '.' && at[2] == '.'));
        at += 1 + size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes path = {data, size};
    char resolved[PATH_MAX];
    bool magic;

    if (path_resolve(path, AT_FDCWD, PATH_FOLLOW_LAST, resolved, &magic) == 0 && !magic)
        check(resolved);
    if (path_resolve(path, AT_FDCWD, PATH_KEEP_LAST, resolved, &magic) == 0 && !magic)
        check(resolved);
    return 0;
}
