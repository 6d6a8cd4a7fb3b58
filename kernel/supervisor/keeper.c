#include "kernel/supervisor/keeper.h"

#include "guard/link/cleanup.h"
#include "kernel/supervisor/process_tree.h"
#include "kernel/supervisor/template_ask.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

enum {
    PATIENCE_MS = 300,
    BITE = 4096, /* ends that are told, before others have their turn: what runs below it can go on ending */
};

static int left_ms(int64_t end_ms)
{
    int64_t left = end_ms - loop_now_ms();

    return left > 0 ? (int)left : 0;
}

static void take_news(struct keeper *keeper, int limit_ms)
{
    int64_t end_ms = loop_now_ms() + limit_ms;
    struct template_answer news;

    for (int i = 0; i < BITE && template_hear(keeper->fd, keeper->has_told ? 0 : left_ms(end_ms), &news); i++) {
        if (news.pid != keeper->guard || keeper->has_told)
            continue;
        keeper->has_told = true;
        keeper->wait_status = news.wait_status;
    }
}

static int on_news(void *context)
{
    struct keeper *keeper = context;
    char byte;

    take_news(keeper, 0);
    /* Nothing more comes from a keeper that was killed, and its guard has gone with it. */
    if (recv(keeper->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        keeper->source.paused = true;
    return 0;
}

void keeper_open(struct keeper *keeper, struct loop *loop, int fd, pid_t keeper_pid)
{
    *keeper = (struct keeper){.loop = loop, .fd = fd};
    if (fd < 0)
        return;
    process_tree_set_keeper(keeper_pid);
    keeper->source = (struct loop_source){
        .fd = fd, .events = POLLIN, .callback = on_news, .context = keeper};
    loop_add(loop, &keeper->source);
}

void keeper_close(struct keeper *keeper)
{
    if (keeper->fd < 0)
        return;
    loop_remove(keeper->loop, &keeper->source);
    close(steal_fd(&keeper->fd));
    process_tree_set_keeper(0);
}

void keeper_watch(struct keeper *keeper, pid_t guard)
{
    keeper->guard = guard;
    keeper->has_told = false;
}

int keeper_wait_status(struct keeper *keeper)
{
    take_news(keeper, PATIENCE_MS);
    /* One that says nothing was killed, and with it the guard. */
    return keeper->has_told ? keeper->wait_status : SIGKILL;
}
