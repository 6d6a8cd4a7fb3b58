#include "guard/python/quiet_thread.h"

#include <pthread.h>
#include <signal.h>

bool quiet_thread_start(void *(*run)(void *context))
{
    sigset_t all;
    sigset_t before;
    pthread_t thread;
    bool runs;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    runs = pthread_create(&thread, NULL, run, NULL) == 0;
    if (runs)
        pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return runs;
}
