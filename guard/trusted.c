#include "guard/trusted.h"

#include "guard/environment.h"
#include "guard/failed.h"
#include "guard/frozen/frozen.h"
#include "guard/link/buffer.h"
#include "guard/link/descriptors.h"
#include "guard/python/py_cleanup.h"
#include "guard/setup.h"
#include "guard/tools/outside.h"
#include "guard/tools/starter.h"

#include <string.h>
#include <sys/wait.h>

static pid_t starter; /* 0: there is none */

/* The same in a tool process, whose environment is whole, and which has no cells to give names to. */
static int set_up_tools(struct policy *policy, char **ret_problem)
{
    cleanup_py PyObject *names = PyDict_New();

    outside_set_role(OUTSIDE_NOT_NOW);
    if (names == NULL || setup_config(policy) < 0) {
        *ret_problem = xstrdup("the user's config.py cannot be run in the tool process");
        PyErr_Clear(); /* that sentence takes its place */
        return -1;
    }
    outside_set_role(OUTSIDE_TOOL_PROCESS);
    return setup_run(policy, names, ret_problem);
}

/* Only set-up files register tools that run outside. */
int trusted_fork_tools(struct policy *policy, int link_fd)
{
    struct starter_settings settings = {policy, set_up_tools, link_fd + DESCRIPTOR_TOOL_RECORDS};
    cleanup_free char *problem = NULL;
    int bell = -1;
    pid_t pid;

    outside_set_role(OUTSIDE_NOT_NOW);
    if (!descriptor_is_packets(settings.records))
        settings.records = -1;
    if (policy->setup_files.count == 0) {
        if (settings.records >= 0)
            close(settings.records);
        return -1;
    }
    pid = starter_fork(&settings, &bell);
    if (pid < 0) {
        problem = xasprintf("the process that starts tools cannot be forked: %s", strerror((int)-pid));
        failed(problem);
    }
    starter = pid;
    return bell;
}

PyObject *trusted_run(const struct configuration *configuration, int bell)
{
    const struct policy *policy = configuration->policy;
    PyObject *names = PyDict_New();
    cleanup_free char *problem = NULL;

    if (environment_hide(policy) < 0 || environment_prepare_libraries(policy) < 0)
        failed_with_exception("take secrets out of the environment");
    if (names == NULL || setup_add_globals(policy, configuration->result.extra_globals, names) < 0)
        failed_with_exception("make the variables of [extra_globals]");
    if (setup_config(configuration->policy) < 0)
        failed_with_exception("run the user's config.py");
    outside_set_role(OUTSIDE_GUARD);
    if (setup_run(configuration->policy, names, &problem) < 0)
        failed(problem);
    if (outside_start(bell) < 0)
        failed_with_exception("start the process of its tools");
    if (bell >= 0 && outside_bell() < 0)
        waitpid(starter, NULL, 0); /* nobody needs it: it ends at once */
    frozen_keep(outside_bell());
    return names;
}

pid_t trusted_starter(void)
{
    return outside_bell() >= 0 ? starter : 0;
}
