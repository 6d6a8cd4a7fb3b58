#include "guard/report.h"

#include "guard/audit/ask.h"
#include "guard/audit/audit.h"
#include "guard/audit/hook.h"
#include "guard/audit/texts.h"
#include "guard/python/py_cleanup.h"

static struct {
    const char *host;
    char *policy_file;
    char *place; /* where it is, or where the user's own would be */
    struct ring_report ring;
} about;

void report_ring(const struct ring_report *ring)
{
    about.ring = *ring;
    if (ring->parts[RING_SECCOMP].state == RING_ACTIVE)
        hook_note_ring(); /* refusals tell it, too */
}

/* [(name, state, why), …] */
static PyObject *ring_parts(void)
{
    cleanup_py PyObject *list = PyList_New(0);

    for (int i = 0; list != NULL && i < RING_PART_COUNT; i++) {
        const struct ring_part_report *part = &about.ring.parts[i];
        cleanup_py PyObject *entry =
            Py_BuildValue("(sss)", ring_part_name((enum ring_part)i), ring_state_name(part->state),
                          part->words);

        if (entry == NULL || PyList_Append(list, entry) < 0)
            return NULL;
    }
    return steal(list);
}

static PyObject *status(PyObject *self, PyObject *unused)
{
    const struct policy *policy = audit_policy();
    cleanup_py PyObject *parts = ring_parts();

    (void)self;
    (void)unused;
    if (parts == NULL)
        return NULL;
    return Py_BuildValue("{s:s,s:s,s:s,s:s,s:s,s:O,s:s,s:O,s:k}", "version", SAFEPYRUN_VERSION, "host",
                         about.host, "preset", policy_preset_name(policy->preset), "policy_file",
                         about.policy_file, "policy_place", about.place, "interpreter_ring",
                         policy->preset != POLICY_OPEN ? Py_True : Py_False, "os_ring",
                         ring_state_name(ring_report_state(&about.ring)), "os_ring_parts", parts,
                         "denial_count", denials_count());
}

/* ---- the policy ----------------------------------------------------------------------------- */

static int add_lists(PyObject *dict, const struct policy *policy)
{
    static const struct {
        const char *key;
        size_t offset;
    } lists[] = {
#define POLICY_LIST(field, key) {key, offsetof(struct policy, field)},
#include "guard/policy/lists.def"
#undef POLICY_LIST
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const void *list = (const char *)policy + lists[i].offset;

        if (lists[i].key[0] != '\0' && py_set(dict, lists[i].key, texts_list(list)) < 0)
            return -1;
    }
    return 0;
}

static int add_limits(PyObject *dict, const struct policy *policy)
{
    size_t count;
    const struct policy_key *keys = policy_keys(&count);

    for (size_t i = 0; i < count; i++) {
        const long *limit = policy_limit(policy, keys[i].name);

        if (limit != NULL && py_set(dict, keys[i].name, PyLong_FromLong(*limit)) < 0)
            return -1;
    }
    return 0;
}

PyObject *report_limits(void)
{
    const struct policy_limits *limits = &audit_policy()->limits;
    cleanup_py PyObject *dict = PyDict_New();

#define POLICY_LIMIT(field, most, usual, strict)                                                   \
    if (dict == NULL || py_set(dict, #field, PyLong_FromLong(limits->field)) < 0)                  \
        return NULL;
#include "guard/policy/limits.def"
#undef POLICY_LIMIT
    return steal(dict);
}

PyObject *report_warm(void)
{
    const struct policy *policy = audit_policy();
    cleanup_buffer struct buffer names = BUFFER_NONE;

    for (size_t i = 0; i < policy->warm_imports.count; i++) {
        buffer_append_string(&names, i > 0 ? "," : "");
        buffer_append_string(&names, policy->warm_imports.items[i]);
    }
    return Py_BuildValue("{s:O,s:z#}", "templates", policy->templates ? Py_True : Py_False, "imports",
                         policy->learns_imports ? NULL : names.size > 0 ? names.data : "",
                         (Py_ssize_t)names.size);
}

PyObject *report_ask(void)
{
    const struct policy *policy = audit_policy();
    cleanup_py PyObject *pass = texts_list(&policy->env_pass);
    cleanup_py PyObject *hide = texts_list(&policy->env_hide);

    if (!policy->asks || policy->preset == POLICY_OPEN)
        return py_own(Py_None);
    if (pass == NULL || hide == NULL)
        return NULL;
    return Py_BuildValue("{s:l,s:O,s:O}", "seconds", policy->ask_seconds, "pass", pass, "hide", hide);
}

static int set_any(PyObject *dict, const char *key, bool is_limited)
{
    return is_limited ? 0 : py_set(dict, key, PyUnicode_FromString("any"));
}

static PyObject *policy(PyObject *self, PyObject *unused)
{
    const struct policy *in_force = audit_policy();
    cleanup_py PyObject *dict = PyDict_New();

    (void)self;
    (void)unused;
    if (dict == NULL ||
        py_set(dict, "preset", PyUnicode_FromString(policy_preset_name(in_force->preset))) < 0 ||
        py_set(dict, "mode", PyUnicode_FromString(in_force->allow_mode ? "allow" : "restrict")) <
            0 ||
        py_set(dict, "ban_defs", PyBool_FromLong(in_force->ban_defs)) < 0 ||
        py_set(dict, "os_ring", PyUnicode_FromString(policy_os_ring_name(in_force->os_ring))) < 0 ||
        py_set(dict, "on_deny", PyUnicode_FromString(in_force->asks ? "ask" : "error")) < 0 ||
        py_set(dict, "outputs", PyUnicode_FromString(in_force->passive_outputs ? "passive" : "any")) < 0 ||
        py_set(dict, "ask_seconds", PyLong_FromLong(in_force->ask_seconds)) < 0 ||
        py_set(dict, "warm.templates", PyBool_FromLong(in_force->templates)) < 0 ||
        add_lists(dict, in_force) < 0 || add_limits(dict, in_force) < 0 ||
        set_any(dict, "ok_dests", in_force->guards_writes) < 0 ||
        set_any(dict, "read_roots", in_force->guards_reads) < 0)
        return NULL;
    return steal(dict);
}

/* What people have let pass for the session: [(event, rule, what, path)]. */
static PyObject *grants(PyObject *self, PyObject *unused)
{
    cleanup_py PyObject *list = PyList_New(0);

    (void)self;
    (void)unused;
    for (size_t i = 0; list != NULL && i < ask_grant_count(); i++) {
        struct grant grant = ask_grant(i);
        cleanup_py PyObject *path = PyUnicode_DecodeFSDefault(grant.subject);
        cleanup_py PyObject *entry =
            path != NULL ? Py_BuildValue("(sssO)", grant.question->event, grant.question->rule,
                                         grant.question->words, path)
                         : NULL;

        if (entry == NULL || PyList_Append(list, entry) < 0)
            return NULL;
    }
    return steal(list);
}

/* ---- refusals ------------------------------------------------------------------------------- */

PyObject *report_denial(const struct denial_record *record)
{
    const struct policy_key *key = policy_key_find(record->rule);

    return Py_BuildValue("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:z,s:l,s:L,s:s}", "event", record->event,
                         "rule", record->rule, "subject", record->subject, "what", record->what,
                         "why", record->why, "remedy", record->remedy, "message", record->message,
                         "rule_meaning", key != NULL ? key->meaning : NULL, "execution_count",
                         record->execution_count, "time", (long long)record->time, "policy_place",
                         about.place);
}

/* The oldest first. */
static PyObject *denials(PyObject *self, PyObject *unused)
{
    cleanup_py PyObject *list = PyList_New(0);
    unsigned long end = denials_count();

    (void)self;
    (void)unused;
    for (unsigned long number = denials_first(); list != NULL && number < end; number++) {
        cleanup_denial struct denial_record *record = denials_get(number);
        cleanup_py PyObject *entry = record != NULL ? report_denial(record) : NULL;

        if (record != NULL && (entry == NULL || PyList_Append(list, entry) < 0))
            return NULL;
    }
    return steal(list);
}

static PyMethodDef methods[] = {{"status", status, METH_NOARGS, NULL},
                                {"policy", policy, METH_NOARGS, NULL},
                                {"grants", grants, METH_NOARGS, NULL},
                                {"denials", denials, METH_NOARGS, NULL},
                                {NULL, NULL, 0, NULL}};

/* Who is told of "the policy file" and has none needs to know where it goes. */
static char *policy_place(const char *policy_file)
{
    const char *config = getenv("XDG_CONFIG_HOME");

    if (policy_file[0] != '\0')
        return xstrdup(policy_file);
    return xasprintf("%s/safepyrun/policy.toml",
                     config != NULL && config[0] == '/' ? config : "~/.config");
}

int report_start(const char *host, const char *policy_file)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._guard");

    about.host = host;
    about.policy_file = xstrdup(policy_file);
    about.place = policy_place(policy_file);
    return module != NULL ? PyModule_AddFunctions(module, methods) : -1;
}
