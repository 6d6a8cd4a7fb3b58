#include "guard/audit/hook.h"

#include "guard/audit/ask.h"
#include "guard/audit/caller.h"
#include "guard/audit/denials.h"
#include "guard/audit/host_answer.h"
#include "guard/audit/import_allow.h"
#include "guard/audit/native_calls.h"
#include "guard/audit/tools.h"
#include "guard/audit/traceback_code.h"
#include "guard/policy/read_rules.h"
#include "guard/python/compat.h"
#include "guard/python/interrupt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct {
    bool installed;
    bool proved;
    int link_fd;
    bool ring_is_closed;
} state = {.link_fd = -1};

/* A tool's right ends where the OS ring does: said here, because the system would say EPERM and no more. */
static bool is_held_by_ring(const struct event_row *row, struct denial *denial)
{
    if (!state.ring_is_closed || row == NULL ||
        (row->check != check_program && row->check != check_network && row->check != check_socket))
        return false;
    denial->rule = "allow";
    denial->remedy = "register the tool with allow(f, outside=True)";
    snprintf(denial->reason, sizeof(denial->reason), "the OS ring holds tools that run in this process as well");
    return true;
}

/* A denied event is allowed after all when a tool asks: see tools.h. */
static bool is_tools_right(const struct scope *scope, const struct event_row *row, const char *event,
                           struct denial *denial)
{
    struct tools_question question = {.event = event, .scope = scope};

    return tools_exist() && !denial->is_final && tools_ask(&question, denial) == TOOLS_ALLOW &&
           !is_held_by_ring(row, denial);
}

/* The exception, with what a host program's users want to know besides. */
static int raise(const struct scope *scope, const char *event, const char *words,
                 struct denial *denial)
{
    cleanup_free char *trail = NULL;
    char remedy[DENIAL_TEXT];

    if (scope->is_process)
        return denials_raise(event, words, denial);
    denial->remedy = verdict_remedy_of_program(denial->remedy, remedy, sizeof(remedy));
    scope_note_refusal(words, denial->reason, denial->remedy);
    trail = host_answer_trail(scope);
    return denials_raise_with(event, words, denial, trail);
}

static int deny_unknown(const struct scope *scope, const char *event,
                        const struct facts_source *source)
{
    struct denial denial = {.rule = "interpreter ring",
                            .remedy = "no policy key allows it inside a cell"};
    enum host_answer answer;
    char words[128];

    snprintf(words, sizeof(words), "do something it does not know (audit event '%.80s')", event);
    snprintf(denial.reason, sizeof(denial.reason), "unknown events are refused");
    snprintf(denial.subject, sizeof(denial.subject), "%.200s", event);
    answer = host_answer_ask(scope, event, words, source, &denial);
    if (answer == HOST_ALLOWS ||
        (answer == HOST_SAYS_NOTHING && is_tools_right(scope, NULL, event, &denial)))
        return 0;
    return raise(scope, event, words, &denial);
}

static enum caller ask_caller(const struct scope *scope, enum asks asks, bool *ret_deputy_is_known)
{
    if (asks == ASKS_NOBODY)
        return CALLER_LIBRARY;
    if (asks == ASKS_INNERMOST)
        return caller_innermost(scope);
    return caller_on_stack(scope, ret_deputy_is_known);
}

/* Opening is the one event whose words depend on its arguments. */
static const char *words_of(const struct event_row *row, const struct denial *denial)
{
    if (row->check != check_open && row->check != check_open_at)
        return row->words;
    return strcmp(denial->rule, "deny_read") == 0 || strcmp(denial->rule, "read_roots") == 0
               ? "open for reading"
               : "open for writing";
}

/* Returns 0 when a tool asks, or a person lets it pass. */
static int refuse(const struct scope *scope, const struct event_row *row, const char *event,
                  const struct facts_source *source, struct facts *facts, struct denial *denial)
{
    enum question_answer answer = ANSWER_NOBODY;
    enum host_answer host =
        denial->is_final ? HOST_SAYS_NOTHING
                         : host_answer_ask(scope, event, words_of(row, denial), source, denial);

    if (host == HOST_ALLOWS ||
        (host == HOST_SAYS_NOTHING && !denial->is_final && import_allow_asks(scope)) ||
        (host == HOST_SAYS_NOTHING && is_tools_right(scope, row, event, denial)))
        return 0;
    if (scope->policy->asks && ask_person(scope->policy, row, event, facts, denial, &answer))
        return 0;
    raise(scope, event, words_of(row, denial), denial);
    if (answer == ANSWER_INTERRUPTED)
        interrupt_take_over_exception();
    return -1;
}

static int judge(const struct scope *scope, const struct event_row *row, const char *event,
                 const struct facts_source *source)
{
    cleanup_facts struct facts_owner owner = FACTS_OWNER_NONE;
    struct facts facts = {.event = event, .link_fd = state.link_fd};
    struct denial denial;

    denial.subject[0] = '\0'; /* the rest is filled by a denial; 6 KB are not cleared for each event */
    facts_read(&row->arguments, source, &owner, &facts);
    facts.is_hosts_own = row->check == check_text && caller_is_hosts_own(scope);
    facts.is_traceback_code = row->check == check_text && traceback_code_is_text(source);
    facts.is_other_monitor = row->check == check_other_monitor && !scope->is_process && !facts.number_odd &&
                             !(facts.number_known && facts.number == native_calls_tool());
    facts.leaves_scope =
        !scope->is_process &&
        (row->check == check_breakpoint ||
         (row->check == check_thread && !caller_is_asyncio_executor(scope)));
    facts.caller = ask_caller(scope, row->arguments.asks, &facts.deputy_is_known);
    if (row->check(scope->policy, &facts, &denial) == VERDICT_DENY &&
        refuse(scope, row, event, source, &facts, &denial) < 0)
        return -1;
    return 0;
}

int hook_judge(const struct event_row *row, const struct facts_source *source)
{
    static const struct facts_source nothing = {NULL, NULL, 0};
    const struct scope *scope = scope_current();

    return scope != NULL ? judge(scope, row, row->name, source != NULL ? source : &nothing) : 0;
}

static bool needs_no_facts(const struct scope *scope, const struct event_row *row)
{
    return row->check == check_read && !read_rules_exist(scope->policy);
}

static int judge_event(const char *event, PyObject *args)
{
    const struct event_row *row = events_find(event);
    struct facts_source source = {NULL, args, args != NULL ? PyTuple_Size(args) : 0};
    const struct scope *scope;

    /* In a host program it takes a walk over the stack to know that nobody is guarded. */
    if (row != NULL && row->on_allowed == NULL && row->check == check_always)
        return 0;
    scope = scope_current();
    if (scope == NULL)
        return 0;
    if (row == NULL)
        return deny_unknown(scope, event, &source);
    if (row->on_allowed == NULL && needs_no_facts(scope, row))
        return 0;
    if (judge(scope, row, event, &source) < 0)
        return -1;
    if (row->on_allowed != NULL && source.count > 0)
        return row->on_allowed(args);
    return 0;
}

static int hook(const char *event, PyObject *args, void *data)
{
    (void)data;
    if (!state.proved && strcmp(event, HOOK_PROOF) == 0) {
        state.proved = true;
        return 0;
    }
    return scope_may_judge() ? judge_event(event, args) : 0;
}

int hook_install(void)
{
    if (state.installed)
        return 0;
    events_init();
    if (compat.add_audit_hook(hook, NULL) < 0) {
        if (Py_IsInitialized())
            PyErr_Clear();
        return -EPERM;
    }
    state.installed = true;
    return 0;
}

void hook_note_ring(void)
{
    state.ring_is_closed = true;
}

void hook_set_link(int link_fd)
{
    state.link_fd = link_fd;
}

bool hook_was_proved(void)
{
    return state.proved;
}
