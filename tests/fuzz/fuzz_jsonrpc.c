/* An agent's lines with anything in them: requests are objects, and each other line gets an answer or none. */
#include "guard/link/cleanup.h"
#include "kernel/mcp/jsonrpc.h"
#include "tests/fuzz/fuzz_target.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* What every method does: it looks into the parameters and answers who asked. */
static int take(void *context, const json_t *message)
{
    const json_t *id = json_object_get(message, "id");

    assert(json_is_string(json_object_get(message, "method")));
    assert(id == NULL || json_is_string(id) || json_is_integer(id));
    return id != NULL ? jsonrpc_answer(context, id, json_object()) : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_close int input = memfd_create("agent", MFD_CLOEXEC);
    cleanup_close int output = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct jsonrpc rpc = {.input = input, .output = output, .take = take, .context = &rpc};
    int result;

    assert(write(input, data, size) == (ssize_t)size && lseek(input, 0, SEEK_SET) == 0);
    do {
        result = jsonrpc_read(&rpc);
    } while (result == 0);
    assert(result == -ENODATA);
    jsonrpc_finish(&rpc);
    return 0;
}
