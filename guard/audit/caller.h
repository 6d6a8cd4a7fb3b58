/*
 * caller - whose code is asking, by the identity of code objects
 *
 * A mark sits in the code object itself (co_extra, a field that Python code cannot see): user code is
 * marked before it runs, module-level code of a library when the import system runs it. Names and
 * file names of code objects are not trusted: code that user code brings about through a library
 * (dataclasses, timeit, pandas.eval) is user code too. Not for decisions. The marks live as long as
 * their code objects.
 */
#pragma once

#include "guard/audit/scope.h"
#include "guard/policy/verdict.h"

#include <Python.h>

/* Finds the import system's own code objects. Before user code; -1 with an exception set. Idempotent. */
int caller_init(void);

/* The innermost Python frame: HOST, USER or LIBRARY (also when there is no frame). */
enum caller caller_innermost(const struct scope *scope);

/*
 * caller_on_stack() - walk outwards until a frame decides
 *
 * ret_deputy_is_known  true when the library nearest to the native call is one that needs such calls
 *                      while it runs (a table in caller.c)
 */
enum caller caller_on_stack(const struct scope *scope, bool *ret_deputy_is_known);

/* The scope of the innermost user code on the stack of this thread; NULL for none. In host programs. */
const struct scope *caller_scope_on_stack(void);

/* Looks for asyncio's run_in_executor(), if it is loaded: while no guarded code can stand in its place. */
void caller_find_executor(void);
/* A thread is being started: by an executor that asyncio asked, with no user code in between? Its worker
   calls nothing but what guard/audit/carry has given a scope. */
bool caller_is_asyncio_executor(const struct scope *scope);

/* In the scope of mk_audit(): is the innermost frame the program's own, judged as user code and not compiled under
   a guard? What it runs from text there is user code from then on. */
bool caller_is_hosts_own(const struct scope *scope);
/* Is this the import system's function that runs a module's code? */
bool caller_is_import_system(PyObject *code);

/* Is it judged as user code in this scope? */
bool caller_is_user(const struct scope *scope, PyObject *code);

/* Was it asked before? Then whether it is a library's, whatever the scope is. */
bool caller_is_settled(PyObject *code, bool *ret_is_library);

/* Marks this code object and those nested in it. scope: NULL in the guard process. -1: exception set. */
int caller_mark_user(struct scope *scope, PyObject *code);
bool caller_is_marked_user(PyObject *code);

/* The event "exec" was allowed: what is the code object in its arguments? */
int caller_note_exec(PyObject *args);

/* See audit_begin_host_work(). */
void caller_begin_host_work(void);
void caller_begin_compiling(void);
void caller_end_host_work(void);
