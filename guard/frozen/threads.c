#include "guard/frozen/threads.h"

#include "guard/link/cleanup.h"
#include "guard/python/aside.h"
#include "guard/python/streams.h"
#include "guard/python/subshell.h"

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

enum { LOOKS = 5 };

static const char words[] = "other threads are running";

static struct {
    bool counts;         /* the next fork is ours */
    unsigned left;       /* that no handler has stopped */
    unsigned total_then; /* threads when it was in vain; 0: it was not */
} threads;

/* By name: the allocator's own, which knows about fork. */
static bool is_harmless(const char *thread)
{
    static const char jemalloc[] = "jemalloc_bg_thd";
    char path[64];
    char name[32] = "";
    cleanup_file FILE *file = NULL;

    snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", thread);
    file = fopen(path, "re");
    return file != NULL && fgets(name, sizeof(name), file) != NULL &&
           strncmp(name, jemalloc, sizeof(jemalloc) - 1) == 0;
}

static unsigned count(bool only_harmful)
{
    DIR *list = opendir("/proc/self/task");
    struct dirent *entry;
    unsigned found = 0;

    while (list != NULL && (entry = readdir(list)) != NULL)
        if (entry->d_name[0] != '.' && !(only_harmful && is_harmless(entry->d_name)))
            found++;
    if (list != NULL)
        closedir(list);
    return found;
}

/* Ours: the main thread, the one that flushes the streams, the one that answers questions, those of
   subshells: what they need is made again in a copy that takes over. */
static unsigned own_threads(void)
{
    return 1U + streams_has_timer() + aside_has_thread() + subshell_count();
}

static unsigned foreign_threads(void)
{
    unsigned all = count(true);
    unsigned own = own_threads();

    return all > own ? all - own : 0;
}

/* A thread that a handler of a library has ended and joined is listed for a moment longer. */
static void before_fork(void)
{
    static const struct timespec moment = {.tv_nsec = 1000000};

    if (!threads.counts)
        return;
    threads.counts = false;
    threads.left = foreign_threads();
    for (int look = 0; threads.left != 0 && look < LOOKS; look++) {
        nanosleep(&moment, NULL);
        threads.left = foreign_threads();
    }
}

int threads_start(void)
{
    static bool started; /* a template has done it before it imported anything */

    if (started)
        return 0;
    started = true;
    return -pthread_atfork(before_fork, NULL, NULL);
}

const char *threads_expect(void)
{
    if (threads.total_then != 0 && count(false) == threads.total_then)
        return words;
    threads.total_then = 0;
    return NULL;
}

void threads_count_at_fork(void)
{
    threads.counts = true;
    threads.total_then = count(false);
}

const char *threads_hindrance(void)
{
    if (threads.left != 0)
        return words;
    threads.total_then = 0;
    return NULL;
}

const char *threads_now(void)
{
    return foreign_threads() != 0 ? words : NULL;
}
