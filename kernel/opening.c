#include "kernel/opening.h"

#include "kernel/config/session_policy.h"
#include "kernel/kernel.h"
#include "kernel/records/log.h"
#include "kernel/wire/gateway_file.h"

int opening_connection(struct kernel *kernel, char **ret_error)
{
    const struct options *options = &kernel->options;
    struct gateway_launch launch = {.response_address = options->response_address,
                                    .public_key = options->public_key,
                                    .kernel_id = options->kernel_id,
                                    .port_range = options->port_range,
                                    .transport_encryption = options->transport_encryption};

    if (options->response_address != NULL)
        return gateway_file_make(&launch, &kernel->connection_file, ret_error);
    return connection_file_read(options->connection_file, &kernel->connection_file, ret_error);
}

static struct history *open_history(const char *path)
{
    cleanup_free char *usual = path == NULL ? history_default_path() : NULL;

    return history_new(path != NULL ? path : usual);
}

/* Owned by the caller; NULL: none is kept. */
static char *audit_log_path(const struct options *options)
{
    const char *path = options->audit_log;

    if (path == NULL)
        return audit_log_default_path();
    return strcmp(path, "none") != 0 ? xstrdup(path) : NULL;
}

void opening_make_records(struct kernel *kernel)
{
    kernel->history = open_history(kernel->options.history_file);
    kernel->audit_log_path = audit_log_path(&kernel->options);
    kernel->audit_log = audit_log_new(kernel->audit_log_path, AUDIT_LOG_BYTES_MAX);
}

/* A record that was asked for and is not kept must not go unnoticed; the usual one may be missing. */
int opening_audit_log(struct kernel *kernel, char **ret_error)
{
    int result = audit_log_open(kernel->audit_log);

    if (result == 0)
        return 0;
    if (kernel->options.audit_log == NULL) {
        log_warning("no audit log is kept: %s", strerror(-result));
        return 0;
    }
    *ret_error = xasprintf("cannot open the audit log %s: %s", kernel->options.audit_log,
                           strerror(-result));
    return 1;
}

/* It may lie inside of a write root: in the home folder, say. */
static void protect_audit_log(struct policy *policy, const char *path)
{
    cleanup_free char *old = path != NULL ? xasprintf("%s.1", path) : NULL;

    if (path == NULL)
        return;
    policy_add_read_only(policy, path);
    policy_add_read_only(policy, old);
}

/* So may this one, which the next kernel believes; what other sessions have run is not for this one's cells. */
static void protect_history(struct policy *policy, const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; path != NULL && i < sizeof(endings) / sizeof(endings[0]); i++) {
        cleanup_free char *file = xasprintf("%s%s", path, endings[i]);

        policy_add_secret(policy, file);
        policy_add_read_only(policy, file);
    }
}

/*
 * What is wrong in any of the files, or that one cannot be read, is found by the guard and told by every cell. To end
 * instead would leave whoever has moved a file with a notebook server that says "the kernel died", and not why.
 */
void opening_policy(struct kernel *kernel)
{
    cleanup_policy struct policy *policy = NULL;

    policy_sources_read(kernel->options.policy_file, &kernel->policy_files);
    policy = session_policy_new(&kernel->options, &kernel->policy_files, kernel->private_directory);
    protect_audit_log(policy, kernel->audit_log_path);
    protect_history(policy, history_path(kernel->history));
    policy_encode(policy, &kernel->policy);
}
