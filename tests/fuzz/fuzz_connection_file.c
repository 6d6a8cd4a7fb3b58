/* A launcher's file with anything in it: read or refused with a sentence, nothing else. */
#include "guard/link/cleanup.h"
#include "kernel/wire/connection_file.h"
#include "tests/fuzz/fuzz_target.h"

#include <assert.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_close int fd = memfd_create("connection-file", MFD_CLOEXEC);
    cleanup_free char *error = NULL;
    struct connection_file file;
    char path[64];

    assert(write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (connection_file_read(path, &file, &error) == 0)
        connection_file_finish(&file);
    else
        assert(error != NULL);
    return 0;
}
