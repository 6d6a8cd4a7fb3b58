#include "guard/frozen/frozen.h"

#include "guard/frozen/shared_files.h"
#include "guard/frozen/threads.h"
#include "guard/link/descriptors.h"
#include "guard/link/passing.h"
#include "guard/python/aside.h"
#include "guard/python/event_loop.h"
#include "guard/python/interrupt.h"
#include "guard/python/link_end.h"
#include "guard/python/py_cleanup.h"
#include "guard/python/streams.h"
#include "guard/python/subshell.h"

#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum { ACKNOWLEDGED_MS = 2000, COPIES_MAX = 64, LOOK_SECONDS = 2, LOOK_MS = 100 };

static struct {
    int copies_fd; /* where the links of copies come from; -1: no copies */
    PyObject *before; /* safepyrun._frozen.before() and after() */
    PyObject *after;
    pid_t pids[COPIES_MAX]; /* of copies, until they are over and waited for; 0: free */
    int kept; /* -1: none */
    PyObject *saved; /* what before() has returned, for after() in the copy */
} frozen = {.copies_fd = -1, .kept = -1};

void frozen_keep(int fd)
{
    frozen.kept = fd;
}

int frozen_start(int link_fd)
{
    int fd = link_fd + DESCRIPTOR_COPIES;

    if (!descriptor_is_packets(fd))
        return 0; /* started by hand */
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    frozen.copies_fd = fd;
    return threads_start();
}

int frozen_load(void)
{
    cleanup_py PyObject *module = PyImport_ImportModule("safepyrun._frozen");

    if (module == NULL)
        return -1;
    frozen.before = PyObject_GetAttrString(module, "before");
    frozen.after = PyObject_GetAttrString(module, "after");
    return frozen.before != NULL && frozen.after != NULL ? 0 : -1;
}

/* ---- in the living process --------------------------------------------------------------------- */

/* The link that the kernel process has sent for the copy of this number; older ones are closed. */
static int receive_link(uint32_t number)
{
    for (;;) {
        cleanup_passed struct passed passed = PASSED_NONE;
        uint32_t found = 0;

        if (passing_receive(frozen.copies_fd, &found, sizeof(found), MSG_DONTWAIT, &passed) !=
            (ssize_t)sizeof(found))
            return -1;
        if (found == number)
            return passed_steal_one(&passed);
    }
}

static int is_cuda(struct dl_phdr_info *library, size_t size, void *context)
{
    (void)size;
    (void)context;
    return strstr(library->dlpi_name, "/libcuda.so") != NULL;
}

/* A context on a graphics card belongs to one process. Not dlopen(RTLD_NOLOAD): of a library that is not loaded it
   looks through all folders first, for each copy. */
static const char *find_hindrance(void)
{
    if (aside_is_answering())
        return "a question is being answered";
    if (subshell_is_working())
        return "a subshell is at work";
    return dl_iterate_phdr(is_cuda, NULL) != 0 ? "CUDA is in use" : threads_expect();
}

static void refuse(const char *reason)
{
    struct bytes part = bytes_of_string(reason);

    link_end_post(&(struct frame){FRAME_NOT_FROZEN, 0, 1, &part});
}

/* What Python has to do while it still can: the copy runs nothing until it is thawed. */
static void prepare(void)
{
    PyObject *appends = shared_files_have_append() ? Py_True : Py_False;

    Py_CLEAR(frozen.saved);
    frozen.saved = PyObject_CallFunctionObjArgs(frozen.before, appends, NULL);
    if (frozen.saved == NULL)
        PyErr_Clear(); /* a cell has broken `random` or a file of its own: theirs to meet */
    streams_flush_all();
}

/* Copies that the kernel process has dropped are over; only those: other children are a cell's. */
static void note_child(pid_t pid)
{
    for (size_t i = 0; i < COPIES_MAX; i++) {
        if (frozen.pids[i] != 0 && waitpid(frozen.pids[i], NULL, WNOHANG) != 0)
            frozen.pids[i] = 0;
        if (frozen.pids[i] == 0) {
            frozen.pids[i] = pid;
            pid = 0;
        }
    }
}

/* The copy has let go of everything when it closes its end. A signal of the session's is no reason to go on before. */
static void wait_for_copy(int acknowledged, pid_t pid)
{
    struct pollfd ended = {acknowledged, POLLIN, 0};
    int result;

    do
        result = poll(&ended, 1, ACKNOWLEDGED_MS);
    while (result < 0 && errno == EINTR);
    if (result == 0)
        kill(pid, SIGKILL);
}

/* ---- in the copy ------------------------------------------------------------------------------- */

/* One process at a time looks into this state on the kernel process's behalf; most need 5 ms. */
static void end_looking(pid_t *pid, int limit_ms)
{
    static const struct timespec pause = {.tv_nsec = 1000000};

    for (int i = 0; *pid > 0 && i < limit_ms; i++) {
        if (waitpid(*pid, NULL, WNOHANG) != 0)
            *pid = 0;
        else
            nanosleep(&pause, NULL);
    }
    if (*pid <= 0)
        return;
    kill(*pid, SIGKILL);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

/* A question while the guard cannot answer. A fork of this copy looks, and the copy stays what it is. Python's fork
   handlers are not run: they may be a cell's, and there is but one thread here as there was in the copy. */
static pid_t look(const struct frame *frame)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGALRM, SIG_DFL);
    alarm(LOOK_SECONDS);
    aside_answer_here(frame);
    _exit(0);
}

/* Returns when it is THAW that the kernel process has to say. */
static void wait_for_thaw(void)
{
    struct frame frame;
    pid_t looking = 0;

    while (link_end_wait_quietly(FRAME_THAW, &frame)) {
        end_looking(&looking, LOOK_MS);
        if (frame.type == FRAME_COMPLETE || frame.type == FRAME_INSPECT ||
            frame.type == FRAME_IS_COMPLETE || frame.type == FRAME_VARIABLES)
            looking = look(&frame);
    }
    end_looking(&looking, 0);
}

/* Nothing of Python here: its locks and threads are as the fork left them. */
static void be_frozen(int link, int acknowledged)
{
    int kept[] = {link_end_fd(), link_end_fd() + DESCRIPTOR_LAST_LINE, frozen.copies_fd, aside_fd(),
                  interrupt_wake_fd(), acknowledged, frozen.kept};

    if (threads_hindrance() != NULL) {
        struct pollfd end = {link, POLLIN, 0};

        close(acknowledged);
        poll(&end, 1, ACKNOWLEDGED_MS); /* the reason is told first: the link ends with that */
        _exit(0);
    }
    setsid(); /* the group of the living process dies with it */
    link_end_renew(link);
    shared_files_detach(kept, sizeof(kept) / sizeof(kept[0]));
    link_end_post(&(struct frame){FRAME_FROZEN, 0, 0, NULL});
    close(acknowledged);
    wait_for_thaw();
    aside_forget();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* our parent is the kernel process now */
}

void frozen_freeze(const struct frame *frame)
{
    const char *hindrance = find_hindrance();
    uint32_t number = 0;
    int ends[2];
    int link;
    pid_t pid;

    memcpy(&number, frame->parts[0].data,
           frame->parts[0].size < sizeof(number) ? frame->parts[0].size : sizeof(number));
    link = receive_link(number);
    if (hindrance != NULL || link < 0 || pipe2(ends, O_CLOEXEC) < 0) {
        refuse(hindrance != NULL ? hindrance : strerror(errno));
        if (link >= 0)
            close(link);
        return;
    }
    prepare();
    PyOS_BeforeFork();
    threads_count_at_fork();
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        be_frozen(link, ends[1]);
        PyOS_AfterFork_Child();
        return;
    }
    PyOS_AfterFork_Parent();
    close(ends[1]);
    close(link);
    if (pid > 0) {
        wait_for_copy(ends[0], pid);
        note_child(pid);
    }
    close(ends[0]);
    if (pid < 0 || threads_hindrance() != NULL)
        refuse(pid < 0 ? strerror(errno) : threads_hindrance());
}

void frozen_thaw(const struct frame *frame)
{
    cleanup_py PyObject *done = NULL;

    (void)frame;
    interrupt_clear_wake();
    interrupt_end_request();
    if (frozen.saved != NULL)
        done = PyObject_CallFunctionObjArgs(frozen.after, frozen.saved, NULL);
    if (done == NULL)
        PyErr_Clear(); /* as in prepare() */
    event_loop_thaw();
    link_end_post(&(struct frame){FRAME_THAWED, 0, 0, NULL});
}
