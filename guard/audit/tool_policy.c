#include "guard/audit/tool_policy.h"

#include "guard/audit/callback.h"
#include "guard/audit/host_data.h"
#include "guard/audit/plain.h"
#include "guard/audit/texts.h"
#include "guard/python/error.h"

#include <stdio.h>

static PyObject *default_data; /* dict of plain values; NULL: none */

int tool_policy_read(PyObject *policy, struct tool_policy *ret_policy)
{
    cleanup_py PyObject *only_files = NULL;

    *ret_policy = (struct tool_policy){NULL, false};
    if (policy == NULL || policy == Py_None)
        return 0;
    if (!PyCallable_Check(policy)) {
        PyErr_SetString(PyExc_TypeError,
                        "allow(): a policy is called as policy(obj, args, kwargs, data)");
        return -1;
    }
    only_files = PyObject_GetAttrString(policy, "only_files");
    PyErr_Clear(); /* an ordinary function says nothing about itself */
    *ret_policy = (struct tool_policy){py_own(policy), only_files == Py_True};
    return 0;
}

int tool_policy_set_data(PyObject *dict)
{
    cleanup_py PyObject *plain = plain_copy(dict);
    cleanup_py PyObject *copy = plain != NULL ? host_data_copy(plain, true) : NULL;
    int result;

    if (default_data == NULL)
        default_data = PyDict_New();
    result = copy != NULL && default_data != NULL ? PyDict_Update(default_data, copy) : -1;
    py_hide(default_data);
    return result;
}

/* None: writes are not guarded. */
static PyObject *ok_dests(const struct policy *policy)
{
    cleanup_py PyObject *list = PyList_New(0);
    cleanup_py PyObject *own = NULL;

    if (!policy->guards_writes)
        return py_own(Py_None);
    if (list == NULL || texts_append(list, &policy->ok_dests) < 0 ||
        texts_append(list, &policy->extra_roots) < 0)
        return NULL;
    if (policy->private_directory == NULL)
        return steal(list);
    own = PyUnicode_DecodeFSDefault(policy->private_directory);
    return own != NULL && PyList_Append(list, own) == 0 ? steal(list) : NULL;
}

PyObject *tool_policy_data(const struct policy *policy)
{
    cleanup_py PyObject *data = default_data != NULL ? plain_copy(default_data) : PyDict_New();
    cleanup_py PyObject *roots = data != NULL ? ok_dests(policy) : NULL;

    if (roots == NULL || PyDict_SetItemString(data, "ok_dests", roots) < 0)
        return NULL;
    return steal(data);
}

static PyObject *data_for(const struct tools_question *question)
{
    cleanup_py PyObject *data = tool_policy_data(question->scope->policy);
    cleanup_py PyObject *roots = NULL;
    const struct scope_entry *entry = scope_entry_current();
    cleanup_py PyObject *more = NULL;

    if (data == NULL)
        return NULL;
    roots = py_own(PyDict_GetItemString(data, "ok_dests"));
    /* What the host has given to the runner. */
    if (entry != NULL && entry->data != NULL && PyDict_CheckExact(entry->data)) {
        more = plain_copy(entry->data);
        if (more == NULL || PyDict_Update(data, more) < 0)
            return NULL;
    }
    return PyDict_SetItemString(data, "ok_dests", roots) == 0 ? steal(data) : NULL;
}

static PyObject *arguments_for(const struct recovered *recovered,
                               const struct tools_question *question)
{
    cleanup_py PyObject *self = plain_copy(recovered->self != NULL ? recovered->self : Py_None);
    cleanup_py PyObject *args = self != NULL ? plain_copy(recovered->args) : NULL;
    cleanup_py PyObject *kwargs = args != NULL ? plain_copy(recovered->kwargs) : NULL;
    cleanup_py PyObject *data = kwargs != NULL ? data_for(question) : NULL;

    return data != NULL ? PyTuple_Pack(4, self, args, kwargs, data) : NULL;
}

/* The words of the exception, which is the host's; its __str__ runs as the policy did. */
static void take_words(char words[TOOL_POLICY_WORDS])
{
    cleanup_py PyObject *exception = error_take();
    cleanup_py PyObject *args = exception != NULL ? PyTuple_Pack(1, exception) : NULL;
    cleanup_py PyObject *text =
        args != NULL ? callback_call((PyObject *)&PyUnicode_Type, args) : NULL;
    const char *utf8 = text != NULL ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;

    snprintf(words, TOOL_POLICY_WORDS, "%s", utf8 != NULL ? utf8 : "its policy failed");
    PyErr_Clear();
}

enum tools_answer tool_policy_ask(const struct tool_policy *policy,
                                  const struct recovered *recovered,
                                  const struct tools_question *question,
                                  char ret_words[TOOL_POLICY_WORDS])
{
    cleanup_py PyObject *arguments = NULL;
    cleanup_py PyObject *result = NULL;

    if (policy->callable == NULL)
        return TOOLS_ALLOW;
    if (policy->only_files && !question->is_native_call)
        return TOOLS_SAY_NOTHING;
    arguments = arguments_for(recovered, question);
    if (arguments != NULL)
        result = callback_call(policy->callable, arguments);
    if (result != NULL)
        return TOOLS_ALLOW;
    take_words(ret_words);
    return TOOLS_REFUSE;
}
