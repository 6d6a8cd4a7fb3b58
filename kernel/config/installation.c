#include "kernel/config/installation.h"

#include "guard/link/buffer.h"

#include <glob.h>
#include <limits.h>

#define PACKAGE "safepyrun"

/* An update replaces the program while it runs: what is there now is meant. */
char *installation_program(void)
{
    static const char gone[] = " (deleted)";
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *end;

    if (length <= 0)
        return NULL;
    path[length] = '\0';
    end = path + length - (sizeof(gone) - 1);
    if (end > path && strcmp(end, gone) == 0)
        *end = '\0';
    return xstrdup(path);
}

static char *prefix_of(const char *folder)
{
    const char *slash = strrchr(folder, '/');

    return xstrndup(folder, slash != NULL ? (size_t)(slash - folder) : 0);
}

/* The program's own folder: <prefix>/bin. */
static char *program_folder(void)
{
    cleanup_free char *program = installation_program();

    return program != NULL ? prefix_of(program) : xstrdup(SAFEPYRUN_PROGRAM_DIR);
}

/* <prefix>/lib/python3.11/site-packages of a wheel; NULL in any other shape. */
static char *wheel_folder(const char *prefix)
{
    static const char *const places[] = {"lib/python3.*/site-packages", "lib64/python3.*/site-packages",
                                         "lib/python3.*/dist-packages"};
    char *folder = NULL;

    for (size_t i = 0; folder == NULL && i < sizeof(places) / sizeof(places[0]); i++) {
        cleanup_free char *pattern =
            xasprintf("%s/%s/" PACKAGE "/_guard.abi3.so", prefix, places[i]);
        glob_t found;

        if (glob(pattern, 0, NULL, &found) == 0) {
            cleanup_free char *package = prefix_of(found.gl_pathv[found.gl_pathc - 1]);

            folder = prefix_of(package);
        }
        globfree(&found);
    }
    return folder;
}

/* A library folder of ours has main.py; without one it is a wheel, or broken: then the message names this place. */
static char *package_folder_of(const char *prefix)
{
    cleanup_free char *main_file = xasprintf("%s/lib/safepyrun/main.py", prefix);
    char *wheel = access(main_file, F_OK) == 0 ? NULL : wheel_folder(prefix);

    return wheel != NULL ? wheel : xasprintf("%s/lib/safepyrun", prefix);
}

char *installation_package_folder(void)
{
    cleanup_free char *programs = program_folder();
    cleanup_free char *prefix = prefix_of(programs);

    return package_folder_of(prefix);
}

char *installation_file(const char *name)
{
    cleanup_free char *folder = installation_package_folder();
    const char *end = strrchr(folder, '/');

    /* In a wheel the other files lie in the package, not beside it. */
    if (end != NULL && strcmp(end, "/safepyrun") == 0)
        return xasprintf("%s/%s", folder, name);
    return xasprintf("%s/" PACKAGE "/%s", folder, name);
}

char *installation_find_program(const char *name)
{
    const char *path = getenv("PATH");
    cleanup_free char *list = xstrdup(path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
    char *rest = list;
    char *folder;

    while ((folder = strsep(&rest, ":")) != NULL) {
        cleanup_free char *candidate = xasprintf("%s/%s", folder, name);

        if (folder[0] == '/' && access(candidate, X_OK) == 0)
            return steal(candidate);
    }
    return NULL;
}

/* ".../lib/python3.12/site-packages" -> "python3.12" */
static char *interpreter_name(const char *site_packages)
{
    cleanup_free char *above = prefix_of(site_packages);
    const char *slash = strrchr(above, '/');

    return xstrdup(slash != NULL ? slash + 1 : above);
}

char *installation_python(void)
{
    cleanup_free char *programs = program_folder();
    cleanup_free char *prefix = prefix_of(programs);
    cleanup_free char *settings = xasprintf("%s/pyvenv.cfg", prefix);
    cleanup_free char *sibling = xasprintf("%s/python", programs);
    cleanup_free char *package_folder = installation_package_folder();
    cleanup_free char *name = interpreter_name(package_folder);
    char *found = NULL;

    if (access(settings, F_OK) == 0 && access(sibling, X_OK) == 0)
        return steal(sibling);
    if (strncmp(name, "python3.", 8) == 0) {
        cleanup_free char *beside = xasprintf("%s/%s", programs, name);

        found = access(beside, X_OK) == 0 ? steal(beside) : installation_find_program(name);
    }
    return found != NULL ? found : xstrdup(SAFEPYRUN_PYTHON);
}

/* Absolute, and without the "./": CPython 3.11 frees a pointer into the middle of an executable that begins so, and 3.14 warns of a
   sys.prefix that has it. */
char *installation_python_for(const char *asked)
{
    char folder[PATH_MAX];
    char *found = NULL;

    if (asked == NULL)
        return installation_python();
    if (strchr(asked, '/') == NULL)
        found = installation_find_program(asked);
    while (strncmp(asked, "./", 2) == 0)
        asked += 2;
    if (found == NULL && asked[0] != '/' && getcwd(folder, sizeof(folder)) != NULL)
        found = xasprintf("%s/%s", folder, asked);
    return found != NULL ? found : xstrdup(asked);
}

/* -S: guard/start_path does that when the policy is known. */
const char *const installation_main_options[] = {"-P", "-S", "-X", "utf8", NULL};

bool installation_embeds(const char *python)
{
    cleanup_free char *asked = realpath(python, NULL);
    cleanup_free char *embedded = realpath(SAFEPYRUN_PYTHON, NULL);
    cleanup_free char *program = installation_file("safepyrun-guard");

    return asked != NULL && embedded != NULL && strcmp(asked, embedded) == 0 &&
           access(program, X_OK) == 0 && access(SAFEPYRUN_LIBPYTHON, R_OK) == 0;
}
