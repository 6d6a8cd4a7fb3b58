#include "tests/support/cmocka_tests.h"

#include "guard/link/buffer.h"
#include "kernel/wire/connection_file.h"

#include <fcntl.h>
#include <sys/stat.h>

static char path[64];

static int make_path(void **state)
{
    int fd;

    (void)state;
    strcpy(path, "/tmp/safepyrun-test-XXXXXX");
    fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static int read_text(const char *text, struct connection_file *file, char **error)
{
    FILE *out = fopen(path, "w");

    fputs(text, out);
    fclose(out);
    return connection_file_read(path, file, error);
}

static void a_launchers_file_is_read(void **state)
{
    struct connection_file file;
    char *error = NULL;

    (void)state;
    assert_int_equal(read_text("{\"shell_port\": 1, \"iopub_port\": 2, \"stdin_port\": 3, "
                               "\"control_port\": 4, \"hb_port\": 5, \"ip\": \"127.0.0.1\", "
                               "\"key\": \"k\", \"transport\": \"tcp\", "
                               "\"signature_scheme\": \"hmac-sha256\", \"kernel_name\": \"x\"}",
                               &file, &error),
                     0);
    assert_int_equal(file.ports[CHANNEL_SHELL], 1);
    assert_int_equal(file.ports[CHANNEL_HEARTBEAT], 5);
    assert_string_equal(file.key, "k");
    connection_file_finish(&file);
}

static void expect_error(const char *text, const char *mention)
{
    struct connection_file file;
    cleanup_free char *error = NULL;

    assert_int_equal(read_text(text, &file, &error), 1);
    assert_non_null(strstr(error, path));
    assert_non_null(strstr(error, mention));
}

static void a_wrong_file_is_explained(void **state)
{
    (void)state;
    expect_error("", "");
    expect_error("[]", "not a JSON object");
    expect_error("5", "");
    expect_error("{\"key\": \"\", \"shell_port\": \"1\"}", "shell_port");
    expect_error("{\"key\": \"\", \"hb_port\": 65536}", "hb_port");
    expect_error("{\"key\": \"\", \"transport\": \"udp\"}", "transport");
    expect_error("{\"key\": 5}", "key");
    expect_error("{\"transport\": \"tcp\"}", "key");
    expect_error("{\"key\": \"\", \"curve_publickey\": \"x\"}", "curve_secretkey");
    expect_error("{\"key\": \"\", \"registration_port\": 1}", "kernel_id");
    expect_error("{\"key\": \"\", \"kernel_id\": \"k\", \"registration_port\": 65536}",
                 "registration_port");
    expect_error("{\"key\": \"\", \"kernel_id\": \"k\", \"registration_port\": \"\"}",
                 "registration_port");
}

static void a_registration_file_says_where_to_register(void **state)
{
    struct connection_file file;
    cleanup_free char *endpoint = NULL;
    char *error = NULL;

    (void)state;
    assert_int_equal(read_text("{\"key\": \"k\", \"kernel_id\": \"id\", \"transport\": \"ipc\", "
                               "\"registration_ip\": \"/run/r\", \"registration_port\": \"7\"}",
                               &file, &error),
                     0);
    assert_true(connection_file_wants_registration(&file));
    endpoint = connection_file_registration_endpoint(&file);
    assert_string_equal(endpoint, "ipc:///run/r-7");
    assert_string_equal(file.ip, "/run/r");
    connection_file_finish(&file);
}

static void chosen_ports_are_written_and_unknown_keys_kept(void **state)
{
    struct connection_file file;
    char *error = NULL;
    struct stat status;

    (void)state;
    assert_int_equal(read_text("{\"key\": \"k\", \"extra\": [1]}", &file, &error), 0);
    file.ports[CHANNEL_IOPUB] = 4711;
    assert_int_equal(connection_file_write(&file), 0);
    connection_file_finish(&file);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(connection_file_read(path, &file, &error), 0);
    assert_int_equal(file.ports[CHANNEL_IOPUB], 4711);
    assert_non_null(json_object_get(file.object, "extra"));
    connection_file_finish(&file);
}

/* Of a kernel that was killed while it wrote; in a container the next one has the same pid. */
static void what_was_left_half_written_is_in_nobodys_way(void **state)
{
    cleanup_free char *left = xasprintf("%s.%d", path, (int)getpid());
    struct connection_file file;
    char *error = NULL;

    (void)state;
    assert_int_equal(read_text("{\"key\": \"k\"}", &file, &error), 0);
    close(open(left, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(connection_file_write(&file), 0);
    assert_int_equal(access(left, F_OK), -1);
    connection_file_finish(&file);
}

static void endpoints_are_zeromqs(void **state)
{
    struct connection_file file = {.transport = (char *)"tcp", .ip = (char *)"127.0.0.1"};
    cleanup_free char *given = connection_file_endpoint(&file, 99);
    cleanup_free char *chosen = connection_file_endpoint(&file, 0);
    cleanup_free char *ipc = NULL;

    (void)state;
    assert_string_equal(given, "tcp://127.0.0.1:99");
    assert_string_equal(chosen, "tcp://127.0.0.1:*");
    file.transport = (char *)"ipc";
    file.ip = (char *)"/run/k";
    ipc = connection_file_endpoint(&file, 3);
    assert_string_equal(ipc, "ipc:///run/k-3");
}

#define test(function) cmocka_unit_test_setup_teardown(function, make_path, remove_path)

RUN(test(a_launchers_file_is_read), test(a_wrong_file_is_explained),
    test(a_registration_file_says_where_to_register),
    test(chosen_ports_are_written_and_unknown_keys_kept),
    test(what_was_left_half_written_is_in_nobodys_way), cmocka_unit_test(endpoints_are_zeromqs))
