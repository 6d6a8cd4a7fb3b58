/*
 * slot_patch - put a C function into a slot of a built-in type
 *
 * For what method_patch cannot reach: being called, made, initialised or read. The layout of types
 * is not in the limited API, so each pointer is compared with what PyType_GetSlot() says before it is
 * changed. Types that inherited the slot, and the wrapper that Python code sees (`__call__`,
 * `__init__`), are changed with it. Owns nothing; never undone.
 */
#pragma once

#include "guard/python/py_cleanup.h"

enum slot_patch_place {
    SLOT_CALL,
    SLOT_INIT,
    SLOT_NEW,
    SLOT_SETATTRO,
    SLOT_DESCR_GET,
    SLOT_DESCR_SET,
    SLOT_SET_ITEM,
    SLOT_IN_PLACE_OR,
    SLOT_FINALIZE,
    SLOT_RELEASE_BUFFER,
};

/*
 * slot_patch() - from now on `function` stands in the slot
 *
 * ret_original  what stood there, set before the change
 *
 * Returns 0, or -1 for a layout that we do not know (an exception may be set).
 */
int slot_patch(PyObject *type, enum slot_patch_place place, void *function, void **ret_original);

/* Only in this type, whatever those below it have: what stands there is the caller's business. 0, or -1 for a layout that we do not know. */
int slot_patch_one(PyObject *type, enum slot_patch_place place, void *function);

/*
 * slot_patch_again() - the same for a type that may be met again, or in another copy
 *
 * original  what `function` goes on in: NULL at first, set with the first type. A type that has something else in the slot is
 *           code of others, and is left alone
 *
 * Returns 0, also where it is done already; -1 as above, for what is no type, or for such a type.
 */
int slot_patch_again(PyObject *type, enum slot_patch_place place, void *function, void **original);

/*
 * slot_argument() - an argument of a call of SLOT_INIT or SLOT_NEW; NULL when there is none. Borrowed.
 *
 * Ellipsis where a name is of a class of its own: what that one is equal to, it says when it is asked, and the type asks again.
 */
PyObject *slot_argument(PyObject *args, PyObject *keywords, Py_ssize_t index, const char *name);
