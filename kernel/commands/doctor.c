/*
 * safepyrun doctor: what works on this machine, and why the rest does not
 *
 * It tries instead of guessing: a guard is started as a kernel would start it, and what the OS ring
 * holds is what that guard reports. Each row is one check; only "wrong" means that a kernel would
 * not start.
 */
#include "kernel/commands/command.h"

#include "guard/link/cleanup.h"
#include "kernel/commands/guard_trial.h"
#include "kernel/commands/kernelspec_find.h"
#include "kernel/commands/place.h"
#include "kernel/commands/python_info.h"
#include "kernel/commands/value_options.h"
#include "kernel/config/installation.h"
#include "kernel/records/audit_log.h"
#include "kernel/supervisor/control_group.h"

#include <stdarg.h>
#include <sys/utsname.h>
#include <zmq.h>

static const char usage[] =
    "usage: safepyrun doctor [--python PATH] [--policy FILE]\n"
    "\n"
    "Say what works on this machine and why the rest does not. It starts a guard in the current\n"
    "directory as a kernel would, set-up files of the policy included, and ends it; no cell runs.\n"
    "\n"
    "  --python PATH  the Python that cells are to run in (default: as for `safepyrun install`)\n"
    "  --policy FILE  what `safepyrun kernel --policy` would get\n"
    "\n"
    "Exit status: 0 a kernel would start; 1 not, or an installed kernelspec leads nowhere.\n";

/* How a row begins. "weaker" and "absent" cost something, the words say what; "wrong" costs the
 * kernel. */
static const char FINE[] = "ok";
static const char WEAKER[] = "weaker";
static const char ABSENT[] = "absent";
static const char OFF[] = "off"; /* the policy wants it so */
static const char WRONG[] = "wrong";

struct doctor {
    struct place place; /* for --python */
    const char *policy_file;
    struct python_info python; /* of the cells; PYTHON_INFO_NONE when it could not be asked */
    struct guard_trial trial;
    struct policy_sources sources;
    int kernelspec_count;
    bool is_wrong;
};

/* Each mistake of a policy file is a line, and so is what a set-up file fails with: they stay in their column. */
static void say_lines(const char *text)
{
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1)
        printf("%.*s\n%24s", (int)(end - text), text, "");
    puts(text);
}

static void __attribute__((format(printf, 4, 5)))
say(struct doctor *doctor, const char *verdict, const char *subject, const char *format, ...)
{
    cleanup_free char *text = NULL;
    va_list arguments;

    if (verdict == WRONG)
        doctor->is_wrong = true;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    printf("  %-7s %-13s ", verdict, subject);
    say_lines(text);
}

/* ---- the Python of the cells ---------------------------------------------------------------- */

static void check_python(struct doctor *doctor)
{
    cleanup_free char *command = place_python(&doctor->place);

    fflush(stdout);
    if (python_info_ask(command, &doctor->python) != 0) { /* has said why */
        say(doctor, WRONG, "Python", "%s cannot be used; name another with --python", command);
        return;
    }
    say(doctor, FINE, "Python", "%s, %s", doctor->python.version, doctor->python.executable);
    say(doctor, FINE, "host", "%s",
        doctor->python.is_embedded ? "safepyrun-guard, which embeds this very Python"
                                   : "this Python itself, with the guard as a module");
}

/* ---- the policy ----------------------------------------------------------------------------- */

static void check_policy_files(struct doctor *doctor)
{
    if (doctor->sources.count == 0)
        say(doctor, FINE, "policy files", "none: the preset workspace");
    for (size_t i = 0; i < doctor->sources.count; i++) {
        const struct policy_source *source = &doctor->sources.items[i];

        if (source->problem != NULL)
            say(doctor, WRONG, "policy file", "%s: %s", source->path, source->problem);
        else
            say(doctor, FINE, "policy file", "%s can be read%s", source->path,
                strcmp(source->kind, "project") == 0 ? "; it counts if your own says project_policy = true" : "");
    }
}

/* ---- the guard, by trying ------------------------------------------------------------------- */

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

static void check_shell(struct doctor *doctor)
{
    if (strcmp(text_of(doctor->trial.ready, "shell"), "ipython") == 0)
        say(doctor, FINE, "IPython", "there: magics, completion by jedi, inline plots");
    else
        say(doctor, ABSENT, "IPython", "cells run in a plain shell, without magics and inline plots: %s",
            text_of(doctor->trial.ready, "without_ipython"));
}

/* The guard's own words about each part (guard/ring/parts.def). */
static void check_os_ring(struct doctor *doctor)
{
    json_t *parts = json_object_get(doctor->trial.os_ring, "parts");
    const char *name;
    json_t *part;

    json_object_foreach(parts, name, part)
    {
        const char *state = text_of(part, "state");
        const char *verdict = strcmp(state, "active") == 0    ? FINE
                              : strcmp(state, "partial") == 0 ? WEAKER
                              : strcmp(state, "off") == 0     ? OFF
                                                              : ABSENT;
        const char *why = text_of(part, "why");

        say(doctor, verdict, name, "%s%s%s", state, why[0] != '\0' ? ": " : "", why);
    }
}

static void check_guard(struct doctor *doctor)
{
    if (doctor->python.executable == NULL)
        return;
    guard_trial_run(doctor->python.executable, &doctor->sources, &doctor->trial);
    if (doctor->trial.ready == NULL) {
        say(doctor, WRONG, "guard", "%s", doctor->trial.problem);
        return;
    }
    say(doctor, FINE, "guard", "ready in %ld ms, preset %s", doctor->trial.elapsed_ms,
        text_of(doctor->trial.ready, "preset"));
    check_shell(doctor);
    check_os_ring(doctor);
}

/* ---- what the kernel process needs ---------------------------------------------------------- */

static void check_sockets(struct doctor *doctor)
{
    void *context = zmq_ctx_new();
    void *socket = context != NULL ? zmq_socket(context, ZMQ_ROUTER) : NULL;

    if (socket == NULL || zmq_bind(socket, "tcp://127.0.0.1:*") < 0)
        say(doctor, WRONG, "sockets", "no port of 127.0.0.1 can be bound: %s",
            zmq_strerror(zmq_errno()));
    else
        say(doctor, FINE, "sockets", "ports of 127.0.0.1 can be bound");
    if (socket != NULL)
        zmq_close(socket);
    if (context != NULL)
        zmq_ctx_term(context);
    if (zmq_has("curve"))
        say(doctor, FINE, "CurveZMQ", "libzmq encrypts, when the connection file asks for it");
    else
        say(doctor, ABSENT, "CurveZMQ", "this libzmq was built without it: no encrypted sockets");
}

static void check_audit_log(struct doctor *doctor)
{
    cleanup_free char *path = audit_log_default_path();
    struct audit_log *log;
    int error;

    if (path == NULL) {
        say(doctor, ABSENT, "audit log",
            "no home folder: nothing is kept unless --audit-log names a file");
        return;
    }
    log = audit_log_new(path, AUDIT_LOG_BYTES_MAX);
    error = audit_log_open(log);
    audit_log_free(log);
    if (error < 0)
        say(doctor, ABSENT, "audit log", "%s cannot be written: %s", path, strerror(-error));
    else
        say(doctor, FINE, "audit log", "%s", path);
}

/* ---- around it ------------------------------------------------------------------------------ */

/* One line of a small file of the system; "" without it. */
static void read_line(const char *path, char *ret_line, int capacity)
{
    cleanup_file FILE *file = fopen(path, "re");

    ret_line[0] = '\0';
    if (file != NULL && fgets(ret_line, capacity, file) != NULL)
        ret_line[strcspn(ret_line, "\n")] = '\0';
}

/* Beyond the memory of its group a process is killed, whatever the policy says. */
static void check_cgroup(struct doctor *doctor)
{
    char group[512];
    char limit[64];
    cleanup_free char *path = NULL;

    read_line("/proc/self/cgroup", group, sizeof(group));
    if (strncmp(group, "0::", 3) != 0) {
        say(doctor, FINE, "cgroup", "of version 1: what it limits is not looked at");
        return;
    }
    path = xasprintf("/sys/fs/cgroup%s/memory.max", group + 3);
    read_line(path, limit, sizeof(limit));
    if (limit[0] >= '0' && limit[0] <= '9')
        say(doctor, FINE, "cgroup",
            "%lld MB for all processes of %s; more, and the system ends one of them",
            atoll(limit) / (1024 * 1024), group + 3);
    else
        say(doctor, FINE, "cgroup", "no limit of memory");
}

static void check_own_cgroup(struct doctor *doctor)
{
    const char *reason = NULL;
    cleanup_free char *parent = control_group_find_own(&reason);

    if (parent != NULL)
        say(doctor, FINE, "limits", "a cgroup of each session's own, in %s, resource limits and looks", parent);
    else
        say(doctor, FINE, "limits", "resource limits and looks; no cgroup: %s", reason);
}

static void check_containers(struct doctor *doctor)
{
    cleanup_free char *podman = installation_find_program("podman");
    cleanup_free char *docker = installation_find_program("docker");

    if (podman != NULL || docker != NULL)
        say(doctor, FINE, "containers", "%s on PATH, for `safepyrun containers`",
            podman != NULL && docker != NULL ? "podman and docker are"
            : podman != NULL                 ? "podman is"
                                             : "docker is");
    else
        say(doctor, ABSENT, "containers", "neither podman nor docker on PATH; kernels need none");
}

static void take_kernelspec(void *context, const char *folder, const char *problem)
{
    struct doctor *doctor = context;

    doctor->kernelspec_count++;
    if (problem != NULL)
        say(doctor, WRONG, "kernelspec", "%s: %s", folder, problem);
    else
        say(doctor, FINE, "kernelspec", "%s", folder);
}

static void check_kernelspecs(struct doctor *doctor)
{
    kernelspec_find(doctor->python.prefix, take_kernelspec, doctor);
    if (doctor->kernelspec_count == 0)
        say(doctor, ABSENT, "kernelspec",
            "none found: Jupyter does not know this kernel; safepyrun install --user");
}

/* ---- the command ---------------------------------------------------------------------------- */

static void (*const checks[])(struct doctor *doctor) = {
    check_python,    check_policy_files, check_guard,      check_sockets,
    check_audit_log, check_cgroup,       check_own_cgroup, check_containers,
    check_kernelspecs,
};

static int examine(struct doctor *doctor)
{
    struct utsname system;

    if (uname(&system) == 0)
        printf("safepyrun " SAFEPYRUN_VERSION " on %s %s, %s\n\n", system.sysname, system.release,
               system.machine);
    policy_sources_read(doctor->policy_file, &doctor->sources);
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        checks[i](doctor);
    printf("\n%s\n", doctor->trial.ready == NULL ? "No kernel would start here: see \"wrong\"."
                     : doctor->is_wrong          ? "A kernel would start here, but see \"wrong\"."
                                                 : "A kernel would start here.");
    policy_sources_finish(&doctor->sources);
    guard_trial_finish(&doctor->trial);
    python_info_finish(&doctor->python);
    return doctor->is_wrong ? 1 : 0;
}

static int run(int argc, char **argv)
{
    struct doctor doctor = {.place = PLACE_NONE};
    const struct value_option known[] = {
        {"--python", &doctor.place.python}, {"--policy", &doctor.policy_file}, {NULL, NULL}};
    int status = value_options_read("safepyrun doctor", usage, known, argc, argv);

    return status < 0 ? examine(&doctor) : status;
}

const struct command doctor_command = {"doctor", "what works on this machine, and why not", run};
