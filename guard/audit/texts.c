#include "guard/audit/texts.h"

#include "guard/python/py_cleanup.h"

int texts_append(PyObject *list, const struct string_list *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        cleanup_py PyObject *text = PyUnicode_DecodeFSDefault(texts->items[i]);

        if (text == NULL || PyList_Append(list, text) < 0)
            return -1;
    }
    return 0;
}

PyObject *texts_list(const struct string_list *texts)
{
    cleanup_py PyObject *list = PyList_New(0);

    return list != NULL && texts_append(list, texts) == 0 ? steal(list) : NULL;
}
