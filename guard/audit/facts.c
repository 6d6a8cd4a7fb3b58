#include "guard/audit/facts.h"

#include <fcntl.h>
#include <limits.h>

enum { OPTIONS_BEFORE_MODULE = 5 }; /* of Python, before -m */

static PyObject *item_at(const struct facts_source *source, unsigned place)
{
    if (place == 0 || (Py_ssize_t)place > source->count)
        return NULL;
    if (source->items != NULL)
        return source->items[place - 1];
    return PyTuple_GetItem(source->tuple, place - 1);
}

static bool is_ascii(const char *text, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i < size; i++)
        if ((text[i] & 0x80) != 0)
            return false;
    return true;
}

/* The bytes that the operating system gets for this str or bytes. The UTF-8 form is kept by the str
   itself and is right for ASCII; anything else is encoded as the file system wants it. */
static bool read_text(PyObject *object, PyObject **ret_encoded, struct bytes *ret_text)
{
    Py_ssize_t size = 0;
    char *data = NULL;

    if (PyUnicode_Check(object)) {
        const char *utf8 = PyUnicode_AsUTF8AndSize(object, &size);

        if (utf8 != NULL && is_ascii(utf8, size)) {
            *ret_text = (struct bytes){utf8, (size_t)size};
            return true;
        }
        PyErr_Clear(); /* lone surrogates: bytes that are no UTF-8, undone by the next line */
        object = *ret_encoded = PyUnicode_EncodeFSDefault(object);
        if (object == NULL) {
            PyErr_Clear(); /* no file can have this name */
            return false;
        }
    }
    if (!PyBytes_Check(object) || PyBytes_AsStringAndSize(object, &data, &size) < 0)
        return false;
    *ret_text = (struct bytes){data, (size_t)size};
    return true;
}

static bool read_number(PyObject *object, long *ret_number)
{
    int overflow = 0;

    if (object == NULL || !PyLong_Check(object))
        return false;
    *ret_number = PyLong_AsLongAndOverflow(object, &overflow);
    return overflow == 0;
}

/* What is tried as memory first can be an object that has none in the end, and is a number then: so only the types that nobody
   can change are believed. */
static bool may_be_number(PyObject *object)
{
    long number;

    if (object == NULL || object == Py_None)
        return false;
    if (PyLong_CheckExact(object))
        return !read_number(object, &number) || number != 0;
    return PyIndex_Check(object) || (PyType_GetFlags(Py_TYPE(object)) & Py_TPFLAGS_IMMUTABLETYPE) == 0;
}

static void read_path(PyObject *object, PyObject *dir_fd, PyObject **encoded,
                      struct path_fact *path)
{
    long number;

    if (read_number(dir_fd, &number) && number >= 0 && number <= INT_MAX)
        path->dir_fd = (int)number;
    else if (dir_fd != NULL && dir_fd != Py_None && !PyLong_Check(dir_fd))
        path->odd = path->odd_dir_fd = true; /* its __index__ is asked later, by the call */
    if (object == Py_None)
        return;
    if (read_number(object, &number) && number >= 0 && number <= INT_MAX)
        path->fd = (int)number;
    else if (!read_text(object, encoded, &path->text))
        path->odd = true;
}

static bool is_text_at(PyObject *list, Py_ssize_t place, const char *wanted)
{
    cleanup_py PyObject *encoded = NULL;
    struct bytes text;

    return place < PyList_Size(list) && read_text(PyList_GetItem(list, place), &encoded, &text) &&
           bytes_equal_string(text, wanted);
}

/* "python -m pip", as a shell would be told: with Python the module says what is meant. NULL: none. */
static PyObject *module_command_in(PyObject *list)
{
    PyObject *program = PyList_GetItem(list, 0);
    PyObject *command = NULL;

    for (Py_ssize_t i = 1; command == NULL && i < OPTIONS_BEFORE_MODULE && i + 1 < PyList_Size(list); i++)
        if (is_text_at(list, i, "-m") && PyUnicode_Check(program) && PyUnicode_Check(PyList_GetItem(list, i + 1)))
            command = PyUnicode_FromFormat("%U -m %U", program, PyList_GetItem(list, i + 1));
    PyErr_Clear(); /* the program alone, then */
    return command;
}

/* Of a command that is a list: the program, what it has a shell do, or which module it has Python run. New. */
static PyObject *command_in(PyObject *object)
{
    PyObject *command;

    if (!PyList_CheckExact(object) || PyList_Size(object) == 0)
        return py_own(object);
    if (PyList_Size(object) == 3 && is_text_at(object, 1, "-c"))
        return py_own(PyList_GetItem(object, 2));
    command = module_command_in(object);
    return command != NULL ? command : py_own(PyList_GetItem(object, 0));
}

void facts_read(const struct arguments *where, const struct facts_source *source,
                struct facts_owner *owner, struct facts *ret_facts)
{
    PyObject *name = item_at(source, where->name);

    ret_facts->path_count = 0;
    for (unsigned i = 0; i < FACTS_PATHS; i++) {
        PyObject *object = item_at(source, where->path[i]);
        struct path_fact *path = &ret_facts->paths[i];

        *path = (struct path_fact){.text = BYTES_NONE, .dir_fd = AT_FDCWD, .fd = -1};
        if ((where->keeps_last_link & (1u << i)) != 0)
            path->follow = PATH_KEEP_LAST;
        if (where->path[i] == 0)
            continue;
        ret_facts->path_count++;
        if (object == NULL) /* the event came without the argument it should have */
            path->odd = (where->may_be_missing & (1u << i)) == 0;
        else
            read_path(object, item_at(source, where->dir_fd[i]), &owner->encoded[i], path);
    }
    ret_facts->number_known = read_number(item_at(source, where->number), &ret_facts->number);
    ret_facts->number_odd = item_at(source, where->number) != NULL && !ret_facts->number_known;
    ret_facts->value_is_number = may_be_number(item_at(source, where->value));
    ret_facts->name = BYTES_NONE;
    if (where->names_program && name != NULL)
        name = owner->command = command_in(name);
    if (name != NULL && name != Py_None)
        read_text(name, &owner->encoded[FACTS_PATHS], &ret_facts->name);
}

void facts_owner_finish(struct facts_owner *owner)
{
    Py_XDECREF(owner->command);
    for (size_t i = 0; i < sizeof(owner->encoded) / sizeof(owner->encoded[0]); i++)
        Py_XDECREF(owner->encoded[i]);
}
