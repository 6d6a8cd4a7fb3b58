/*
 * cell - the text of a cell, from source to value
 *
 * transform, parse, user-code rules, compile, register, run: each step once and in this order, for
 * the cells of requests and for those that a magic runs inside of another. What is allowed is asked
 * through hooks, because this folder has no opinion. How errors and values look is the shell's
 * matter.
 */
#pragma once

#include <Python.h>

#include <stdbool.h>

struct cell_hooks {
    /* The user-code rules. Returns 0 or -1 with an exception. */
    int (*check)(PyObject *ast);
    /* Before user code runs for the first time. Returns 0 or -1 with an exception. */
    int (*compiled)(PyObject *code);
    /* A cell has got the file name under which it is compiled; as the user wrote it, and transformed. */
    int (*named)(PyObject *filename, PyObject *text, PyObject *source);
    /* For tracebacks: whose frames are the cell's. */
    bool (*is_user_code)(PyObject *code);
    /* Around what the guard does itself, and around compile() of the user's text on the user's behalf. */
    void (*begin_host_work)(void);
    void (*begin_compiling)(void);
    void (*end_host_work)(void);
};

/* hooks and shell are borrowed and must live on. Returns 0 or -1 with an exception. */
int cell_start(const struct cell_hooks *hooks, PyObject *shell);

struct cell_outcome {
    PyObject *value; /* of the last expression; NULL when there was none or it failed */
    PyObject *error; /* with the frames above the cell stripped; NULL when all went well */
    bool ran;        /* false: the error came before anything ran */
};

void cell_outcome_finish(struct cell_outcome *outcome);
#define cleanup_outcome __attribute__((cleanup(cell_outcome_finish)))

/*
 * cell_run() - run one cell
 *
 * silent  the value of the last expression is not shown
 *
 * Never leaves an exception set: it is in the outcome.
 */
void cell_run(PyObject *source, bool silent, struct cell_outcome *ret_outcome);

/* The value of one expression in the namespace of the cells, under the same rules. New, or NULL. */
PyObject *cell_evaluate(PyObject *source);

/* Such an expression ("eval") or statements ("exec") as user code, not run yet. New, or NULL. */
PyObject *cell_compile(PyObject *source, const char *name, const char *mode);

/* The value of an expression of our own that is to count as the user's: a lambda, say. New, or NULL. */
PyObject *cell_function(const char *text);

/* Whether a code object is a cell's, or of a file that counts as one. */
bool cell_is_user_code(PyObject *code);

/* The dict that cells run in; new. */
PyObject *cell_namespace(void);

/* What was given to cell_start(). */
const struct cell_hooks *cell_hooks(void);

/* The hook alone, for code that has an AST already. Returns 0 or -1 with an exception. */
int cell_check(PyObject *ast);
