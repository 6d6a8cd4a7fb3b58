#include "kernel/crypto/openssl.h"

#include "guard/link/cleanup.h"

#include <dlfcn.h>

static char *(*find_file)(const char *name);

void openssl_find_with(char *(*find)(const char *name))
{
    find_file = find;
}

const struct openssl *openssl_load(void)
{
    cleanup_free char *path = find_file != NULL ? find_file(OPENSSL_FILE) : NULL;
    void *module = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;

    return module != NULL ? dlsym(module, OPENSSL_SYMBOL) : NULL;
}
