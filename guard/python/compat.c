#include "guard/python/compat.h"

#include "guard/python/py_cleanup.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct compat compat;

/* Where a function's address goes, and the names it had: the older one comes second; OPTIONAL: may be missing. */
#define OPTIONAL ""
static const struct lookup {
    size_t offset;
    const char *name;
    const char *older_name;
} lookups[] = {
    /* clang-format off */
    {offsetof(struct compat, add_audit_hook),           "PySys_AddAuditHook",              NULL},
    {offsetof(struct compat, frame_back),               "PyFrame_GetBack",                 NULL},
    {offsetof(struct compat, frame_generator),          "PyFrame_GetGenerator",            NULL},
    {offsetof(struct compat, frame_locals),             "PyFrame_GetLocals",               NULL},
    {offsetof(struct compat, frame_globals),            "PyFrame_GetGlobals",              NULL},
    {offsetof(struct compat, function_code),            "PyFunction_GetCode",              NULL},
    {offsetof(struct compat, function_globals),         "PyFunction_GetGlobals",           NULL},
    {offsetof(struct compat, function_defaults),        "PyFunction_GetDefaults",          NULL},
    {offsetof(struct compat, function_kwdefaults),      "PyFunction_GetKwDefaults",        NULL},
    {offsetof(struct compat, function_closure),         "PyFunction_GetClosure",           NULL},
    {offsetof(struct compat, cell_get),                 "PyCell_Get",                      NULL},
    {offsetof(struct compat, frame_type),               "PyFrame_Type",                    NULL},
    {offsetof(struct compat, function_type),            "PyFunction_Type",                 NULL},
    {offsetof(struct compat, set_trace),                "PyEval_SetTrace",                 NULL},
    {offsetof(struct compat, frame_locals_to_fast),     "PyFrame_LocalsToFast",            OPTIONAL},
    {offsetof(struct compat, audit),                    "PySys_Audit",                     NULL},
    {offsetof(struct compat, request_code_extra_index), "PyUnstable_Eval_RequestCodeExtraIndex",
                                                        "_PyEval_RequestCodeExtraIndex"},
    {offsetof(struct compat, code_get_extra),           "PyUnstable_Code_GetExtra",        "_PyCode_GetExtra"},
    {offsetof(struct compat, code_set_extra),           "PyUnstable_Code_SetExtra",        "_PyCode_SetExtra"},
    {offsetof(struct compat, context_var_new),          "PyContextVar_New",                NULL},
    {offsetof(struct compat, context_var_get),          "PyContextVar_Get",                NULL},
    {offsetof(struct compat, context_var_set),          "PyContextVar_Set",                NULL},
    {offsetof(struct compat, context_var_reset),        "PyContextVar_Reset",              NULL},
    {offsetof(struct compat, context_new),              "PyContext_New",                   NULL},
    {offsetof(struct compat, context_copy_current),     "PyContext_CopyCurrent",           NULL},
    {offsetof(struct compat, context_enter),            "PyContext_Enter",                 NULL},
    {offsetof(struct compat, context_exit),             "PyContext_Exit",                  NULL},
    {offsetof(struct compat, type_lookup),              "_PyType_Lookup",                  NULL},
    {offsetof(struct compat, set_arenas),               "PyObject_SetArenaAllocator",      NULL},
    {offsetof(struct compat, weakref_get_ref),          "PyWeakref_GetRef",                OPTIONAL},
    {offsetof(struct compat, weakref_get_object),       "PyWeakref_GetObject",             OPTIONAL},
    /* clang-format on */
};

int compat_init(const char **ret_missing)
{
    for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++) {
        void *address = dlsym(RTLD_DEFAULT, lookups[i].name);

        if (address == NULL && lookups[i].older_name != NULL)
            address = dlsym(RTLD_DEFAULT, lookups[i].older_name);
        if (address == NULL && (lookups[i].older_name == NULL || lookups[i].older_name[0] != '\0')) {
            *ret_missing = lookups[i].name;
            return -ENOSYS;
        }
        /* A function pointer has the size of an object pointer here, as dlsym() requires. */
        memcpy((char *)&compat + lookups[i].offset, &address, sizeof(address));
    }
    return 0;
}

PyObject *compat_referent(PyObject *reference)
{
    PyObject *object = NULL;

    if (compat.weakref_get_ref != NULL) {
        if (compat.weakref_get_ref(reference, &object) < 0)
            PyErr_Clear(); /* no weak reference at all */
        return object;
    }
    object = compat.weakref_get_object(reference);
    PyErr_Clear();
    return object != Py_None ? py_own(object) : NULL;
}

unsigned long compat_thread_ident(void)
{
    return PyThread_get_thread_ident();
}

unsigned long compat_version(void)
{
    /* The variable of the running library; 3.11 exports it, the limited API lists it. */
    return Py_Version;
}
