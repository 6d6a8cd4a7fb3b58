#include "tests/support/cmocka_tests.h"

#include "guard/link/buffer.h"
#include "kernel/commands/command.h"
#include "kernel/commands/kernelspec.h"
#include "kernel/commands/logos.h"
#include "kernel/commands/place.h"

#include <dirent.h>
#include <stdarg.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

static int make_folder(void **state)
{
    char *folder = xstrdup("/tmp/test_install.XXXXXX");

    assert_non_null(mkdtemp(folder));
    unsetenv("VIRTUAL_ENV");
    unsetenv("JUPYTER_DATA_DIR");
    unsetenv("XDG_DATA_HOME");
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* of children: an interpreter keeps memory to its end */
    *state = folder;
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where)
{
    (void)about;
    (void)type;
    (void)where;
    return remove(path);
}

static int remove_folder(void **state)
{
    nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return 0;
}

/* Runs a command without what it prints; arguments end with NULL. */
static int call(const struct command *command, ...)
{
    char *argv[32] = {(char *)(uintptr_t)command->name};
    int argc = 1, status, out, err, nowhere;
    va_list arguments;

    va_start(arguments, command);
    while ((argv[argc] = va_arg(arguments, char *)) != NULL)
        argc++;
    va_end(arguments);
    fflush(NULL);
    out = dup(1);
    err = dup(2);
    nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, 1);
    dup2(nowhere, 2);
    status = command->run(argc, argv);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    close(nowhere);
    return status;
}

static json_t *load(const char *folder, const char *name)
{
    cleanup_free char *path = xasprintf("%s/share/jupyter/kernels/%s/kernel.json", folder, name);

    return json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
}

static bool exists(const char *folder, const char *rest)
{
    cleanup_free char *path = xasprintf("%s/%s", folder, rest);

    return access(path, F_OK) == 0;
}

static void writes_what_jupyter_needs(void **state)
{
    char *folder = *state;
    json_t *json;
    const char *program, *command, *flag, *file, *option, *python, *display_name, *language, *mode, *encryption;
    int debugger;

    assert_int_equal(call(&install_command, "--prefix", folder, NULL), 0);
    json = load(folder, "safepyrun");
    assert_int_equal(json_unpack(json, "{s[ssssss!] ss ss ss ss s{sb s[s!]!} !}", "argv", &program,
                                 &command, &flag, &file, &option, &python, "display_name",
                                 &display_name, "language", &language, "interrupt_mode", &mode,
                                 "kernel_protocol_version", &flag, "metadata", "debugger",
                                 &debugger, "supported_encryption", &encryption),
                     0);
    assert_int_equal(program[0], '/');
    assert_int_equal(access(program, X_OK), 0);
    assert_string_equal(command, "kernel");
    assert_string_equal(file, "{connection_file}");
    assert_string_equal(option, "--python");
    assert_int_equal(access(python, X_OK), 0);
    assert_string_equal(display_name, "Python 3 (safepyrun)");
    assert_string_equal(language, "python");
    assert_string_equal(mode, "message");
    assert_true(debugger);
    assert_string_equal(encryption, "curve");
    json_decref(json);
}

static void remote_kernels_are_for_gateway_provisioners(void **state)
{
    char *folder = *state;
    json_t *json, *argv, *provisioner;
    const char *name, *first, *second;

    assert_int_equal(call(&install_command, "--prefix", folder, "--remote-hosts", "a,,b.example", NULL), 0);
    json = load(folder, "safepyrun");
    argv = json_object_get(json, "argv");
    for (size_t i = 2; i < 7; i++) /* its words have no spaces: an empty value stays with its option */
        assert_non_null(strstr(json_string_value(json_array_get(argv, i)), "={"));
    provisioner = json_object_get(json_object_get(json, "metadata"), "kernel_provisioner");
    assert_int_equal(json_unpack(provisioner, "{ss s{s[ss!]!} !}", "provisioner_name", &name, "config",
                                 "remote_hosts", &first, &second),
                     0);
    assert_string_equal(name, "distributed-provisioner");
    assert_string_equal(first, "a");
    assert_string_equal(second, "b.example");
    json_decref(json);
    assert_int_equal(call(&install_command, "--prefix", folder, "--remote-hosts", ",", NULL), 2);
}

/* The command goes through a shell of the other machine. */
static void words_that_a_shell_would_change_are_refused(void **state)
{
    char *folder = *state;
    cleanup_free char *policy = xasprintf("%s/a b;c.toml", folder);
    cleanup_close int fd = open(policy, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(call(&install_command, "--prefix", folder, "--policy", policy, NULL), 0);
    assert_int_equal(call(&install_command, "--prefix", folder, "--name", "remote", "--policy", policy,
                          "--remote-hosts", "a", NULL),
                     1);
    assert_false(exists(folder, "share/jupyter/kernels/remote"));
}

static void logos_are_those_of_the_sources(void **state)
{
    (void)state;
    for (size_t i = 0; i < LOGO_COUNT; i++) {
        cleanup_free char *path = xasprintf(KERNELSPEC_FOLDER "/%s", logos[i].name);
        cleanup_file FILE *file = fopen(path, "r");
        struct bytes logo = logo_bytes(&logos[i]);
        cleanup_free char *data = xmalloc(logo.size + 1);

        assert_non_null(file);
        assert_int_equal(fread(data, 1, logo.size + 1, file), logo.size);
        assert_memory_equal(data, logo.data, logo.size);
    }
}

static void template_says(const char *path, const char *python)
{
    struct kernelspec spec = {.program = "@SAFEPYRUN_PROGRAM@",
                              .display_name = "Python 3 (safepyrun)",
                              .python = python};
    json_t *ours = kernelspec_json(&spec);
    json_t *template = json_load_file(path, 0, NULL);

    assert_non_null(template);
    assert_true(json_equal(ours, template));
    json_decref(ours);
    json_decref(template);
}

/* `cmake --install` and the wheel write kernel.json from a template, `safepyrun install` from C. */
static void templates_say_the_same(void **state)
{
    (void)state;
    template_says(KERNELSPEC_FOLDER "/kernel.json.in", "@Python3_EXECUTABLE@");
    template_says(KERNELSPEC_FOLDER "/kernel.json.wheel.in", NULL); /* it serves the environment that it lies in */
}

static void options_reach_the_file(void **state)
{
    char *folder = *state;
    cleanup_free char *policy = xasprintf("%s/policy.toml", folder);
    cleanup_close int fd = open(policy, O_WRONLY | O_CREAT, 0600);
    json_t *json;
    const char *shell, *file, *a, *b, *name;

    assert_true(fd >= 0);
    assert_int_equal(call(&install_command, "--prefix", folder, "--name", "Mine.2", "--shell",
                          "plain", "--policy", policy, "--env", "A", "x y", "--env", "B", "--name",
                          "--frozen_modules", NULL),
                     0);
    json = load(folder, "mine.2"); /* Jupyter has its names in lower case */
    assert_int_equal(json_unpack(json, "{s[s*] s{ss ss !} ss}", "argv", &file, "env", "A", &a, "B",
                                 &b, "display_name", &name),
                     0);
    assert_string_equal(a, "x y");
    assert_string_equal(b, "--name");
    assert_string_equal(name, "Mine.2");
    shell = json_string_value(json_array_get(json_object_get(json, "argv"), 7));
    assert_string_equal(shell, "plain");
    file = json_string_value(json_array_get(json_object_get(json, "argv"), 9));
    assert_string_equal(file, policy);
    json_decref(json);
}

static void wrong_arguments_write_nothing(void **state)
{
    char *folder = *state;

    assert_int_equal(call(&install_command, "--prefix", folder, "--user", NULL), 2);
    assert_int_equal(call(&install_command, "--prefix", folder, "--name", "a/b", NULL), 2);
    assert_int_equal(call(&install_command, "--prefix", folder, "--name", "..", NULL), 2);
    assert_int_equal(call(&install_command, "--prefix", folder, "--name", "", NULL), 2);
    assert_int_equal(call(&install_command, "--prefix", folder, "--shell", "fish", NULL), 2);
    assert_int_equal(call(&install_command, "--prefix", folder, "--env", "A", NULL), 2);
    assert_int_equal(call(&install_command, "--prefix", folder, "--env", "A=B", "C", NULL), 2);
    assert_int_equal(call(&install_command, "--prefix", folder, "--env", "A", "\xff", NULL), 2);
    assert_int_equal(call(&install_command, "--prefix", folder, "--profile", "p", NULL), 2);
    assert_int_equal(call(&install_command, "--prefix", folder, "--bogus", NULL), 2);
    assert_int_equal(call(&install_command, "--prefix", folder, "more", NULL), 2);
    assert_int_equal(call(&install_command, "--prefix", folder, "--policy", "/nowhere", NULL), 1);
    assert_int_equal(call(&install_command, "--prefix", folder, "--policy", folder, NULL), 1);
    assert_int_equal(call(&install_command, "--prefix", folder, "--python", "/bin/true", NULL), 1);
    assert_int_equal(call(&install_command, "--prefix", folder, "--python", "/nowhere", NULL), 1);
    assert_false(exists(folder, "share"));
    assert_int_equal(call(&install_command, "--help", NULL), 0);
}

static void user_folders_are_jupyters(void **state)
{
    char *folder = *state;
    cleanup_free char *data = xasprintf("%s/data", folder);
    cleanup_free char *xdg = xasprintf("%s/xdg", folder);

    setenv("HOME", folder, 1);
    assert_int_equal(call(&install_command, "--user", NULL), 0);
    assert_true(exists(folder, ".local/share/jupyter/kernels/safepyrun/kernel.json"));
    setenv("XDG_DATA_HOME", xdg, 1);
    assert_int_equal(call(&install_command, "--user", NULL), 0);
    assert_true(exists(folder, "xdg/jupyter/kernels/safepyrun/kernel.json"));
    setenv("JUPYTER_DATA_DIR", data, 1);
    assert_int_equal(call(&install_command, "--user", NULL), 0);
    assert_true(exists(folder, "data/kernels/safepyrun/kernel.json"));
    assert_int_equal(call(&uninstall_command, "--user", NULL), 0);
    assert_false(exists(folder, "data/kernels/safepyrun"));
    assert_true(exists(folder, "xdg/jupyter/kernels/safepyrun"));
}

/* A program that answers as an environment's Python does, printed junk included. */
static void sys_prefix_is_what_python_says(void **state)
{
    char *folder = *state;
    cleanup_free char *environment = xasprintf("%s/venv", folder);
    cleanup_free char *bin = xasprintf("%s/bin", environment);
    cleanup_free char *python = xasprintf("%s/python", bin);
    FILE *file;
    json_t *json;

    mkdir(environment, 0700);
    mkdir(bin, 0700);
    file = fopen(python, "w");
    assert_non_null(file);
    fprintf(file,
            "#!/bin/sh\necho hello\nprintf '\\036%s\\n%s\\n/base\\n3.12.1\\n312\\ncpython\\n'\n",
            python, environment);
    fclose(file);
    chmod(python, 0700);
    setenv("VIRTUAL_ENV", environment, 1);
    assert_int_equal(call(&install_command, "--sys-prefix", NULL), 0);
    json = load(environment, "safepyrun");
    assert_string_equal(json_string_value(json_array_get(json_object_get(json, "argv"), 5)),
                        python);
    json_decref(json);
    unsetenv("VIRTUAL_ENV");
    assert_int_equal(call(&uninstall_command, "--sys-prefix", "--python", python, NULL), 0);
    assert_false(exists(environment, "share/jupyter/kernels/safepyrun"));
}

static void old_pythons_are_refused(void **state)
{
    char *folder = *state;
    cleanup_free char *python = xasprintf("%s/python3.10", folder);
    FILE *file = fopen(python, "w");

    assert_non_null(file);
    fprintf(file, "#!/bin/sh\nprintf '\\036/p\\n/q\\n/base\\n3.10.9\\n310\\ncpython\\n'\n");
    fclose(file);
    chmod(python, 0700);
    assert_int_equal(call(&install_command, "--prefix", folder, "--python", python, NULL), 1);
    assert_false(exists(folder, "share"));
}

static void python_info_knows_the_embedded_one(void **state)
{
    struct python_info info = PYTHON_INFO_NONE;

    (void)state;
    assert_int_equal(python_info_ask(SAFEPYRUN_PYTHON, &info), 0);
    assert_true(info.is_embedded);
    assert_int_equal(info.executable[0], '/');
    assert_int_equal(strncmp(info.version, "3.", 2), 0);
    python_info_finish(&info);
}

static void installing_again_replaces_and_leaves_no_drafts(void **state)
{
    char *folder = *state;
    cleanup_free char *spec = xasprintf("%s/share/jupyter/kernels/safepyrun", folder);
    struct dirent *entry;
    size_t count = 0;
    DIR *files;
    json_t *json;

    assert_int_equal(call(&install_command, "--prefix", folder, NULL), 0);
    assert_int_equal(call(&install_command, "--prefix", folder, "--display-name", "Two", NULL), 0);
    json = load(folder, "safepyrun");
    assert_string_equal(json_string_value(json_object_get(json, "display_name")), "Two");
    json_decref(json);
    files = opendir(spec);
    assert_non_null(files);
    while ((entry = readdir(files)) != NULL)
        count++;
    closedir(files);
    assert_int_equal(count, 2 + 4);
}

static void uninstall_takes_ours_only(void **state)
{
    char *folder = *state;
    cleanup_free char *spec = xasprintf("%s/share/jupyter/kernels/safepyrun", folder);
    cleanup_free char *other = xasprintf("%s/notes.txt", spec);
    struct kernelspec ours = {
        .program = "/opt/bin/safepyrun", .display_name = "x", .python = "/usr/bin/python3"};
    struct kernelspec foreign = {
        .program = "/usr/bin/python3", .display_name = "x", .python = "/usr/bin/python3"};
    cleanup_free char *path = NULL;
    cleanup_close int fd = -1;

    assert_int_equal(call(&uninstall_command, "--prefix", folder, NULL), 1);
    assert_int_equal(kernelspec_write(spec, &foreign, &path), 0);
    assert_int_equal(call(&uninstall_command, "--prefix", folder, NULL), 1);
    assert_true(exists(spec, "kernel.json"));
    assert_int_equal(kernelspec_write(spec, &ours, &path), 0);
    fd = open(other, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(call(&uninstall_command, "--prefix", folder, NULL), 0);
    assert_false(exists(spec, "kernel.json"));
    assert_true(exists(spec, "notes.txt"));
}

static void no_permission_is_said(void **state)
{
    struct kernelspec spec = {
        .program = "/opt/bin/safepyrun", .display_name = "x", .python = "/usr/bin/python3"};
    cleanup_free char *path = NULL;

    (void)state;
    assert_int_equal(kernelspec_write("/dev/null/x", &spec, &path), -ENOTDIR);
    assert_string_equal(path, "/dev/null/x");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

RUN(IN_FOLDER(writes_what_jupyter_needs), cmocka_unit_test(logos_are_those_of_the_sources),
    cmocka_unit_test(templates_say_the_same), IN_FOLDER(options_reach_the_file),
    IN_FOLDER(remote_kernels_are_for_gateway_provisioners),
    IN_FOLDER(words_that_a_shell_would_change_are_refused),
    IN_FOLDER(wrong_arguments_write_nothing), IN_FOLDER(user_folders_are_jupyters),
    IN_FOLDER(sys_prefix_is_what_python_says), IN_FOLDER(old_pythons_are_refused),
    cmocka_unit_test(python_info_knows_the_embedded_one),
    IN_FOLDER(installing_again_replaces_and_leaves_no_drafts), IN_FOLDER(uninstall_takes_ours_only),
    cmocka_unit_test(no_permission_is_said))
