/* Runs a target over every file of a folder: what libFuzzer does, for compilers without it. */
#include "guard/link/buffer.h"
#include "tests/fuzz/fuzz_target.h"

#include <dirent.h>

static void replay(const char *path)
{
    cleanup_buffer struct buffer bytes = BUFFER_NONE;
    cleanup_file FILE *file = fopen(path, "re");
    size_t count;

    while (file != NULL && (count = fread(buffer_reserve(&bytes, 65536), 1, 65536, file)) > 0)
        buffer_commit(&bytes, count);
    LLVMFuzzerTestOneInput((const uint8_t *)bytes.data, bytes.size);
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    int count = 0;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        cleanup_free char *path = xasprintf("%s/%s", argv[1], entry->d_name);

        if (entry->d_name[0] == '.')
            continue;
        replay(path);
        count++;
    }
    if (folder != NULL)
        closedir(folder);
    printf("%d inputs\n", count);
    return count == 0; /* an empty corpus proves nothing */
}
