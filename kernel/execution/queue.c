#include "kernel/execution/queue.h"

#include "kernel/kernel.h"
#include "kernel/requests/requests.h"

struct queue *queue_of(const struct request *request)
{
    return request->subshell != NULL ? &request->subshell->queue : &request->kernel->queue;
}

void queue_push(struct queue *queue, struct request *request)
{
    request->next = NULL;
    if (queue->last != NULL)
        queue->last->next = request;
    else
        queue->first = request;
    queue->last = request;
}

void queue_insert(struct queue *queue, struct request *request)
{
    struct request **at = &queue->first;

    while (*at != NULL && (*at)->arrival < request->arrival)
        at = &(*at)->next;
    request->next = *at;
    *at = request;
    if (request->next == NULL)
        queue->last = request;
}

struct request *queue_pop(struct queue *queue)
{
    struct request *request = queue->first;

    if (request == NULL)
        return NULL;
    queue->first = request->next;
    if (queue->first == NULL)
        queue->last = NULL;
    request->next = NULL;
    return request;
}

void queue_remove(struct queue *queue, struct request *request)
{
    struct request **at = &queue->first;

    queue->last = NULL;
    while (*at != NULL) {
        if (*at == request) {
            *at = request->next;
            continue;
        }
        queue->last = *at;
        at = &(*at)->next;
    }
    request->next = NULL;
}

int queue_abort_executes(struct queue *queue)
{
    struct request *waiting = queue->first;
    int result = 0;

    queue->first = NULL;
    queue->last = NULL;
    while (waiting != NULL) {
        struct request *request = waiting;

        waiting = request->next;
        if (result != 0 || request->type != &execute_request)
            queue_push(queue, request);
        else
            result = request_abort(request);
    }
    return result;
}

void queue_cancel_executes(struct queue *queue)
{
    for (struct request *request = queue->first; request != NULL; request = request->next)
        request->is_cancelled = request->type == &execute_request;
}

int queue_refuse_all(struct queue *queue, const char *ename, const char *evalue)
{
    struct request *running = steal(queue->running);
    struct request *request;
    int result = 0;

    if (running != NULL)
        result = request_fail(running, ename, evalue);
    while (result == 0 && (request = queue_pop(queue)) != NULL)
        result = request_fail(request, ename, evalue);
    return result;
}
