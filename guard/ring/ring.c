#include "guard/ring/ring.h"

#include "guard/ring/broker.h"
#include "guard/ring/capabilities.h"
#include "guard/ring/descriptors.h"
#include "guard/ring/filter.h"
#include "guard/ring/landlock.h"
#include "guard/ring/mount_view.h"
#include "guard/ring/resources.h"
#include "guard/ring/threads.h"

#include <sys/prctl.h>

#define ASKING "on_deny is \"ask\": files are held by the interpreter ring alone"

/* Between ring_prepare() and ring_close(). */
static struct {
    bool prepared;
    int view; /* 0: entered; -errno */
    int asking; /* 0: `broker` waits; -errno: there is none */
    struct broker broker;
    bool serves; /* it has taken over */
} early;

struct closing {
    const struct policy *policy;
    struct ring_paths paths;
    struct ring_report *report;
    bool has_view;
    bool view_hides_all; /* that may not be read */
    int abi;             /* of Landlock; 0 when it could not be enforced */
    bool asks;           /* the broker does what neither of them can hold */
};

void ring_close_inherited(int link_fd)
{
    descriptors_close_inherited(link_fd);
}

void ring_prepare(const struct policy *policy)
{
    if (policy->os_ring == POLICY_OS_RING_OFF)
        return;
    early.prepared = true;
    early.view = mount_view_enter();
    early.asking = -ENOENT;
    if ((early.view < 0 && policy->guards_writes && !policy->asks) || policy->network_allow.count > 0)
        early.asking = broker_start(&early.broker);
}

/* ---- the parts, in the order in which they close --------------------------------------------- */

static int close_view(struct closing *closing)
{
    int result = early.view;

    if (result == 0)
        result = mount_view_close(&closing->paths, &closing->view_hides_all);
    if (result > 0)
        return result;
    closing->has_view = result == 0;
    if (result == 0)
        descriptors_renew_null();
    if (result == 0)
        ring_report_set(closing->report, RING_MOUNT_VIEW, RING_ACTIVE, "%s", "");
    else
        ring_report_set(closing->report, RING_MOUNT_VIEW, RING_MISSING,
                        "no mount namespace to be had here (%s); other parts take over what they "
                        "can; 'protect' is held by the interpreter ring alone",
                        strerror(-result));
    return 0;
}

/* Landlock and the capabilities: what has to be done by each thread. */
static void close_threads(struct closing *closing)
{
    int abi = landlock_abi();
    struct landlock_request request = {.paths = &closing->paths,
                                       .abi = abi,
                                       .shared_memory = closing->has_view,
                                       .denies_by_rules = !closing->view_hides_all};
    cleanup_close int ruleset = abi > 0 ? landlock_ruleset_new(&request) : -1;
    int result = threads_restrict(
        &(struct thread_restrictions){.ruleset = ruleset,
                                      .landlock_flags = landlock_restrict_flags(abi),
                                      .capability_last = capabilities_last()});

    closing->report->landlock_abi = abi;
    if (ruleset < 0)
        ring_report_set(closing->report, RING_LANDLOCK, RING_MISSING,
                        "this Linux has no Landlock (it came with 5.13, and can be switched off)%s",
                        closing->has_view ? "; the mount view alone holds writing" : "");
    else if (result != 0)
        ring_report_set(closing->report, RING_LANDLOCK, RING_PARTIAL,
                        "a thread that a set-up file started could not be restricted (%s)",
                        strerror(-result));
    else
        ring_report_set(closing->report, RING_LANDLOCK, RING_ACTIVE, "ABI %d", abi);
    closing->abi = ruleset >= 0 ? abi : 0;
    if (result == 0 && capabilities_are_gone())
        ring_report_set(closing->report, RING_CAPABILITIES, RING_ACTIVE, "%s", "");
    else
        ring_report_set(closing->report, RING_CAPABILITIES, RING_MISSING,
                        "they could not be dropped in every thread");
}

static struct filter_settings filter_settings_of(const struct closing *closing)
{
    bool held = closing->has_view || !closing->paths.guards_writes;

    return (struct filter_settings){
        .signals = closing->abi >= LANDLOCK_ABI_SCOPE ? FILTER_ALLOW : FILTER_DENY,
        .metadata = held ? FILTER_ALLOW : early.asking == 0 ? FILTER_ASK : FILTER_DENY,
        .network = early.asking == 0 && closing->policy->network_allow.count > 0,
        .allocates = closing->policy->limits.max_write_mb == 0,
        .cuts = held || closing->abi >= LANDLOCK_ABI_TRUNCATE,
    };
}

/* A filter that cannot ask denies: the listener goes with a broker that is gone. */
static int load_filter(struct closing *closing, const struct filter_program *program, bool asks)
{
    int listener = -1;
    int result = filter_load(program, asks, &listener);

    if (result == 0 && asks)
        early.serves = closing->asks = broker_hand_over(&early.broker, listener, &closing->paths,
                                         &closing->policy->protect,
                                         &closing->policy->network_allow) == 0;
    return result;
}

/* One that is not needed ends when our end is closed. */
static void dismiss_broker(const struct closing *closing)
{
    if (early.asking == 0 && !closing->asks && early.broker.socket >= 0)
        close(steal_fd(&early.broker.socket));
}

static bool asks(const struct filter_settings *settings)
{
    return settings->metadata == FILTER_ASK || settings->network;
}

static bool close_filter(struct closing *closing)
{
    static struct filter_program program;
    struct filter_settings settings = filter_settings_of(closing);
    int result = filter_make(&settings, &program);

    if (result == 0)
        result = load_filter(closing, &program, asks(&settings));
    if (result < 0 && asks(&settings)) { /* this Linux cannot ask, or not here */
        settings.metadata = settings.metadata == FILTER_ASK ? FILTER_DENY : settings.metadata;
        settings.network = false;
        result = filter_make(&settings, &program);
        if (result == 0)
            result = load_filter(closing, &program, false);
    }
    dismiss_broker(closing);
    closing->report->proxied = result == 0 && settings.network && closing->asks;
    if (result == 0)
        ring_report_set(closing->report, RING_SECCOMP, RING_ACTIVE, "%s", "");
    else
        ring_report_set(closing->report, RING_SECCOMP, RING_MISSING,
                        "this Linux or processor does not take the filter (%s)", strerror(-result));
    return result == 0;
}

/* ---- what the parts hold together ------------------------------------------------------------ */

static bool denied_lies_in_root(const struct ring_paths *paths)
{
    for (size_t i = 0; i < paths->denied.count; i++)
        if (ring_path_is_in(paths->denied.items[i], &paths->roots))
            return true;
    return false;
}

static void report_reading(const struct closing *closing)
{
    const struct ring_paths *paths = &closing->paths;
    bool by_rules = closing->abi > 0 && (closing->has_view || !denied_lies_in_root(paths));

    if (!paths->guards_reads && paths->denied.count == 0)
        ring_report_set(closing->report, RING_READING, RING_OFF, "the policy denies no reading");
    else if (closing->abi > 0 && (closing->view_hides_all || by_rules))
        ring_report_set(closing->report, RING_READING, RING_ACTIVE, "%s", "");
    else if (closing->view_hides_all && !paths->guards_reads)
        ring_report_set(closing->report, RING_READING, RING_ACTIVE, "%s", "");
    else if (closing->abi > 0)
        ring_report_set(closing->report, RING_READING, RING_PARTIAL,
                        "a denied path inside of a write root is held by the interpreter ring alone");
    else
        ring_report_set(closing->report, RING_READING, closing->has_view ? RING_PARTIAL : RING_MISSING,
                        "without Landlock it is held by the interpreter ring alone");
}

static void report_metadata(const struct closing *closing, bool filters)
{
    if (!closing->paths.guards_writes)
        ring_report_set(closing->report, RING_METADATA, RING_OFF, "ok_dests is \"any\"");
    else if (closing->has_view)
        ring_report_set(closing->report, RING_METADATA, RING_ACTIVE, "%s", "");
    else if (filters)
        ring_report_set(closing->report, RING_METADATA, RING_ACTIVE, "%s",
                        closing->asks ? "by a process that does it below the write roots"
                                      : "refused everywhere, in the write roots as well");
    else
        ring_report_set(closing->report, RING_METADATA, RING_MISSING,
                        "neither a mount view nor a filter");
}

static void report_processes(const struct closing *closing, bool filters)
{
    if (!filters)
        ring_report_set(closing->report, RING_PROCESSES, RING_MISSING, "there is no filter");
    else if (closing->abi == 0)
        ring_report_set(closing->report, RING_PROCESSES, RING_PARTIAL,
                        "without Landlock the memory and environment of the user's other processes "
                        "can be read through /proc");
    else
        ring_report_set(closing->report, RING_PROCESSES, RING_ACTIVE, "%s",
                        closing->abi >= LANDLOCK_ABI_SCOPE
                            ? ""
                            : "no signals at all: Landlock before ABI 6 cannot tell whose they are");
}

/* A person may let any path pass while the session runs, and nothing here can open again. */
static void report_asking(const struct closing *closing)
{
    if (!closing->policy->asks)
        return;
    ring_report_set(closing->report, RING_METADATA, RING_PARTIAL, ASKING);
    ring_report_set(closing->report, RING_READING, RING_PARTIAL, ASKING);
    ring_report_set(closing->report, RING_LANDLOCK, RING_PARTIAL, ASKING);
}

static void report_together(const struct closing *closing, bool filters)
{
    report_reading(closing);
    report_metadata(closing, filters);
    report_processes(closing, filters);
    report_asking(closing);
    ring_report_set(closing->report, RING_DESCRIPTORS, RING_ACTIVE, "%s", "");
    if (filters && closing->policy->network_allow.count > 0 && !closing->report->proxied)
        ring_report_set(closing->report, RING_NETWORK, RING_PARTIAL,
                        "closed, [network] allow as well: this Linux cannot ask the proxy");
    else if (filters)
        ring_report_set(closing->report, RING_NETWORK, RING_ACTIVE, "%s",
                        closing->report->proxied ? "by a proxy, to what [network] allow lists"
                                                 : "closed");
    else
        ring_report_set(closing->report, RING_NETWORK,
                        closing->abi >= LANDLOCK_ABI_NETWORK ? RING_PARTIAL : RING_MISSING,
                        "without a filter nothing stops sockets other than TCP");
}

static int close_all(struct closing *closing, char **ret_problem)
{
    cleanup_free char *gaps = NULL;
    bool filters;

    resources_limit();
    if (close_view(closing) != 0) {
        *ret_problem = xstrdup("the OS ring could not make its view of the file system");
        return -1;
    }
    close_threads(closing);
    /* Landlock keeps other guards out, and lets the kernel process of an ordinary user see what is written and
       what is shared. The broker reads our memory, as nobody under the ring can. */
    if (closing->abi == 0 && early.asking != 0)
        prctl(PR_SET_DUMPABLE, 0);
    filters = close_filter(closing);
    report_together(closing, filters);
    if (closing->policy->os_ring != POLICY_OS_RING_REQUIRE ||
        ring_report_state(closing->report) == RING_ACTIVE)
        return 0;
    gaps = ring_report_gaps(closing->report);
    *ret_problem = xasprintf("os_ring = \"require\", and this system does not give all of it: %s", gaps);
    return -1;
}

int ring_close(const struct policy *policy, struct ring_report *ret_report, char **ret_problem)
{
    struct closing closing = {.policy = policy, .report = ret_report};
    int result = 0;

    *ret_report = (struct ring_report){.wanted = policy->os_ring != POLICY_OS_RING_OFF};
    if (!ret_report->wanted || !early.prepared)
        return 0;
    ring_paths_init(&closing.paths, policy);
    if (policy->asks)
        ring_paths_open(&closing.paths);
    result = close_all(&closing, ret_problem);
    ring_paths_finish(&closing.paths);
    return result;
}

pid_t ring_broker_pid(void)
{
    return early.serves ? early.broker.pid : 0;
}
