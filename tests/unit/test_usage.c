#include "tests/support/cmocka_tests.h"

#include "guard/link/cleanup.h"
#include "kernel/supervisor/usage.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

static double number(json_t *figures, const char *key)
{
    json_t *value = json_object_get(figures, key);

    assert_true(json_is_number(value));
    return json_number_value(value);
}

static uint64_t now_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void burn_cpu(unsigned ms)
{
    uint64_t end = now_ms(CLOCK_PROCESS_CPUTIME_ID) + ms;

    while (now_ms(CLOCK_PROCESS_CPUTIME_ID) < end)
        ;
}

static void has_every_field(void **state)
{
    static const char *const memory_keys[] = {"active",  "available", "free", "inactive",
                                              "percent", "total",     "used"};
    struct usage usage = USAGE_NONE;
    pid_t self = getpid();
    json_t *figures = usage_to_json(&usage, &self, 1);
    json_t *memory = json_object_get(figures, "host_virtual_memory");
    char hostname[256] = "";

    (void)state;
    gethostname(hostname, sizeof(hostname) - 1);
    assert_string_equal(json_string_value(json_object_get(figures, "hostname")), hostname);
    assert_int_equal(number(figures, "pid"), self);
    assert_int_equal(number(figures, "cpu_count"), sysconf(_SC_NPROCESSORS_ONLN));
    assert_true(number(figures, "kernel_cpu") >= 0);
    assert_true(number(figures, "kernel_memory") > 50000);
    assert_true(number(figures, "host_cpu_percent") >= 0);
    assert_true(number(figures, "host_cpu_percent") <= 100);
    for (size_t i = 0; i < sizeof(memory_keys) / sizeof(memory_keys[0]); i++)
        assert_true(number(memory, memory_keys[i]) > 0);
    assert_true(number(memory, "percent") <= 100);
    assert_true(number(memory, "used") + number(memory, "available") == number(memory, "total"));
    json_decref(figures);
    usage_finish(&usage);
}

/* A child that has touched 64 MB of its own and burns a CPU until it is killed. */
static pid_t start_worker(void)
{
    size_t size = 64u << 20;
    pid_t pid;
    int ends[2];
    char ready;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        memset(memory, 1, size);
        if (write(ends[1], "", 1) == 1)
            burn_cpu(20000);
        _exit(0);
    }
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static void descendants_count_once(void **state)
{
    struct usage usage = USAGE_NONE;
    pid_t self = getpid();
    pid_t worker = start_worker();
    pid_t both[] = {self, worker};
    json_t *one = usage_to_json(&usage, &self, 1);
    json_t *two = usage_to_json(&usage, both, 2);
    double mb = number(one, "kernel_memory") / (1 << 20);

    (void)state;
    assert_true(mb > 64 && mb < 128);
    assert_true(number(two, "kernel_memory") / (1 << 20) < 128);
    json_decref(one);
    json_decref(two);
    kill(worker, SIGKILL);
    waitpid(worker, NULL, 0);
    usage_finish(&usage);
}

static void cpu_is_since_the_last_call(void **state)
{
    struct usage usage = USAGE_NONE;
    pid_t self = getpid();
    pid_t worker = start_worker();
    json_t *figures;

    (void)state;
    json_decref(usage_to_json(&usage, &self, 1));
    usleep(500000);
    figures = usage_to_json(&usage, &self, 1);
    assert_true(number(figures, "kernel_cpu") > 5); /* of 100, on a machine that others use too */
    assert_true(number(figures, "kernel_cpu") < 150);
    json_decref(figures);
    kill(worker, SIGKILL);
    waitpid(worker, NULL, 0);
    usleep(300000);
    figures = usage_to_json(&usage, &self, 1); /* the worker is gone, and so is its share */
    assert_true(number(figures, "kernel_cpu") < 50);
    json_decref(figures);
    usage_finish(&usage);
}

static void calls_in_haste_share_their_averages(void **state)
{
    struct usage usage = USAGE_NONE;
    pid_t self = getpid();
    json_t *first = usage_to_json(&usage, &self, 1);
    json_t *second = usage_to_json(&usage, &self, 1);

    (void)state;
    assert_true(number(first, "kernel_cpu") == number(second, "kernel_cpu"));
    assert_true(number(first, "host_cpu_percent") == number(second, "host_cpu_percent"));
    json_decref(first);
    json_decref(second);
    usage_finish(&usage);
}

static void a_process_that_is_gone_is_nothing(void **state)
{
    struct usage usage = USAGE_NONE;
    pid_t gone = fork();
    json_t *figures;

    (void)state;
    assert_true(gone >= 0);
    if (gone == 0)
        _exit(0);
    waitpid(gone, NULL, 0);
    figures = usage_to_json(&usage, &gone, 1);
    assert_true(number(figures, "kernel_memory") == 0);
    assert_true(number(figures, "kernel_cpu") == 0);
    json_decref(figures);
    usage_finish(&usage);
}

static void answers_in_milliseconds(void **state)
{
    struct usage usage = USAGE_NONE;
    pid_t self = getpid();
    uint64_t start = now_ms(CLOCK_PROCESS_CPUTIME_ID);

    (void)state;
    for (int i = 0; i < 100; i++)
        json_decref(usage_to_json(&usage, &self, 1));
    assert_true(now_ms(CLOCK_PROCESS_CPUTIME_ID) - start < 100 * 5);
    usage_finish(&usage);
}

RUN(cmocka_unit_test(has_every_field), cmocka_unit_test(descendants_count_once),
    cmocka_unit_test(cpu_is_since_the_last_call),
    cmocka_unit_test(calls_in_haste_share_their_averages),
    cmocka_unit_test(a_process_that_is_gone_is_nothing), cmocka_unit_test(answers_in_milliseconds))
