/* Each decision on facts alone: no interpreter, no files but those that every system has. */
#include "guard/policy/verdict.h"
#include "tests/support/cmocka_tests.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* No descriptor that this process could have inherited, or be given. */
enum { LINK_FD = 4000 };

/* One root, /tmp. */
static int set_up(void **state)
{
    struct policy *policy = policy_new(POLICY_WORKSPACE);
    const char *roots[] = {"/tmp"};

    policy_set(policy, "ok_dests",
               &(struct policy_value){.type = POLICY_STRINGS, .strings = roots, .count = 1});
    policy_seal(policy);
    *state = policy;
    return 0;
}

static int tear_down(void **state)
{
    policy_free(*state);
    return 0;
}

static struct facts facts_of(enum caller caller, const char *path)
{
    struct facts facts = {.event = "test", .caller = caller, .link_fd = LINK_FD, .path_count = 1};

    for (size_t i = 0; i < FACTS_PATHS; i++)
        facts.paths[i] = (struct path_fact){.dir_fd = AT_FDCWD, .fd = -1};
    if (path != NULL)
        facts.paths[0].text = bytes_of_string(path);
    return facts;
}

static enum verdict ask(verdict_function *check, const struct policy *policy, struct facts facts)
{
    struct denial denial = {.rule = NULL};
    enum verdict verdict = check(policy, &facts, &denial);

    if (verdict == VERDICT_DENY) {
        assert_non_null(denial.rule);
        assert_non_null(denial.remedy);
        assert_true(denial.reason[0] != '\0');
    }
    return verdict;
}

static enum verdict open_with(const struct policy *policy, const char *path, const char *mode,
                              long flags)
{
    struct facts facts = facts_of(CALLER_USER, path);

    facts.number = flags;
    facts.number_known = flags >= 0;
    if (mode != NULL)
        facts.name = bytes_of_string(mode);
    return ask(check_open, policy, facts);
}

static void opening_is_judged_by_flags_and_mode(void **state)
{
    static const struct {
        const char *mode;
        long flags;
        enum verdict outside;
    } cases[] = {
        {"r", O_RDONLY | O_CLOEXEC, VERDICT_ALLOW},
        {NULL, O_RDONLY, VERDICT_ALLOW},
        {"rb", -1, VERDICT_ALLOW},
        {"w", -1, VERDICT_DENY},
        {"r+", O_RDONLY, VERDICT_DENY},
        {"U", O_RDONLY, VERDICT_DENY},
        {NULL, O_WRONLY, VERDICT_DENY},
        {NULL, O_RDWR, VERDICT_DENY},
        {NULL, O_ACCMODE, VERDICT_DENY},
        {NULL, O_RDONLY | O_CREAT, VERDICT_DENY},
        {NULL, O_RDONLY | O_TRUNC, VERDICT_DENY},
        {NULL, O_RDONLY | O_APPEND, VERDICT_DENY},
        {NULL, O_TMPFILE, VERDICT_DENY},
        {NULL, -1, VERDICT_DENY}, /* nothing is known: the worst is meant */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(open_with(*state, "/etc/x", cases[i].mode, cases[i].flags),
                         cases[i].outside);
        assert_int_equal(open_with(*state, "/tmp/x", cases[i].mode, cases[i].flags), VERDICT_ALLOW);
    }
    assert_int_equal(open_with(*state, "/dev/null", "w", -1), VERDICT_ALLOW);
}

/* What helps has to be true: an entry is taken off with "!", and no key takes off what no file put on. */
static void a_refusal_names_the_key_that_would_help(void **state)
{
    static const struct {
        const char *path;
        const char *mode;
        const char *reason;
        const char *remedy;
    } cases[] = {
        {"/etc/x", "w", "'/tmp'", "below a write root, or add its folder to ok_dests"},
        {"/tmp/a/.git/config", "w", "a name in it", "\"!\" before it at the end of protect"},
        {"/tmp/policy.toml", "w", "policy files", "no key"},
        {"/etc/shadow", "r", "\"/etc/shadow\" is in deny_read", "\"!\" before it at the end of deny_read"},
        {"/etc/shadow-", "r", "\"/etc/shadow-\" is in deny_read", "\"!\" before it at the end of deny_read"},
        {"/run/jupyter/kernel.json", "r", "keys and records", "no key"},
    };
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    const char *roots[] = {"/tmp"};

    (void)state;
    policy_set(policy, "ok_dests",
               &(struct policy_value){.type = POLICY_STRINGS, .strings = roots, .count = 1});
    policy_add_read_only(policy, "/tmp/policy.toml");
    policy_add_secret(policy, "/run/jupyter");
    policy_seal(policy);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct facts facts = facts_of(CALLER_USER, cases[i].path);
        struct denial denial = {.rule = NULL};

        facts.name = bytes_of_string(cases[i].mode);
        assert_int_equal(check_open(policy, &facts, &denial), VERDICT_DENY);
        assert_non_null(strstr(denial.reason, cases[i].reason));
        assert_non_null(strstr(denial.remedy, cases[i].remedy));
    }
}

static void a_descriptor_is_judged_where_it_can_do_harm(void **state)
{
    int fd = open("/etc/passwd", O_RDONLY);
    struct facts facts = facts_of(CALLER_USER, NULL);

    facts.paths[0].fd = fd;
    facts.name = BYTES_LITERAL("w");
    assert_int_equal(ask(check_open, *state, facts), VERDICT_ALLOW);       /* it cannot write */
    assert_int_equal(ask(check_truncate, *state, facts), VERDICT_ALLOW);   /* nor cut */
    assert_int_equal(ask(check_write_roots, *state, facts), VERDICT_DENY); /* but change the mode */
    facts.paths[0].fd = facts.link_fd;
    assert_int_equal(ask(check_open, *state, facts), VERDICT_DENY);
    close(fd);
}

static void odd_paths_are_refused(void **state)
{
    struct facts facts = facts_of(CALLER_LIBRARY, NULL);

    facts.paths[0].odd = true;
    facts.name = BYTES_LITERAL("w");
    assert_int_equal(ask(check_open, *state, facts), VERDICT_DENY);
    assert_int_equal(ask(check_write_roots, *state, facts), VERDICT_DENY);
    assert_int_equal(ask(check_mkdir, *state, facts), VERDICT_DENY);
    assert_int_equal(ask(check_chdir, *state, facts), VERDICT_DENY);
    assert_int_equal(ask(check_sqlite, *state, facts), VERDICT_DENY);
    assert_int_equal(ask(check_truncate, *state, facts), VERDICT_DENY);
}

static void a_name_with_a_directory_is_judged_with_it(void **state)
{
    int etc = open("/etc", O_RDONLY | O_DIRECTORY);
    struct facts facts = facts_of(CALLER_USER, "x");

    facts.number = O_WRONLY;
    facts.number_known = true;
    assert_int_equal(ask(check_open_at, *state, facts),
                     VERDICT_ALLOW); /* the event judges this one */
    facts.paths[0].dir_fd = etc;
    assert_int_equal(ask(check_open_at, *state, facts), VERDICT_DENY);
    facts.paths[0].dir_fd = AT_FDCWD;
    facts.paths[0].odd = facts.paths[0].odd_dir_fd = true;
    assert_int_equal(ask(check_open_at, *state, facts), VERDICT_DENY);
    close(etc);
}

static void roots_themselves_stay(void **state)
{
    assert_int_equal(ask(check_write_roots, *state, facts_of(CALLER_USER, "/tmp")), VERDICT_DENY);
    assert_int_equal(ask(check_mkdir, *state, facts_of(CALLER_USER, "/tmp")), VERDICT_ALLOW);
    assert_int_equal(ask(check_chdir, *state, facts_of(CALLER_USER, "/tmp")), VERDICT_ALLOW);
    assert_int_equal(ask(check_chdir, *state, facts_of(CALLER_USER, "/etc")), VERDICT_DENY);
    assert_int_equal(ask(check_write_roots, *state, facts_of(CALLER_USER, "/dev/null")),
                     VERDICT_DENY);
}

static void databases_are_files_with_other_names(void **state)
{
    static const struct {
        const char *name;
        enum verdict verdict;
    } cases[] = {
        {":memory:", VERDICT_ALLOW},
        {"", VERDICT_ALLOW},
        {"/tmp/x.db", VERDICT_ALLOW},
        {"/etc/x.db", VERDICT_DENY},
        {"file:/etc/x.db", VERDICT_DENY},
        {"file:///etc/x.db?mode=ro", VERDICT_DENY},
        {"file://localhost/etc/x.db", VERDICT_DENY},
        {"file://elsewhere/tmp/x.db", VERDICT_DENY},
        {"file:%2Fetc%2Fx.db", VERDICT_DENY},
        {"file:/tmp/x%00.db", VERDICT_DENY},
        {"file:/tmp/a% 2f/x.db", VERDICT_DENY}, /* SQLite reads no space as a digit */
        {"file:/tmp/a%+2/x.db", VERDICT_DENY},
        {"file:/tmp/a%2", VERDICT_DENY},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].name);
        assert_int_equal(ask(check_sqlite, *state, facts_of(CALLER_USER, cases[i].name)),
                         cases[i].verdict);
    }
    assert_int_equal(ask(check_attach, *state, facts_of(CALLER_USER, NULL)), VERDICT_DENY);
    assert_int_equal(ask(check_attach, *state, facts_of(CALLER_USER, "/tmp/x.db")), VERDICT_ALLOW);
}

/* A list in a file takes the place of the preset's, and what is only matplotlib's is nobody else's. */
static void a_remedy_does_not_take_away_what_was_there(void **state)
{
    static const struct {
        enum policy_preset preset;
        const char *root;
        const char *remedy;
    } cases[] = {
        {POLICY_WORKSPACE, NULL, "ok_dests beside \".\" in the policy file"},
        {POLICY_READ_ONLY, NULL, "show it instead of writing it, or add its folder"},
        {POLICY_READ_ONLY, "/srv", "use a path below a write root"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cleanup_policy struct policy *policy = policy_new(cases[i].preset);
        struct facts facts = facts_of(CALLER_USER, "/etc/x");
        struct denial denial = {.rule = NULL};

        policy_set_private_directory(policy, "/tmp/private");
        if (cases[i].root != NULL)
            policy_add_write_root(policy, cases[i].root);
        policy_seal(policy);
        facts.name = bytes_of_string("w");
        assert_int_equal(check_open(policy, &facts, &denial), VERDICT_DENY);
        assert_non_null(strstr(denial.remedy, cases[i].remedy));
    }
}

static void a_refused_program_has_its_own_remedy(void **state)
{
    static const struct {
        const char *command;
        const char *remedy;
    } cases[] = {
        {"ls -la data", "os.listdir()"}, {"/usr/bin/git\tlog", "run git in a terminal"},
        {"  wc\n", "open() reads"},      {"pip3", "install packages"},
        {"python -m pip install x", "install packages"}, {"lsof", "a Python library"},
        {"python -P -m uv pip", "install packages"},     {"python -m pipeline", "into a cell"},
        {"python -m", "into a cell"},
        {"/", "a Python library"},       {NULL, "a Python library"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct facts facts = facts_of(CALLER_USER, NULL);
        struct denial denial = {.rule = NULL};

        facts.name = cases[i].command != NULL ? bytes_of_string(cases[i].command) : BYTES_NONE;
        assert_int_equal(check_program(*state, &facts, &denial), VERDICT_DENY);
        assert_non_null(strstr(denial.remedy, cases[i].remedy));
        assert_non_null(strstr(denial.remedy, "outside=True"));
    }
}

static void who_asks_decides(void **state)
{
    static const struct {
        verdict_function *check;
        enum verdict
            verdicts[5]; /* in the order of enum caller: host, user, deputy, library, import */
    } cases[] = {
#define YES VERDICT_ALLOW
#define NO VERDICT_DENY
        {check_always, {YES, YES, YES, YES, YES}}, {check_never, {NO, NO, NO, NO, NO}},
        {check_program, {NO, NO, NO, NO, NO}},     {check_network, {NO, NO, NO, NO, NO}},
        {check_library, {YES, NO, YES, YES, YES}}, {check_code, {YES, NO, YES, YES, YES}},
        {check_text, {YES, NO, YES, YES, YES}},
        {check_new_code, {YES, NO, NO, YES, YES}}, {check_attribute_read, {YES, NO, YES, YES, YES}},
        {check_native, {NO, NO, NO, NO, YES}},   {check_cffi, {NO, NO, NO, NO, NO}},
#undef YES
#undef NO
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int caller = CALLER_HOST; caller <= CALLER_IMPORT; caller++)
            assert_int_equal(ask(cases[i].check, *state, facts_of((enum caller)caller, NULL)),
                             cases[i].verdicts[caller]);
}

static void the_program_around_may_run_text(void **state)
{
    struct facts facts = facts_of(CALLER_USER, NULL);

    facts.is_hosts_own = true;
    assert_int_equal(ask(check_text, *state, facts), VERDICT_ALLOW);
    assert_int_equal(ask(check_code, *state, facts), VERDICT_DENY);
}

static void native_calls_ask_for_numbers(void **state)
{
    struct facts facts = facts_of(CALLER_LIBRARY, "/usr/lib/x86_64-linux-gnu/libgomp.so.1");

    facts.deputy_is_known = facts.number_known = true;
    facts.number = NATIVE_NUMBERS;
    facts.name = BYTES_LITERAL("omp_get_max_threads");
    assert_int_equal(ask(check_native_call, *state, facts), VERDICT_ALLOW);
    facts.name = BYTES_LITERAL("scipy_openblas_get_num_threads64_");
    assert_int_equal(ask(check_native_call, *state, facts), VERDICT_ALLOW);
    facts.name = BYTES_LITERAL("scipy_openblas_get_config64_"); /* returns a text */
    assert_int_equal(ask(check_native_call, *state, facts), VERDICT_DENY);
    facts.number = NATIVE_TEXT;
    assert_int_equal(ask(check_native_call, *state, facts), VERDICT_ALLOW);
    facts.name = BYTES_LITERAL("omp_get_max_threads");
    assert_int_equal(ask(check_native_call, *state, facts), VERDICT_DENY);
    facts.number = NATIVE_ANYTHING;
    assert_int_equal(ask(check_native_call, *state, facts), VERDICT_DENY);
    facts.number = NATIVE_NUMBERS;
    facts.name = BYTES_LITERAL("omp_get_place_proc_ids");
    assert_int_equal(ask(check_native_call, *state, facts), VERDICT_DENY);
    facts.name = BYTES_LITERAL("system");
    assert_int_equal(ask(check_native_call, *state, facts), VERDICT_DENY);
    facts = facts_of(CALLER_IMPORT, "/usr/lib/python3/dist-packages/x/_x.so");
    assert_int_equal(ask(check_native_call, *state, facts), VERDICT_DENY);
    facts.paths[0].text = BYTES_NONE;
    assert_int_equal(ask(check_native_call, *state, facts), VERDICT_DENY);
}

static void test_modules_are_nobodys(void **state)
{
    static const char *const names[] = {"_testcapi", "x._testcapi", "_testinternalcapi", NULL};

    for (size_t i = 0; names[i] != NULL; i++) {
        struct facts facts = facts_of(CALLER_LIBRARY, NULL);

        facts.name = bytes_of_string(names[i]);
        assert_int_equal(ask(check_import, *state, facts), VERDICT_DENY);
    }
}

static void variables_that_steer_programs_are_refused(void **state)
{
    static const char *const refused[] = {
        "PATH", "LD_PRELOAD", "PYTHONPATH", "GCONV_PATH", "OPENSSL_CONF", "HDF5_PLUGIN_PATH",
        "BASH_FUNC_ls%%", "MAKEFLAGS", "TAR_OPTIONS", "MEMUSAGE_OUTPUT", NULL};
    static const char *const allowed[] = {"OMP_NUM_THREADS", "MPLBACKEND", "TZ", "DATA_PATH", NULL};
    struct facts facts = facts_of(CALLER_LIBRARY, NULL);

    for (size_t i = 0; refused[i] != NULL; i++) {
        facts.name = bytes_of_string(refused[i]);
        assert_int_equal(ask(check_environment, *state, facts), VERDICT_DENY);
    }
    for (size_t i = 0; allowed[i] != NULL; i++) {
        facts.name = bytes_of_string(allowed[i]);
        assert_int_equal(ask(check_environment, *state, facts), VERDICT_ALLOW);
    }
}

static void the_link_is_nobodys(void **state)
{
    struct facts facts = facts_of(CALLER_LIBRARY, NULL);

    facts.number_known = true;
    facts.number = LINK_FD;
    assert_int_equal(ask(check_link, *state, facts), VERDICT_DENY);
    facts.number = LINK_FD + 1;
    assert_int_equal(ask(check_link, *state, facts), VERDICT_ALLOW);
    facts.number_known = false;
    facts.number_odd = true;
    assert_int_equal(ask(check_link, *state, facts), VERDICT_DENY);
    facts.paths[0].fd = 3;
    facts.paths[1].fd = LINK_FD + 1;
    facts.path_count = 2;
    assert_int_equal(ask(check_link_range, *state, facts), VERDICT_DENY);
    assert_int_equal(ask(check_link_pair, *state, facts), VERDICT_ALLOW);
    facts.paths[1].fd = LINK_FD; /* a range ends before its second number */
    assert_int_equal(ask(check_link_range, *state, facts), VERDICT_ALLOW);
    assert_int_equal(ask(check_link_pair, *state, facts), VERDICT_DENY);
    facts.paths[1].fd = 0; /* the last one is -1 then, and without a sign the highest of all */
    assert_int_equal(ask(check_link_range, *state, facts), VERDICT_DENY);
    facts.paths[0].fd = LINK_FD + 1;
    assert_int_equal(ask(check_link_range, *state, facts), VERDICT_ALLOW);
}

static void no_option_of_a_socket_leads_to_memory(void **state)
{
    struct facts facts = facts_of(CALLER_LIBRARY, NULL);

    facts.path_count = 2;
    facts.paths[0].fd = SOL_SOCKET;
    facts.paths[1].fd = SO_REUSEADDR;
    assert_int_equal(ask(check_socket_option, *state, facts), VERDICT_ALLOW);
    facts.paths[1].fd = SO_ATTACH_FILTER;
    assert_int_equal(ask(check_socket_option, *state, facts), VERDICT_DENY);
    facts.paths[1].fd = SO_PASSCRED;
    assert_int_equal(ask(check_socket_option, *state, facts), VERDICT_DENY);
    facts.paths[0].fd = IPPROTO_TCP;
    assert_int_equal(ask(check_socket_option, *state, facts), VERDICT_ALLOW);
    facts.paths[1].odd = true;
    assert_int_equal(ask(check_socket_option, *state, facts), VERDICT_DENY);
}

static void texts_for_terminals_have_no_place_for_texts(void **state)
{
    static const char *const good[] = {"\033[%i%p1%d;%p2%dH", "%p1%{1}%-%02x", "%p1%+s", "100%", ""};
    static const char *const bad[] = {"%p1%s", "%s", "%'a%%s", "%p1%10.3s", "%p1%:-9s", "%p1%l%d"};
    struct facts facts = facts_of(CALLER_USER, NULL);

    assert_int_equal(ask(check_terminal_text, *state, facts), VERDICT_DENY); /* no bytes */
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        facts.name = bytes_of_string(good[i]);
        assert_int_equal(ask(check_terminal_text, *state, facts), VERDICT_ALLOW);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        facts.name = bytes_of_string(bad[i]);
        assert_int_equal(ask(check_terminal_text, *state, facts), VERDICT_DENY);
    }
}

static void a_device_is_made_nowhere(void **state)
{
    static const long good[] = {0, 0600, S_IFREG | 0600, S_IFIFO | 0600, S_IFSOCK};
    static const long bad[] = {S_IFCHR, S_IFBLK | 0600, S_IFCHR | 1L << 20, ~0xffffL | S_IFBLK};
    cleanup_policy struct policy *reading = policy_new(POLICY_WORKSPACE);
    struct facts facts = facts_of(CALLER_USER, "/tmp/x");

    policy_set(reading, "ok_dests", &(struct policy_value){.type = POLICY_STRING, .string = "any"});
    policy_seal(reading);
    assert_int_equal(ask(check_mknod, *state, facts), VERDICT_ALLOW);
    facts.number_known = true;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        facts.number = good[i];
        assert_int_equal(ask(check_mknod, *state, facts), VERDICT_ALLOW);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        facts.number = bad[i];
        assert_int_equal(ask(check_mknod, *state, facts), VERDICT_DENY);
        assert_int_equal(ask(check_mknod, reading, facts), VERDICT_DENY); /* it could be read */
    }
    facts.number_known = false;
    facts.number_odd = true;
    assert_int_equal(ask(check_mknod, *state, facts), VERDICT_DENY);
}

static void messages_come_from_where_nobody_writes(void **state)
{
    static const char *const good[] = {"/usr/share/locale", "/usr", "/missing", NULL};
    static const char *const bad[] = {"/tmp", "/tmp/x", "/", "/usr/..", "locale", ".", "", "/proc/self/root/usr", NULL};
    struct facts facts = facts_of(CALLER_LIBRARY, NULL);

    assert_int_equal(ask(check_messages, *state, facts), VERDICT_ALLOW);
    for (size_t i = 0; good[i] != NULL; i++) {
        facts.paths[0].text = bytes_of_string(good[i]);
        assert_int_equal(ask(check_messages, *state, facts), VERDICT_ALLOW);
    }
    facts.name = bytes_of_string("../x");
    assert_int_equal(ask(check_messages, *state, facts), VERDICT_DENY);
    facts.name = bytes_of_string("libc");
    for (size_t i = 0; bad[i] != NULL; i++) {
        facts.paths[0].text = bytes_of_string(bad[i]);
        assert_int_equal(ask(check_messages, *state, facts), VERDICT_DENY);
    }
    facts = facts_of(CALLER_LIBRARY, "de:en");
    facts.name = bytes_of_string("LANGUAGE");
    assert_int_equal(ask(check_environment, *state, facts), VERDICT_ALLOW);
    facts.paths[0].text = bytes_of_string("de:../../x");
    assert_int_equal(ask(check_environment, *state, facts), VERDICT_DENY);
}

static void memory_is_mapped_where_there_is_none(void **state)
{
    struct facts facts = facts_of(CALLER_LIBRARY, NULL);

    assert_int_equal(ask(check_mapping, *state, facts), VERDICT_DENY); /* a number of an object's own */
    facts.number_known = true;
    facts.number = MAP_SHARED;
    assert_int_equal(ask(check_mapping, *state, facts), VERDICT_ALLOW);
    facts.number |= MAP_FIXED;
    assert_int_equal(ask(check_mapping, *state, facts), VERDICT_DENY);
    facts.number = MADV_DONTNEED;
    assert_int_equal(ask(check_memory_advice, *state, facts), VERDICT_ALLOW);
    facts.number = MADV_HWPOISON;
    assert_int_equal(ask(check_memory_advice, *state, facts), VERDICT_DENY);
}

static void a_thread_has_its_own_clock_alone(void **state)
{
    struct facts facts = facts_of(CALLER_LIBRARY, NULL);

    assert_int_equal(ask(check_own_thread, *state, facts), VERDICT_DENY);
    facts.number_known = true;
    facts.number = (long)pthread_self();
    assert_int_equal(ask(check_own_thread, *state, facts), VERDICT_ALLOW);
    facts.number++;
    assert_int_equal(ask(check_own_thread, *state, facts), VERDICT_DENY);
}

static void devices_answer_questions_only(void **state)
{
    struct facts facts = facts_of(CALLER_LIBRARY, NULL);

    facts.paths[0].fd = 1;
    facts.number_known = true;
    facts.number = TIOCGWINSZ;
    assert_int_equal(ask(check_ioctl, *state, facts), VERDICT_ALLOW);
    facts.number = TIOCSTI;
    assert_int_equal(ask(check_ioctl, *state, facts), VERDICT_DENY);
    facts.number = F_GETFL;
    assert_int_equal(ask(check_fcntl, *state, facts), VERDICT_ALLOW);
    facts.number = F_SETOWN;
    assert_int_equal(ask(check_fcntl, *state, facts), VERDICT_DENY);
    facts.value_is_number = true;
    facts.number = F_SETFL;
    assert_int_equal(ask(check_fcntl, *state, facts), VERDICT_ALLOW);
    facts.number = F_GETLK; /* where there is memory, there is an address */
    assert_int_equal(ask(check_fcntl, *state, facts), VERDICT_DENY);
    facts.number = FIONREAD;
    assert_int_equal(ask(check_ioctl, *state, facts), VERDICT_DENY);
    facts.number = FIOCLEX;
    assert_int_equal(ask(check_ioctl, *state, facts), VERDICT_ALLOW);
}

#define POLICY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void monitoring_is_the_guards_own(void **state)
{
    assert_int_equal(ask(check_monitoring, *state, facts_of(CALLER_HOST, NULL)), VERDICT_ALLOW);
    for (enum caller caller = CALLER_USER; caller <= CALLER_IMPORT; caller++)
        assert_int_equal(ask(check_monitoring, *state, facts_of(caller, NULL)), VERDICT_DENY);
    assert_int_equal(ask(check_other_monitor, *state, facts_of(CALLER_LIBRARY, NULL)), VERDICT_DENY);
}

static void ndbm_opens_names_with_endings(void **state)
{
    char folder[] = "/tmp/test_verdict.XXXXXX";
    char name[64];
    char link[64];

    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof(name), "%s/d", folder);
    snprintf(link, sizeof(link), "%s/d.pag", folder);
    assert_int_equal(ask(check_dbm, *state, facts_of(CALLER_USER, name)), VERDICT_ALLOW);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    assert_int_equal(ask(check_dbm, *state, facts_of(CALLER_USER, name)), VERDICT_DENY);
    unlink(link);
    rmdir(folder);
    assert_int_equal(ask(check_dbm, *state, facts_of(CALLER_USER, "/srv/d")), VERDICT_DENY);
    assert_int_equal(ask(check_dbm, *state, facts_of(CALLER_USER, NULL)), VERDICT_DENY);
}

static void secrets_are_no_databases_where_writing_is_free(void **state)
{
    static const struct {
        verdict_function *check;
        const char *name;
        enum verdict verdict;
    } cases[] = {
        {check_sqlite, "/srv/x.db", VERDICT_ALLOW},
        {check_sqlite, "/run/jupyter/x.db", VERDICT_DENY},
        {check_sqlite, "file:///run/jupyter/x.db?mode=ro", VERDICT_DENY},
        {check_attach, "file:/run/%6Aupyter/x.db", VERDICT_DENY},
        {check_attach, NULL, VERDICT_DENY},
        {check_dbm, "/srv/x", VERDICT_ALLOW},
        {check_dbm, "/run/jupyter/x", VERDICT_DENY},
    };
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);

    (void)state;
    policy->guards_writes = false;
    policy_add_secret(policy, "/run/jupyter");
    policy_seal(policy);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(ask(cases[i].check, policy, facts_of(CALLER_USER, cases[i].name)),
                         cases[i].verdict);
}

/* Nobody guards writing there, so what is moved or linked could be read under another name. */
static void what_is_outside_of_read_roots_stays_there(void **state)
{
    cleanup_policy struct policy *policy = policy_new(POLICY_WORKSPACE);
    struct facts facts = facts_of(CALLER_USER, "/etc/passwd");

    (void)state;
    policy->guards_writes = false;
    policy->guards_reads = true;
    string_list_add(&policy->read_roots, "/srv");
    policy_seal(policy);
    assert_int_equal(ask(check_write_roots, policy, facts), VERDICT_ALLOW);
    facts.paths[1] = (struct path_fact){.text = bytes_of_string("/srv/mine"), .dir_fd = AT_FDCWD, .fd = -1};
    facts.path_count = 2;
    assert_int_equal(ask(check_write_roots, policy, facts), VERDICT_DENY);
    facts.paths[0].text = bytes_of_string("/srv/other");
    assert_int_equal(ask(check_write_roots, policy, facts), VERDICT_ALLOW);
}

static void a_pragma_moves_no_files(void **state)
{
    struct facts facts = facts_of(CALLER_USER, NULL);

    facts.name = BYTES_LITERAL("Temp_Store_Directory");
    assert_int_equal(ask(check_pragma, *state, facts), VERDICT_DENY);
    facts.name = BYTES_LITERAL("data_store_directory");
    assert_int_equal(ask(check_pragma, *state, facts), VERDICT_DENY);
    facts.name = BYTES_LITERAL("temp_store");
    assert_int_equal(ask(check_pragma, *state, facts), VERDICT_ALLOW);
}

RUN(POLICY(opening_is_judged_by_flags_and_mode),
    cmocka_unit_test(a_refusal_names_the_key_that_would_help),
    POLICY(a_descriptor_is_judged_where_it_can_do_harm), POLICY(odd_paths_are_refused),
    POLICY(a_name_with_a_directory_is_judged_with_it), POLICY(roots_themselves_stay),
    POLICY(databases_are_files_with_other_names), POLICY(messages_come_from_where_nobody_writes), POLICY(a_device_is_made_nowhere), POLICY(who_asks_decides), POLICY(a_refused_program_has_its_own_remedy), cmocka_unit_test(a_remedy_does_not_take_away_what_was_there),
    POLICY(the_program_around_may_run_text), POLICY(native_calls_ask_for_numbers), POLICY(test_modules_are_nobodys),
    POLICY(variables_that_steer_programs_are_refused), POLICY(the_link_is_nobodys),
    POLICY(no_option_of_a_socket_leads_to_memory), POLICY(texts_for_terminals_have_no_place_for_texts),
    POLICY(memory_is_mapped_where_there_is_none), POLICY(a_thread_has_its_own_clock_alone),
    POLICY(devices_answer_questions_only), POLICY(monitoring_is_the_guards_own),
    POLICY(ndbm_opens_names_with_endings),
    POLICY(secrets_are_no_databases_where_writing_is_free), POLICY(what_is_outside_of_read_roots_stays_there),
    POLICY(a_pragma_moves_no_files))
