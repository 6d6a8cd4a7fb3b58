#include "guard/audit/native_module.h"

#include "guard/link/buffer.h"
#include "guard/link/cleanup.h"

#include <Python.h>

#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

/* Where CPython keeps its own extension modules, below the folder of the standard library. */
#define STANDARD_FOLDER "lib-dynload/"

static struct {
    struct native_module *items; /* sorted by address */
    size_t count;
} state;

/* ---- one object ----------------------------------------------------------------------------- */

bool native_module_holds(const struct native_module *module, const void *address)
{
    return (const char *)address >= module->start && (const char *)address < module->end;
}

/* What follows the longest of the folders that the file lies in; NULL for none. */
static const char *below_packages(const char *file, const struct string_list *packages)
{
    const char *rest = NULL;

    for (size_t i = 0; i < packages->count; i++) {
        char folder[PATH_MAX];
        size_t size;

        if (realpath(packages->items[i], folder) == NULL)
            continue;
        size = strlen(folder);
        if (strncmp(file, folder, size) == 0 && file[size] == '/' &&
            (rest == NULL || file + size + 1 > rest))
            rest = file + size + 1;
    }
    return rest;
}

/* "lxml/etree.cpython-312-x86_64-linux-gnu.so" -> "lxml.etree" */
static char *module_name(const char *rest)
{
    const char *last = strrchr(rest, '/');
    const char *base = last != NULL ? last + 1 : rest;
    char *name = xstrndup(rest, (size_t)(base - rest) + strcspn(base, "."));

    for (char *at = name; *at != '\0'; at++)
        if (*at == '/')
            *at = '.';
    return name;
}

/* Fills in kind and name. The main program has no path in the loader's list. */
static void classify(struct native_module *module, const char *path,
                     const struct string_list *packages)
{
    char file[PATH_MAX];
    const char *rest = NULL;

    module->kind = NATIVE_FOREIGN;
    if (native_module_holds(module, (const void *)(uintptr_t)native_module_of))
        module->kind = NATIVE_OWN;
    if (native_module_holds(module,
                            (const void *)(uintptr_t)PyObject_Call)) /* in safepyrun-guard, both */
        module->kind = NATIVE_STANDARD;
    if (module->kind == NATIVE_FOREIGN && realpath(path, file) != NULL)
        rest = below_packages(file, packages);
    if (rest != NULL)
        module->kind = strncmp(rest, STANDARD_FOLDER, strlen(STANDARD_FOLDER)) == 0 ? NATIVE_STANDARD
                                                                                   : NATIVE_PACKAGE;
    if (module->kind == NATIVE_PACKAGE)
        module->name = module_name(rest);
    else /* the folder of the guard's own package, as the import system wrote it */
        module->name = xstrndup(path, module->kind == NATIVE_OWN && strrchr(path, '/') != NULL
                                          ? (size_t)(strrchr(path, '/') - path)
                                          : 0);
}

/* ---- all of them ---------------------------------------------------------------------------- */

struct reading {
    struct native_module *items;
    size_t count;
    const struct string_list *packages;
};

static const struct native_module *known(const struct native_module *wanted)
{
    for (size_t i = 0; i < state.count; i++)
        if (state.items[i].start == wanted->start && state.items[i].end == wanted->end)
            return &state.items[i];
    return NULL;
}

static int note_object(struct dl_phdr_info *info, size_t size, void *data)
{
    struct reading *reading = data;
    struct native_module module = {.start = (const char *)UINTPTR_MAX};
    const struct native_module *old;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const char *start = (const char *)(uintptr_t)(info->dlpi_addr + segment->p_vaddr);

        if (segment->p_type != PT_LOAD)
            continue;
        module.start = start < module.start ? start : module.start;
        module.end = start + segment->p_memsz > module.end ? start + segment->p_memsz : module.end;
    }
    if (module.end == NULL)
        return 0;
    old = known(&module);
    if (old != NULL)
        module = *old;
    else
        classify(&module, info->dlpi_name != NULL ? info->dlpi_name : "", reading->packages);
    reading->items = xrealloc(reading->items, (reading->count + 1) * sizeof(module));
    reading->items[reading->count++] = module;
    return 0;
}

static int by_start(const void *one, const void *other)
{
    const struct native_module *a = one;
    const struct native_module *b = other;

    return a->start < b->start ? -1 : a->start > b->start;
}

/* Names stay where they are: callers hold on to modules only as long as they look. */
static void read_list(const struct string_list *packages)
{
    struct reading reading = {.packages = packages};

    dl_iterate_phdr(note_object, &reading);
    qsort(reading.items, reading.count, sizeof(*reading.items), by_start);
    free(state.items);
    state.items = reading.items;
    state.count = reading.count;
}

static const struct native_module *find(const void *address)
{
    size_t low = 0;
    size_t high = state.count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (state.items[middle].start > (const char *)address)
            high = middle;
        else
            low = middle + 1;
    }
    return low > 0 && native_module_holds(&state.items[low - 1], address) ? &state.items[low - 1]
                                                                          : NULL;
}

const struct native_module *native_module_of(const void *address, const struct string_list *packages)
{
    const struct native_module *module = find(address);

    if (module != NULL)
        return module;
    read_list(packages);
    return find(address);
}
