#include "kernel/config/session_policy.h"

#include "kernel/config/installation.h"
#include "kernel/config/runtime_folder.h"

#include <limits.h>

/* As jupyter_core looks for it: JUPYTER_RUNTIME_DIR, else "runtime" in the data folder. */
static void add_runtime_folders(struct policy *policy)
{
    const char *runtime = getenv("JUPYTER_RUNTIME_DIR");
    const char *data = getenv("JUPYTER_DATA_DIR");
    const char *xdg_data = getenv("XDG_DATA_HOME");
    const char *xdg_runtime = getenv("XDG_RUNTIME_DIR");
    cleanup_free char *in_data = NULL;
    cleanup_free char *in_xdg_data = NULL;
    cleanup_free char *in_xdg_runtime = NULL;

    policy_add_secret(policy, "~/.local/share/jupyter/runtime");
    if (runtime != NULL && runtime[0] == '/')
        policy_add_secret(policy, runtime);
    if (data != NULL && data[0] == '/')
        policy_add_secret(policy, in_data = xasprintf("%s/runtime", data));
    if (xdg_data != NULL && xdg_data[0] == '/')
        policy_add_secret(policy, in_xdg_data = xasprintf("%s/jupyter/runtime", xdg_data));
    if (xdg_runtime != NULL && xdg_runtime[0] == '/')
        policy_add_secret(policy, in_xdg_runtime = xasprintf("%s/jupyter", xdg_runtime));
}

/* Sockets of processes without a guard, and what the next kernel believes. */
static void protect_own_runtime_folder(struct policy *policy)
{
    cleanup_free char *folder = runtime_folder();

    if (folder == NULL)
        return;
    policy_add_secret(policy, folder);
    policy_add_read_only(policy, folder);
}

/*
 * What is run without a guard at the next start: of a kernel (a usercustomize.py), of JupyterLab (extensions, kernelspecs), of
 * a shell, of a session, of an editor; and where installers take packages from. With a home folder as write root it lies
 * inside of that. Whether or not it is there by now.
 */
static void protect_what_starts(struct policy *policy)
{
    static const char *const names[] = {
        "~/.local/lib",    "~/.local/bin",         "~/.local/share/jupyter", "~/.ipython/profile_default/startup",
        "~/.bashrc",       "~/.bash_profile",      "~/.bash_login",          "~/.bash_logout",
        "~/.bash_aliases", "~/.profile",           "~/.zshrc",               "~/.zshenv",
        "~/.zprofile",     "~/.zlogin",            "~/.config/fish",         "~/.config/autostart",
        "~/.config/git",   "~/.config/systemd",    "~/.config/environment.d", "~/.gitconfig",
        "~/.inputrc",      "~/.pam_environment",   "~/.xprofile",            "~/.xsessionrc",
        "~/.xinitrc",      "~/.xsession",          "~/.cshrc",               "~/.tcshrc",
        "~/.kshrc",        "~/.login",             "~/.zlogout",             "~/.local/etc",
        "~/.pdbrc",        "~/.gdbinit",           "~/.local/share/systemd", "~/.local/share/dbus-1",
        "~/.vim",          "~/.vimrc",             "~/.config/nvim",         "~/.ipython/extensions",
        "~/.emacs",        "~/.emacs.d",           "~/.config/emacs",        "~/.ipython/profile_default/ipython_config.py",
        "~/.screenrc",     "~/.tmux.conf",         "~/.config/tmux",        "~/.local/share/bash-completion",
        "~/.bash_completion", "~/.selected_editor", "~/.condarc",           "~/.config/uv"};
    const char *python = getenv("PYTHONUSERBASE");

    /* Without HOME it is the home of the user's entry in passwd, as for "~" in a write root. */
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cleanup_free char *path = write_roots_expand_home(names[i]);

        policy_add_read_only(policy, path);
    }
    if (python != NULL && python[0] == '/') {
        cleanup_free char *path = xasprintf("%s/lib", python);

        policy_add_read_only(policy, path);
    }
}

/* The program and its library folder: as above. */
static void protect_installation(struct policy *policy, const char *python)
{
    cleanup_free char *program = installation_program();
    cleanup_free char *library = installation_file("");
    cleanup_free char *package_folder = installation_package_folder();
    cleanup_free char *package = xasprintf("%s/safepyrun", package_folder);

    if (program != NULL)
        policy_add_read_only(policy, program);
    if (python != NULL) /* perhaps a link; what it is part of is known to the guard */
        policy_add_read_only(policy, python);
    library[strlen(library) - 1] = '\0'; /* the slash before no name */
    policy_add_read_only(policy, library);
    policy_add_read_only(policy, package);
}

static void protect_files(struct policy *policy, const struct policy_sources *sources)
{
    cleanup_free char *user_folder = policy_sources_user_folder();
    char here[PATH_MAX];

    if (user_folder != NULL)
        policy_add_read_only(policy, user_folder);
    if (getcwd(here, sizeof(here)) != NULL) {
        cleanup_free char *project = xasprintf("%s/%s", here, POLICY_PROJECT_FILE);

        policy_add_read_only(policy, project);
    }
    for (size_t i = 0; i < sources->count; i++)
        policy_add_read_only(policy, sources->items[i].path);
}

struct policy *session_policy_new(const struct options *options,
                                  const struct policy_sources *sources,
                                  const char *private_directory)
{
    struct policy *policy = policy_new(POLICY_WORKSPACE);

    for (size_t i = 0; i < options->write_root_count; i++)
        policy_add_write_root(policy, options->write_roots[i]);
    policy_set_private_directory(policy, private_directory);
    if (options->connection_file != NULL) {
        cleanup_free char *path = realpath(options->connection_file, NULL);

        policy_add_secret(policy, path != NULL ? path : options->connection_file);
    }
    add_runtime_folders(policy);
    protect_own_runtime_folder(policy);
    protect_files(policy, sources);
    protect_installation(policy, options->python);
    protect_what_starts(policy);
    return policy;
}

void session_policy_push(struct frame_writer *writer, const char *shell, struct bytes policy,
                         const struct policy_sources *sources)
{
    struct bytes parts[2 + POLICY_SOURCES_MAX * POLICY_SOURCE_PARTS] = {bytes_of_string(shell), policy};
    size_t count = 2 + policy_sources_parts(sources, parts + 2);

    frame_writer_push(writer, &(struct frame){FRAME_CONFIGURE, 0, count, parts});
}
