/*
 * kernel_protocol_version is what kernel_info says: 5.6, the version of the registration handshake.
 *
 * interrupt_mode is "message": with "signal" the launcher sends SIGINT to the whole process group,
 * the guard and what it started included, and the kernel process could not choose whom to
 * interrupt.
 */
#include "kernel/commands/kernelspec.h"

#include "guard/link/buffer.h"
#include "guard/link/write_all.h"
#include "kernel/commands/logos.h"
#include "kernel/config/installation.h"
#include "kernel/wire/session.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <zmq.h>

#define REMOTE_DIRECTORY "safepyrun-work" /* in the home folder of whom the gateway logs in as */

static void append(json_t *list, const char *text)
{
    if (text != NULL)
        json_array_append_new(list, json_string(text));
}

static void append_option(json_t *list, const char *option, const char *value)
{
    if (value != NULL) {
        append(list, option);
        append(list, value);
    }
}

/*
 * What gateway_provisioners fills in. One word an option: it joins the words to a command for a shell
 * and quotes nothing, so an empty value beside its option would vanish. Cells write in a folder of
 * their own there, because ssh starts the kernel in the home folder, where the settings of shells are.
 */
static json_t *remote_argv(const char *program)
{
    return json_pack("[sssssssss]", program, "kernel", "--response-address={response_address}",
                     "--public-key={public_key}", "--kernel-id={kernel_id}",
                     "--port-range={port_range}", "--transport-encryption={transport_encryption}",
                     "--directory", REMOTE_DIRECTORY);
}

static json_t *remote_provisioner(const char *hosts)
{
    json_t *list = json_array();

    for (const char *at = hosts; *at != '\0'; at += *at == ',') {
        size_t size = strcspn(at, ",");

        if (size > 0)
            json_array_append_new(list, json_stringn(at, size));
        at += size;
    }
    return json_pack("{ss s{so}}", "provisioner_name", "distributed-provisioner", "config",
                     "remote_hosts", list);
}

json_t *kernelspec_json(const struct kernelspec *spec)
{
    json_t *argv = spec->remote_hosts != NULL
                       ? remote_argv(spec->program)
                       : json_pack("[ssss]", spec->program, "kernel", "-f", "{connection_file}");
    json_t *json;

    append_option(argv, "--python", spec->python);
    append_option(argv, "--shell", spec->shell);
    append_option(argv, "--policy", spec->policy_file);
    json = json_pack("{so ss ss ss ss s{sb}}", "argv", argv, "display_name", spec->display_name,
                     "language", "python", "interrupt_mode", "message", "kernel_protocol_version",
                     PROTOCOL_VERSION ".0", "metadata", "debugger", 1);
    if (json != NULL && zmq_has("curve"))
        json_object_set_new(json_object_get(json, "metadata"), "supported_encryption",
                            json_pack("[s]", "curve"));
    if (json != NULL && spec->remote_hosts != NULL)
        json_object_set_new(json_object_get(json, "metadata"), "kernel_provisioner",
                            remote_provisioner(spec->remote_hosts));
    if (json != NULL && spec->env != NULL && json_object_size(spec->env) > 0)
        json_object_set(json, "env", spec->env);
    return json;
}

static int make_folders(const char *folder, char **ret_path)
{
    cleanup_free char *path = xasprintf("%s/", folder);

    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST) {
            int error = errno;

            *ret_path = xstrdup(path);
            return -error;
        }
        *slash = '/';
    }
    return 0;
}

static int fill(int fd, struct bytes content)
{
    int error = write_all(fd, content);

    if (error < 0)
        return error;
    return fchmod(fd, 0644) < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Written beside its place and then renamed into it. */
static int replace_file(const char *folder, const char *name, struct bytes content, char **ret_path)
{
    cleanup_free char *path = xasprintf("%s/%s", folder, name);
    cleanup_free char *draft = xasprintf("%s/.%s.XXXXXX", folder, name);
    cleanup_close int fd = mkostemp(draft, O_CLOEXEC);
    int error = fd < 0 ? -errno : fill(fd, content);

    if (error == 0 && rename(draft, path) < 0)
        error = -errno;
    if (error == 0)
        return 0;
    if (fd >= 0)
        unlink(draft);
    *ret_path = steal(path);
    return error;
}

int kernelspec_write(const char *folder, const struct kernelspec *spec, char **ret_path)
{
    json_t *json = kernelspec_json(spec);
    cleanup_free char *text = json == NULL ? NULL : json_dumps(json, JSON_INDENT(1));
    cleanup_free char *file = NULL;
    int error;

    json_decref(json);
    if (text == NULL) { /* jansson takes UTF-8 only */
        *ret_path = xasprintf("%s/kernel.json", folder);
        return -EILSEQ;
    }
    file = xasprintf("%s\n", text);
    error = make_folders(folder, ret_path);
    for (size_t i = 0; error == 0 && i < LOGO_COUNT; i++)
        error = replace_file(folder, logos[i].name, logo_bytes(&logos[i]), ret_path);
    if (error == 0)
        error = replace_file(folder, "kernel.json", bytes_of_string(file), ret_path);
    return error;
}

static bool is_safepyrun(const char *program)
{
    cleanup_free char *this_program = installation_program();
    const char *slash = strrchr(program, '/');

    return strcmp(slash != NULL ? slash + 1 : program, "safepyrun") == 0 ||
           (this_program != NULL && strcmp(program, this_program) == 0);
}

bool kernelspec_is_ours(const char *folder)
{
    cleanup_free char *path = xasprintf("%s/kernel.json", folder);
    json_t *json = json_load_file(path, 0, NULL);
    json_t *argv = json_object_get(json, "argv");
    const char *program = json_string_value(json_array_get(argv, 0));
    const char *command = json_string_value(json_array_get(argv, 1));
    bool ours = program != NULL && command != NULL && strcmp(command, "kernel") == 0 &&
                is_safepyrun(program);

    json_decref(json);
    return ours;
}

static int remove_file(const char *folder, const char *name, char **ret_path)
{
    cleanup_free char *path = xasprintf("%s/%s", folder, name);
    int error;

    if (unlink(path) == 0 || errno == ENOENT)
        return 0;
    error = -errno;
    *ret_path = steal(path);
    return error;
}

int kernelspec_remove(const char *folder, char **ret_path)
{
    int error = remove_file(folder, "kernel.json", ret_path);

    for (size_t i = 0; error == 0 && i < LOGO_COUNT; i++)
        error = remove_file(folder, logos[i].name, ret_path);
    if (error == 0 && rmdir(folder) < 0) {
        error = -errno;
        *ret_path = xstrdup(folder);
    }
    return error;
}
