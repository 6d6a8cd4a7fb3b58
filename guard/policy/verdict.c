#include "guard/policy/verdict_parts.h"

#include "guard/policy/import_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum verdict verdict_deny(struct denial *denial, const char *rule, const char *remedy,
                          const char *reason, ...)
{
    va_list arguments;

    denial->rule = rule;
    denial->remedy = remedy;
    denial->may_ask = false; /* few say otherwise, afterwards */
    denial->is_final = false;
    va_start(arguments, reason);
    vsnprintf(denial->reason, sizeof(denial->reason), reason, arguments);
    va_end(arguments);
    return VERDICT_DENY;
}

const char *verdict_remedy_of_program(const char *remedy, char *buffer, size_t size)
{
    static const char file[] = " in the policy file";
    const char *at = strstr(remedy, file);
    const char *half = at != NULL ? strstr(remedy, ", or list") : NULL;

    if (at == NULL)
        return remedy;
    if (half == NULL)
        half = strstr(remedy, ", or leave");
    snprintf(buffer, size, "%.*s%s", (int)((half != NULL ? half : at) - remedy), remedy,
             at + strlen(file));
    return buffer;
}

char *verdict_sentence(const char *words, const char *reason, const char *remedy)
{
    return xasprintf("safepyrun refused to %s: %s%s%s", words, reason, *remedy != '\0' ? "; " : "", remedy);
}

void verdict_name_subject(struct denial *denial, struct bytes text)
{
    snprintf(denial->subject, sizeof(denial->subject), "%.*s", (int)text.size,
             text.data != NULL ? (const char *)text.data : "");
}

enum verdict check_always(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    (void)policy, (void)facts, (void)ret_denial;
    return VERDICT_ALLOW;
}

enum verdict check_never(const struct policy *policy, const struct facts *facts,
                         struct denial *ret_denial)
{
    (void)policy, (void)facts;
    return verdict_deny(ret_denial, VERDICT_RING, "no policy key allows it inside a cell",
                        "cells may not do this");
}

enum verdict check_callback(const struct policy *policy, const struct facts *facts,
                            struct denial *ret_denial)
{
    if (facts->caller != CALLER_USER && facts->caller != CALLER_DEPUTY)
        return VERDICT_ALLOW;
    return check_callback_of_anyone(policy, facts, ret_denial);
}

enum verdict check_callback_of_anyone(const struct policy *policy, const struct facts *facts,
                                      struct denial *ret_denial)
{
    (void)policy, (void)facts;
    return verdict_deny(ret_denial, VERDICT_RING, "put a lambda around it",
                        "it could run in the middle of a registered tool, with its rights");
}

enum verdict check_register(const struct policy *policy, const struct facts *facts,
                            struct denial *ret_denial)
{
    (void)policy, (void)facts;
    verdict_deny(ret_denial, "allow",
                 "call it in a file of [setup] files, in config.py or in the program around the cell",
                 "what a cell may do is not for the cell to say");
    ret_denial->is_final = true;
    return VERDICT_DENY;
}

static bool network_is_proxied;

void verdict_network_is_proxied(void)
{
    network_is_proxied = true;
}

/* The second half is for those who have a policy file: see verdict_remedy_of_program(). */
#define NETWORK_REMEDY                                                                             \
    "put the data into a file and read that, or list host:port under network.allow in the policy file"

enum verdict check_network(const struct policy *policy, const struct facts *facts,
                           struct denial *ret_denial)
{
    (void)facts;
    if (network_is_proxied && policy->network_allow.count > 0)
        return VERDICT_ALLOW;
    if (policy->network_allow.count > 0)
        return verdict_deny(ret_denial, VERDICT_RING, "see in %guard status why the OS ring is not there",
                            "network.allow needs the OS ring");
    return verdict_deny(ret_denial, VERDICT_RING, NETWORK_REMEDY, "cells may not use the network");
}

enum verdict check_own_process(const struct policy *policy, const struct facts *facts,
                               struct denial *ret_denial)
{
    if (facts->number_known && facts->number == (long)getpid())
        return VERDICT_ALLOW;
    return check_never(policy, facts, ret_denial);
}

enum verdict check_monitoring(const struct policy *policy, const struct facts *facts,
                              struct denial *ret_denial)
{
    if (facts->caller == CALLER_HOST)
        return VERDICT_ALLOW;
    return check_never(policy, facts, ret_denial);
}

enum verdict check_other_monitor(const struct policy *policy, const struct facts *facts,
                                 struct denial *ret_denial)
{
    if (facts->caller == CALLER_LIBRARY && facts->is_other_monitor)
        return VERDICT_ALLOW;
    return check_monitoring(policy, facts, ret_denial);
}

enum verdict check_profiler(const struct policy *policy, const struct facts *facts,
                            struct denial *ret_denial)
{
    (void)policy, (void)facts;
    return verdict_deny(ret_denial, VERDICT_RING, "measure parts of it with %timeit or time.perf_counter()",
                        "a profiler is called in the middle of all code, the guard's too");
}

enum verdict check_monitor(const struct policy *policy, const struct facts *facts,
                           struct denial *ret_denial)
{
    return facts->caller == CALLER_HOST ? VERDICT_ALLOW : check_profiler(policy, facts, ret_denial);
}

enum verdict check_breakpoint(const struct policy *policy, const struct facts *facts,
                              struct denial *ret_denial)
{
    return facts->leaves_scope ? check_never(policy, facts, ret_denial) : VERDICT_ALLOW;
}

enum verdict check_library(const struct policy *policy, const struct facts *facts,
                           struct denial *ret_denial)
{
    (void)policy;
    if (facts->caller != CALLER_USER)
        return VERDICT_ALLOW;
    return verdict_deny(ret_denial, VERDICT_RING, "call a library that does it for you",
                        "only library code may do this, not a cell");
}

enum verdict check_own_by_library(const struct policy *policy, const struct facts *facts,
                                  struct denial *ret_denial)
{
    if (facts->number_known && (facts->number == 0 || facts->number == (long)getpid()))
        return check_library(policy, facts, ret_denial);
    return check_never(policy, facts, ret_denial);
}

enum verdict check_thread(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    if (!facts->leaves_scope)
        return check_library(policy, facts, ret_denial);
    return verdict_deny(ret_denial, VERDICT_RING, "use asyncio.to_thread() or run_in_executor()",
                        "a thread of its own would be outside of the guard");
}

enum verdict check_code(const struct policy *policy, const struct facts *facts,
                        struct denial *ret_denial)
{
    (void)policy;
    if (facts->caller != CALLER_USER)
        return VERDICT_ALLOW;
    return verdict_deny(ret_denial, VERDICT_RING, "write the code into a cell of its own",
                        "cells may not make code from text or data");
}

enum verdict check_text(const struct policy *policy, const struct facts *facts,
                        struct denial *ret_denial)
{
    if (facts->is_hosts_own || facts->is_traceback_code)
        return VERDICT_ALLOW;
    return check_code(policy, facts, ret_denial);
}

enum verdict check_new_code(const struct policy *policy, const struct facts *facts,
                            struct denial *ret_denial)
{
    (void)policy;
    if (facts->caller != CALLER_USER && facts->caller != CALLER_DEPUTY)
        return VERDICT_ALLOW;
    return verdict_deny(ret_denial, VERDICT_RING, "write the code into a cell of its own",
                        "cells may not make or change code objects");
}

/* ---- names ---------------------------------------------------------------------------------- */

bool verdict_is_one_of(struct bytes name, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (bytes_equal_string(name, names[i]))
            return true;
    return false;
}

static enum verdict judge_import(const struct policy *policy, struct bytes module,
                                 struct denial *denial)
{
    const char *banned;

    switch (import_rules_ask(policy, module, &banned)) {
    case IMPORT_BANNED:
        return verdict_deny(denial, "ban_imports", "write ban_imports without it in the policy file",
                            "importing %s is banned", banned);
    case IMPORT_NOT_LISTED:
        return verdict_deny(denial, "allowed_imports",
                            "write allowed_imports with it, beside those that %guard policy shows, in the policy file",
                            "only listed modules may be imported");
    case IMPORT_ALLOWED:
        break;
    }
    return VERDICT_ALLOW;
}

/* Also as "package._testcapi": the loader runs the same code for it. */
static bool is_test_module(struct bytes name)
{
    static const char *const modules[] = {"_testcapi",           "_testinternalcapi",
                                          "_testclinic",         "_xxtestfuzz",
                                          "_testlimitedcapi",    "_testbuffer",
                                          "_testmultiphase",     "_testsinglephase",
                                          "_testimportmultiple", "_testclinic_limited",
                                          "_testexternalinspection", "_remote_debugging",
                                          "_ctypes_test",        NULL};
    const char *dot = name.size > 0 ? memrchr(name.data, '.', name.size) : NULL;

    if (dot != NULL)
        name = (struct bytes){dot + 1, name.size - (size_t)(dot + 1 - (const char *)name.data)};
    return verdict_is_one_of(name, modules);
}

enum verdict check_import(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    const struct path_fact *file = &facts->paths[0];

    verdict_name_subject(ret_denial, facts->name);
    if (is_test_module(facts->name))
        return verdict_deny(ret_denial, VERDICT_RING, "do without it",
                            "it holds test functions that write files and change the interpreter");
    if (facts->caller == CALLER_USER &&
        judge_import(policy, facts->name, ret_denial) == VERDICT_DENY)
        return VERDICT_DENY;
    if (facts->path_count > 0 && file->odd)
        return verdict_deny_odd(ret_denial);
    /* A native module of the user's own would run below every check of this ring. */
    if (policy->write_roots == NULL || facts->path_count == 0 || file->text.data == NULL ||
        !write_roots_are_on_the_way(policy->write_roots, file->text))
        return VERDICT_ALLOW;
    verdict_name_subject(ret_denial, file->text);
    return verdict_deny(ret_denial, "ok_dests", "install the package outside of the write roots",
                        "native modules are not loaded from a write root");
}

enum verdict check_attribute_read(const struct policy *policy, const struct facts *facts,
                                  struct denial *ret_denial)
{
    (void)policy;
    if (facts->caller != CALLER_USER)
        return VERDICT_ALLOW;
    verdict_name_subject(ret_denial, facts->name);
    return verdict_deny(ret_denial, VERDICT_RING, "use inspect or traceback, which may look there",
                        "cells may not reach frames and code objects");
}

enum verdict check_attribute_write(const struct policy *policy, const struct facts *facts,
                                   struct denial *ret_denial)
{
    /* What only describes: dataclasses, namedtuple and decorators in cells set these. */
    static const char *const harmless[] = {
        "__doc__",         "__module__",          "__name__",           "__qualname__",
        "__annotations__", "__abstractmethods__", "__text_signature__", NULL};

    (void)policy;
    if (facts->caller != CALLER_USER || verdict_is_one_of(facts->name, harmless))
        return VERDICT_ALLOW;
    verdict_name_subject(ret_denial, facts->name);
    return verdict_deny(ret_denial, VERDICT_RING, "define a new function or class instead",
                        "cells may not change code, defaults or the class of an object");
}

/* A line that begins with '$' is a directive: "$include FILE". Others bind a key or set a variable. */
enum verdict check_readline(const struct policy *policy, const struct facts *facts,
                            struct denial *ret_denial)
{
    const char *text = facts->name.data;
    size_t at = 0;

    (void)policy;
    while (at < facts->name.size && (text[at] == ' ' || text[at] == '\t'))
        at++;
    if (text != NULL && (at == facts->name.size || text[at] != '$'))
        return VERDICT_ALLOW;
    return verdict_deny(ret_denial, VERDICT_RING, "bind keys one by one",
                        "a directive of readline reads any file, and tells what is in it");
}

/* The C library makes a path with it, below the folder of its messages: see check_messages(). */
static bool leads_to_messages(const struct facts *facts)
{
    struct bytes languages = facts->paths[0].text;

    return bytes_equal_string(facts->name, "LANGUAGE") &&
           (facts->paths[0].odd || (languages.size > 0 && memchr(languages.data, '/', languages.size) != NULL));
}

enum verdict check_environment(const struct policy *policy, const struct facts *facts,
                               struct denial *ret_denial)
{
    /* clang-format off */
    static const char *const names[] = {
        "PATH", "ENV", "IFS", "SHELL", "EDITOR", "VISUAL", "PAGER", "BROWSER", "TMPDIR",
        "TEMP", "TMP", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy",
        "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy", "PERL5LIB",
        "NODE_OPTIONS", "GCONV_PATH", "LOCPATH", "NLSPATH", "GETCONF_DIR",
        "GLIBC_TUNABLES", "HOSTALIASES", "LOCALDOMAIN", "HDF5_PLUGIN_PATH",
        "GDAL_DRIVER_PATH", "TERMINFO", "TERMINFO_DIRS", "TERMCAP", "INPUTRC",
        "JAVA_HOME", "R_HOME", "TCLLIBPATH", "TCL_LIBRARY", "TK_LIBRARY", "ODBCSYSINI",
        "AWS_CONFIG_FILE", "CARGO_HOME", "CLASSPATH", "COMPILER_PATH", "CURL_HOME",
        "CVS_RSH", "DOCKER_CONFIG", "DOCKER_HOST", "FFREPORT", "GCC_EXEC_PREFIX",
        "GNUMAKEFLAGS", "GNUPGHOME", "GOENV", "GOFLAGS", "GS_OPTIONS", "HGRCPATH",
        "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "KUBECONFIG",
        "LESSCLOSE", "LESSOPEN", "LIBGL_DRIVERS_PATH", "LIBVA_DRIVERS_PATH", "MAKEFILES",
        "MAKEFLAGS", "MANPAGER", "MEMUSAGE_OUTPUT", "NODE_PATH", "OCL_ICD_VENDORS",
        "PCPROFILE_OUTPUT", "PERL5DB", "PERL5OPT", "PS4", "PSQLRC", "RSYNC_RSH",
        "RUBYLIB", "RUBYOPT", "RUSTC_WRAPPER", "R_ENVIRON", "R_ENVIRON_USER", "R_PROFILE",
        "R_PROFILE_USER", "SHELLOPTS", "SVN_SSH", "TAR_OPTIONS", "TEXMFCNF", "WGETRC",
        "ZIPOPT", NULL};
    static const char *const prefixes[] = {
        "LD_", "PYTHON", "GIT_", "PIP_", "UV_", "SSH_", "DYLD_", "IPYTHON", "JUPYTER",
        "BASH", "npm_config_", "NPM_CONFIG_", "OPENSSL_", "GIO_", "KRB5_", "RES_",
        "SQLITE_", "GST_", "GTK_", "QT_", "MALLOC_", NULL};
    /* clang-format on */
    bool refused = facts->name.data == NULL || verdict_is_one_of(facts->name, names) || leads_to_messages(facts);

    (void)policy;
    for (size_t i = 0; !refused && prefixes[i] != NULL; i++)
        refused = facts->name.size >= strlen(prefixes[i]) &&
                  memcmp(facts->name.data, prefixes[i], strlen(prefixes[i])) == 0;
    if (!refused)
        return VERDICT_ALLOW;
    verdict_name_subject(ret_denial, facts->name);
    return verdict_deny(ret_denial, VERDICT_RING, "set it before the kernel starts",
                        "this variable decides which programs and libraries are used");
}

enum verdict check_socket(const struct policy *policy, const struct facts *facts,
                          struct denial *ret_denial)
{
    const long unix_family = 1; /* AF_UNIX: what asyncio makes its wake-up pair of */

    if (facts->caller != CALLER_USER && facts->number_known && facts->number == unix_family)
        return VERDICT_ALLOW;
    return check_network(policy, facts, ret_denial);
}
