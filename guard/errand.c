#include "guard/errand.h"

#include "guard/audit/ask.h"
#include "guard/audit/denials.h"
#include "guard/audit/events.h"
#include "guard/audit/scope.h"
#include "guard/link/errands.h"
#include "guard/python/attribution.h"
#include "guard/python/interrupt.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/streams.h"

#include <limits.h>

static unsigned long last_number;

/* Where nothing is judged, or nobody is asked, all is as if there were no errands. */
static bool can_ask(void)
{
    const struct scope *scope = scope_current();

    return scope != NULL && scope->is_process && scope->policy->asks && !link_end_is_detached() &&
           !link_end_is_receiving() && ask_is_possible(attribution_cell());
}

/* ---- a "no" ---------------------------------------------------------------------------------- */

/* The refusal that starting a program meets anyway, with what was added by asking. Returns NULL. */
static PyObject *refuse(enum errand_outcome outcome)
{
    const struct event_row *row = events_find("subprocess.Popen");
    const struct scope *scope = scope_current();
    struct facts facts = {.event = row->name};
    struct denial denial = {.subject = ""};
    size_t size;

    row->check(scope->policy, &facts, &denial);
    size = strlen(denial.reason);
    snprintf(denial.reason + size, sizeof(denial.reason) - size, "%s", errand_outcome_why(outcome));
    denials_raise(row->name, row->words, &denial);
    return NULL;
}

static PyObject *interrupt(void)
{
    if (PyErr_CheckSignals() == 0)
        PyErr_SetNone(PyExc_KeyboardInterrupt);
    return NULL;
}

/* ---- the question and its answer -------------------------------------------------------------- */

struct errand {
    enum errand_program program;
    enum errand_output outputs[2];
    struct bytes text;
    char number[24];
};

static void post(const struct errand *errand, const char *folder)
{
    struct bytes parts[] = {bytes_of_string(errand->number),
                            bytes_of_string(errand_program_word(errand->program)),
                            bytes_of_string(errand_output_word(errand->outputs[0])),
                            bytes_of_string(errand_output_word(errand->outputs[1])),
                            bytes_of_string(folder), errand->text};

    link_end_post(&(struct frame){FRAME_ERRAND, attribution_cell(), 6, parts});
}

static int receive(struct frame *ret_done)
{
    return link_end_drain() < 0 ? -1 : link_end_receive_type(FRAME_ERRAND_DONE, ret_done);
}

/* What a signal's handler raises, an interrupt first of all, ends the errand; its answer still has to
   come before the cell goes on. Returns 0, or -1 with that exception. */
static int wait_for_answer(const struct errand *errand, struct frame *ret_done)
{
    struct bytes number = bytes_of_string(errand->number);
    PyObject *type = NULL;
    PyObject *value = NULL;
    PyObject *traceback = NULL;

    do {
        while (receive(ret_done) < 0) {
            if (type != NULL) {
                PyErr_Clear(); /* it is being ended already */
                continue;
            }
            PyErr_Fetch(&type, &value, &traceback);
            link_end_post(&(struct frame){FRAME_ERRAND_END, attribution_cell(), 1, &number});
        }
    } while (!bytes_equal(ret_done->parts[0], number));
    if (type == NULL)
        return 0;
    PyErr_Restore(type, value, traceback);
    return -1;
}

static PyObject *result_of(const struct frame *done)
{
    enum errand_outcome outcome = errand_outcome_find(done->parts[1]);
    char status[16];

    if (outcome == ERRAND_INTERRUPTED)
        return interrupt();
    if (outcome == ERRAND_FAILED) {
        cleanup_free char *why = xstrndup(done->parts[4].data, done->parts[4].size);

        return PyErr_Format(PyExc_OSError, "the command cannot be started: %s", why);
    }
    if (outcome != ERRAND_RAN)
        return refuse(outcome != ERRAND_OUTCOME_COUNT ? outcome : ERRAND_NOBODY);
    snprintf(status, sizeof(status), "%.*s", (int)done->parts[2].size,
             (const char *)done->parts[2].data);
    return Py_BuildValue("(ly#y#)", strtol(status, NULL, 10), done->parts[3].data,
                         (Py_ssize_t)done->parts[3].size, done->parts[4].data,
                         (Py_ssize_t)done->parts[4].size);
}

static PyObject *send_out(struct errand *errand)
{
    enum interrupt_state before;
    struct frame done;
    char folder[PATH_MAX];
    int result;

    if (getcwd(folder, sizeof(folder)) == NULL)
        return refuse(ERRAND_FOLDER);
    snprintf(errand->number, sizeof(errand->number), "%lu", ++last_number);
    streams_flush_all(); /* what was printed comes before the question */
    before = interrupt_set(INTERRUPT_RAISES); /* also where a cell awaits: no task could be cancelled now */
    post(errand, folder);
    result = wait_for_answer(errand, &done);
    interrupt_set(before);
    return result == 0 ? result_of(&done) : NULL;
}

/* ---- for the glue ----------------------------------------------------------------------------- */

static PyObject *asks_for_errands(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return PyBool_FromLong(can_ask());
}

/* run_errand(program, text, stdout, stderr): (exit status, bytes, bytes); None: as if nobody were asked. */
static PyObject *run_errand(PyObject *self, PyObject *args)
{
    cleanup_py PyObject *encoded = NULL;
    struct errand errand;
    PyObject *text;
    const char *words[3];
    char *data;
    Py_ssize_t size;

    (void)self;
    if (!PyArg_ParseTuple(args, "sUss:run_errand", &words[0], &text, &words[1], &words[2]))
        return NULL;
    if (!can_ask())
        return py_own(Py_None);
    errand.program = errand_program_find(bytes_of_string(words[0]));
    errand.outputs[0] = errand_output_find(bytes_of_string(words[1]));
    errand.outputs[1] = errand_output_find(bytes_of_string(words[2]));
    encoded = PyUnicode_EncodeFSDefault(text);
    /* Without a length to fill in, a 0 inside is a ValueError. */
    if (encoded == NULL || PyBytes_AsStringAndSize(encoded, &data, NULL) < 0)
        return NULL;
    size = PyBytes_Size(encoded);
    if (errand.program == ERRAND_PROGRAM_COUNT || errand.outputs[0] >= ERRAND_JOIN ||
        errand.outputs[1] == ERRAND_OUTPUT_COUNT) {
        PyErr_SetString(PyExc_ValueError, "no such errand");
        return NULL;
    }
    if (size == 0 || size > ERRAND_TEXT_BYTES_MAX)
        return refuse(size == 0 ? ERRAND_NOBODY : ERRAND_LONG);
    errand.text = (struct bytes){data, (size_t)size};
    return send_out(&errand);
}

static PyMethodDef methods[] = {{"asks_for_errands", asks_for_errands, METH_NOARGS, NULL},
                                {"run_errand", run_errand, METH_VARARGS, NULL},
                                {NULL, NULL, 0, NULL}};

int errand_start(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._guard");

    return module != NULL ? PyModule_AddFunctions(module, methods) : -1;
}
