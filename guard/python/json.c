#include "guard/python/json.h"
#include "guard/python/py_cleanup.h"

static struct {
    PyObject *decode;
    PyObject *encode;
} json;

int json_start(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._json");

    if (module == NULL)
        return -1;
    json.decode = PyObject_GetAttrString(module, "decode");
    json.encode = PyObject_GetAttrString(module, "encode");
    return json.decode != NULL && json.encode != NULL ? 0 : -1;
}

PyObject *json_decode(struct bytes text)
{
    cleanup_py PyObject *string =
        PyUnicode_DecodeUTF8(text.data != NULL ? text.data : "", (Py_ssize_t)text.size, "replace");

    if (string == NULL)
        return NULL;
    return PyObject_CallFunctionObjArgs(json.decode, string, NULL);
}

PyObject *json_encode(PyObject *value)
{
    cleanup_py PyObject *text = PyObject_CallFunctionObjArgs(json.encode, value, NULL);

    if (text != NULL && !PyBytes_CheckExact(text)) {
        PyErr_SetString(PyExc_TypeError, "the JSON encoder did not return bytes");
        return NULL;
    }
    return steal(text);
}
