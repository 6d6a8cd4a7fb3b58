/*
 * safepyrun-guard: the guard process with an interpreter of its own
 *
 * Serves the one Python whose libpython it is linked with; every other is served by module.c,
 * loaded by that Python itself. The audit hook goes in before the interpreter exists.
 *
 * The same program answers `safepyrun policy`: only a Python can read TOML, and what reads it should be
 * what reads it in a session. No cell, no set-up file and nothing of site-packages runs then.
 */
/* PyConfig is not in the limited API: this file alone belongs to one Python. */
#undef Py_LIMITED_API
#include "guard/audit/audit.h"
#include "guard/guard.h"
#include "guard/link/buffer.h"
#include "guard/link/cleanup.h"
#include "guard/policy_answer.h"
#include "guard/python/compat.h"
#include "guard/template/template.h"

#include <Python.h>

#include <getopt.h>

struct options {
    int link_fd;
    const char *python;
    const char *library_directory; /* NULL: beside this program */
    bool answers;                  /* a question about a policy, instead of serving cells */
    enum policy_question question;
    struct template_settings template; /* listen_fd -1: be a guard */
};

static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"link-fd", required_argument, NULL, 'l'},
                                          {"python", required_argument, NULL, 'p'},
                                          {"glue", required_argument, NULL, 'g'},
                                          {"check-policy", no_argument, NULL, 'c'},
                                          {"show-policy", no_argument, NULL, 's'},
                                          {"show-policy-json", no_argument, NULL, 'j'},
                                          {"template-fd", required_argument, NULL, 't'},
                                          {"template-path", required_argument, NULL, 'P'},
                                          {"template-shell", required_argument, NULL, 'S'},
                                          {"template-imports", required_argument, NULL, 'i'},
                                          {"template-idle", required_argument, NULL, 'd'},
                                          {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'l':
            options->link_fd = atoi(optarg);
            break;
        case 'p':
            options->python = optarg;
            break;
        case 'g':
            options->library_directory = optarg;
            break;
        case 'c':
        case 's':
        case 'j':
            options->answers = true;
            options->question = option == 'c'   ? POLICY_QUESTION_CHECK
                                : option == 's' ? POLICY_QUESTION_SHOW
                                                : POLICY_QUESTION_SHOW_JSON;
            break;
        case 't':
            options->template.listen_fd = atoi(optarg);
            break;
        case 'P':
            options->template.socket_path = optarg;
            break;
        case 'S':
            options->template.shell = optarg;
            break;
        case 'i':
            options->template.imports = optarg;
            break;
        case 'd':
            options->template.idle_seconds = atoi(optarg);
            break;
        default:
            return -1;
        }
    }
    return (options->link_fd > 2) != (options->template.listen_fd > 2) ? 0 : -1;
}

/* A libpython that meets the standard library of another build dies in its first import. */
static void refuse_other_python(const struct options *options)
{
    cleanup_free char *asked = realpath(options->python, NULL);
    cleanup_free char *ours = realpath(SAFEPYRUN_PYTHON, NULL);
    cleanup_free char *reason = NULL;

    if (asked != NULL && ours != NULL && strcmp(asked, ours) == 0)
        return;
    reason =
        xasprintf("safepyrun-guard embeds the Python of %s and cannot run as %s: start that one "
                  "with the module instead (main.py beside safepyrun-guard)",
                  SAFEPYRUN_PYTHON, options->python);
    guard_fail(options->link_fd, reason);
}

static PyStatus initialize(const struct options *options)
{
    PyConfig config;
    PyStatus status;

    PyConfig_InitPythonConfig(&config);
    config.parse_argv = 0;
    config.safe_path = 1; /* a json.py in the working directory must not be ours */
    config.install_signal_handlers = 1;
    config.faulthandler = 0;
    config.use_frozen_modules = 1;
    config.site_import = 0; /* guard/start_path does that when the policy is known */
    if (options->answers) {
        config.isolated = 1;
        config.use_environment = 0;
    }
    status = PyConfig_SetBytesString(&config, &config.executable, options->python);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    return status;
}

static char *own_directory(void)
{
    char *path = realpath("/proc/self/exe", NULL);
    char *slash = path != NULL ? strrchr(path, '/') : NULL;

    if (slash != NULL)
        *slash = '\0';
    return path;
}

static PyStatus preinitialize(void)
{
    PyPreConfig config;

    PyPreConfig_InitPythonConfig(&config);
    config.utf8_mode = 1; /* what a cell prints is UTF-8 whatever the locale */
    config.parse_argv = 0;
    return Py_PreInitialize(&config);
}

int main(int argc, char **argv)
{
    struct options options = {.link_fd = -1,
                              .python = SAFEPYRUN_PYTHON,
                              .template = {.listen_fd = -1,
                                           .socket_path = "",
                                           .shell = "auto",
                                           .imports = ""}};
    cleanup_free char *directory = own_directory();
    const char *missing = NULL;
    PyStatus status;

    if (read_options(argc, argv, &options) < 0 || directory == NULL) {
        fprintf(stderr, "usage: safepyrun-guard --link-fd N [--python PATH] [--glue DIR]\n"
                        "It is started by the kernel, safepyrun, and is of no use alone.\n");
        return 2;
    }
    refuse_other_python(&options);
    if (compat_init(&missing) != 0 || audit_install() < 0)
        guard_fail(options.link_fd, "the audit hook cannot be installed in this Python");
    status = preinitialize();
    if (!PyStatus_Exception(status))
        status = initialize(&options);
    if (PyStatus_Exception(status))
        guard_fail(options.link_fd,
                   status.err_msg != NULL ? status.err_msg : "Python did not start");
    if (options.library_directory == NULL)
        options.library_directory = directory;
    if (options.answers)
        return policy_answer(options.link_fd, options.library_directory, options.question);
    if (options.template.listen_fd >= 0)
        guard_be_template(&options.template, options.library_directory);
    guard_serve(options.link_fd, options.library_directory);
}
