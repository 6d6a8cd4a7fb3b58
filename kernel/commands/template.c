/*
 * safepyrun template: start, show and stop the processes that guards are forked from
 *
 * Kernels start them by themselves when their policy wants it; this is for looking, and for a machine that wants
 * one warm before the first kernel.
 */
#include "kernel/commands/command.h"

#include "guard/link/buffer.h"
#include "kernel/commands/python_info.h"
#include "kernel/commands/value_options.h"
#include "kernel/config/options.h"
#include "kernel/config/runtime_folder.h"
#include "kernel/supervisor/template_ask.h"
#include "kernel/supervisor/template_start.h"
#include "kernel/supervisor/templates.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: safepyrun template start [--python PATH] [--shell KIND] [--imports A,B] [--idle SECONDS]\n"
    "       safepyrun template status\n"
    "       safepyrun template stop\n"
    "\n"
    "  start   have one for kernels of this shell (auto) and Python, with what was used lately or A,B; exit status 1 when A or B\n"
    "          cannot be imported\n"
    "  status  which there are\n"
    "  stop    end them all; kernels go on\n"
    "\n"
    "Kernels ask a template when their policy says [warm] templates = true.\n";

static int complain(const char *problem, const char *subject)
{
    fprintf(stderr, "safepyrun template: %s%s\n\n%s", problem, subject, usage);
    return 2;
}

/* A template says nothing of its end, and who starts one by hand would take "started" for an answer. */
static bool is_usable(const char *python)
{
    struct python_info info = PYTHON_INFO_NONE;
    bool usable = python == NULL || python_info_ask(python, &info) == 0; /* which has said why */

    python_info_finish(&info);
    return usable;
}

/* Who names modules wants to know whether they are there. */
static int tell_left_out(const struct templates *templates, const char *imports)
{
    cleanup_free char *path = templates_socket(templates);
    cleanup_free char *left_out = path != NULL ? template_left_out(path, imports) : NULL;

    if (left_out == NULL)
        return fprintf(stderr, "safepyrun template: it has ended, or is not ready within a minute\n"), 1;
    fputs(left_out, stderr);
    return left_out[0] != '\0';
}

static int start(int argc, char **argv)
{
    const char *python = NULL;
    const char *shell = "auto";
    const char *imports = NULL;
    const char *idle = "0";
    const struct value_option known[] = {{"--python", &python},
                                         {"--shell", &shell},
                                         {"--imports", &imports},
                                         {"--idle", &idle},
                                         {NULL, NULL}};
    struct templates templates;
    bool is_new = false;
    int result = value_options_read("safepyrun template", usage, known, argc, argv);
    long idle_seconds;

    if (result >= 0)
        return result;
    if (!value_options_number(idle, INT32_MAX, &idle_seconds))
        return complain("--idle takes a whole number of seconds, not ", idle);
    if (!options_knows_shell(shell))
        return complain("--shell is auto, ipython or plain, not ", shell);
    if (!is_usable(python))
        return 1;
    templates_init(&templates, NULL, &(struct templates_options){.python = python, .shell = shell});
    result = templates_start(&templates, imports, (int)idle_seconds, &is_new);
    if (result == 0)
        puts(is_new ? "started" : "there is one");
    if (result == 0 && imports != NULL)
        result = tell_left_out(&templates, imports);
    templates_finish(&templates);
    if (result == -ENOTSUP)
        return fprintf(stderr, "safepyrun template: there are none while PYTHONPATH is set, and none "
                               "without a folder of your own: $XDG_RUNTIME_DIR or /tmp\n"),
               1;
    if (result < 0)
        return fprintf(stderr, "safepyrun template: %s\n", strerror(-result)), 1;
    return result;
}

/* Each socket, whether somebody listens or not. */
static int ask_all(enum template_kind kind)
{
    cleanup_free char *folder = runtime_folder();
    cleanup_free char *pattern = folder != NULL ? xasprintf("%s/*.s", folder) : NULL;
    size_t found = 0;
    glob_t sockets = {0};

    if (pattern != NULL)
        glob(pattern, 0, NULL, &sockets);
    for (size_t i = 0; i < sockets.gl_pathc; i++) {
        cleanup_free char *answer = kind == TEMPLATE_STOP ? template_stop(sockets.gl_pathv[i])
                                                          : template_question(sockets.gl_pathv[i], kind);

        if (answer == NULL)
            continue;
        printf("%s%s", found++ > 0 && kind != TEMPLATE_STOP ? "\n" : "", answer);
    }
    globfree(&sockets);
    if (found == 0)
        puts("there is none");
    return 0;
}

static int run(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "start") == 0)
        return start(argc - 1, argv + 1);
    if (argc == 2 && strcmp(argv[1], "status") == 0)
        return ask_all(TEMPLATE_STATUS);
    if (argc == 2 && strcmp(argv[1], "stop") == 0)
        return ask_all(TEMPLATE_STOP);
    return argc > 1 ? complain("there is no ", argv[1]) : complain("what about it?", "");
}

const struct command template_command = {"template", "processes that make kernels start faster: start, status, stop", run};
