/*
 * safepyrun._guard as an extension module (abi3): the guard process inside any Python's own program
 *
 * For virtual environments of another Python than the one that safepyrun-guard embeds: serve() puts the
 * hook in, takes the process over and does not return. A host program gets Runner and Audit instead,
 * which put the hook in when the first of them is made. answer_policy() is the other thing that
 * safepyrun-guard does: see embedded.c.
 */
#include "guard/python/module.h"
#include "guard/tool_functions.h"
#include "guard/audit/audit.h"
#include "guard/guard.h"
#include "guard/hosts/runner_type.h"
#include "guard/hosts/scope_type.h"
#include "guard/policy_answer.h"
#include "guard/python/compat.h"
#include "guard/template/template.h"

#include <Python.h>

#include <stdbool.h>

/* Once: a cell that finds these functions must not start a second guard with a policy of its own. */
static int take_process(void)
{
    static bool is_taken;

    if (is_taken) {
        PyErr_SetString(PyExc_RuntimeError, "this process is a guard already");
        return -1;
    }
    if (audit_install() < 0) {
        PyErr_SetString(PyExc_ImportError, "the audit hook cannot be installed in this Python");
        return -1;
    }
    is_taken = true;
    return 0;
}

static PyObject *serve(PyObject *self, PyObject *args)
{
    int link_fd;

    (void)self;
    if (!PyArg_ParseTuple(args, "i:serve", &link_fd) || take_process() < 0)
        return NULL;
    guard_serve(link_fd, NULL);
}

static PyObject *be_template(PyObject *self, PyObject *args)
{
    struct template_settings settings;

    (void)self;
    if (!PyArg_ParseTuple(args, "isssi:be_template", &settings.listen_fd, &settings.socket_path,
                          &settings.shell, &settings.imports, &settings.idle_seconds) ||
        take_process() < 0)
        return NULL;
    guard_be_template(&settings, NULL);
}

static PyObject *answer_policy(PyObject *self, PyObject *args)
{
    int link_fd, question;

    (void)self;
    if (!PyArg_ParseTuple(args, "ii:answer_policy", &link_fd, &question))
        return NULL;
    if (question < POLICY_QUESTION_CHECK || question > POLICY_QUESTION_SHOW_JSON) {
        PyErr_SetString(PyExc_ValueError, "no such question");
        return NULL;
    }
    return PyLong_FromLong(policy_answer(link_fd, NULL, (enum policy_question)question));
}

static PyMethodDef methods[] = {
    {"serve", serve, METH_VARARGS, "serve(link_fd)\n--\n\nBe the guard process; never returns."},
    {"be_template", be_template, METH_VARARGS,
     "be_template(listen_fd, socket_path, shell, imports, idle_seconds)\n--\n\n"
     "Be what guards are forked from; never returns."},
    {"answer_policy", answer_policy, METH_VARARGS,
     "answer_policy(link_fd, question)\n--\n\nSay what a policy means; returns an exit status."},
    {NULL, NULL, 0, NULL}};

PyMODINIT_FUNC PyInit__guard(void);

PyMODINIT_FUNC PyInit__guard(void)
{
    const char *missing = NULL;
    cleanup_py PyObject *module = NULL;

    if (compat_init(&missing) != 0) {
        PyErr_Format(PyExc_ImportError, "this Python has no %s, which the guard needs", missing);
        return NULL;
    }
    module = module_new(methods);
    if (module == NULL || runner_type_add(module) < 0 || scope_type_add(module) < 0 ||
        tool_functions_add(module) < 0)
        return NULL;
    return steal(module);
}
