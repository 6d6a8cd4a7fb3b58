#include "kernel/execution/question.h"

#include "kernel/execution/account.h"
#include "kernel/execution/question_frame.h"
#include "kernel/execution/question_prompt.h"
#include "kernel/kernel.h"
#include "kernel/records/log.h"
#include "kernel/requests/requests.h"
#include "kernel/wire/json_text.h"

#include <strings.h>
#include <sys/random.h>

enum { REPLY_BYTES_MAX = 64 };

void question_finish(struct question *question)
{
    buffer_finish(&question->subject);
}

/* ---- to the guard and on record ------------------------------------------------------------- */

static void send_answer(struct kernel *kernel, uint32_t cell, unsigned long number,
                        enum question_answer answer)
{
    cleanup_free char *text = xasprintf("%lu", number);
    struct bytes parts[] = {bytes_of_string(text), bytes_of_string(question_answer_word(answer))};

    guard_process_answer(&kernel->guard, &(struct frame){FRAME_ANSWER, cell, 2, parts});
}

static void record(struct kernel *kernel, const char *answer)
{
    const struct question *question = &kernel->question;
    const struct request *running = kernel->queue.running;
    cleanup_buffer struct buffer object = BUFFER_NONE;

    buffer_append_char(&object, '{');
    json_text_append_string_member(&object, "event", bytes_of_string(question->row->event));
    json_text_append_string_member(&object, "rule", bytes_of_string(question->row->rule));
    json_text_append_string_member(&object, "subject", buffer_bytes(&question->subject));
    json_text_append_string_member(&object, "what", bytes_of_string(question->row->words));
    json_text_append_string_member(&object, "answer", bytes_of_string(answer));
    buffer_append_format(&object, ",\"seconds\":%.1f}",
                         (double)(loop_now_ms() - question->asked_ms) / 1000);
    audit_log_question(kernel->audit_log, running != NULL ? running->execute.execution_count : 0,
                       buffer_bytes(&object));
    account_warn(kernel);
    log_info("asked: %.*s", (int)object.size, object.data);
}

static void end(struct kernel *kernel, const char *answer)
{
    struct request *running = kernel->queue.running;

    kernel->question.is_open = false;
    loop_timer_stop(&kernel->question_timer);
    limits_resume(&kernel->limits);
    if (running != NULL)
        request_end_question(running);
    record(kernel, answer);
}

void question_close(struct kernel *kernel, enum question_answer answer)
{
    struct question *question = &kernel->question;

    if (!question->is_open)
        return;
    end(kernel, question_answer_word(answer));
    if (answer == ANSWER_NO && ++question->refused >= QUESTIONS_REFUSED_MAX)
        answer = ANSWER_ENOUGH;
    question->is_settled = answer != ANSWER_NO && answer != ANSWER_ONCE && answer != ANSWER_SESSION;
    if (question->is_errand)
        errand_answered(kernel, answer);
    else
        send_answer(kernel, question->cell, question->number, answer);
}

void question_drop(struct kernel *kernel)
{
    if (kernel->question.is_open)
        end(kernel, "dropped");
}

bool question_stops_all(const struct kernel *kernel)
{
    return kernel->question.is_open && !kernel->question.is_errand;
}

int question_time_out(void *context)
{
    question_close(context, ANSWER_LATE);
    return 0;
}

/* ---- to the person -------------------------------------------------------------------------- */

static bool client_answers(const struct request *request)
{
    return !request->execute.silent && request_allows_stdin(request);
}

/* Four digits that no cell can know. */
static bool draw_code(char code[QUESTION_CODE_SIZE])
{
    unsigned number;

    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        return false;
    snprintf(code, QUESTION_CODE_SIZE, "%04u", number % 10000);
    return true;
}

static int ask_client(struct kernel *kernel, struct request *request, long seconds)
{
    const struct question *question = &kernel->question;
    cleanup_buffer struct buffer prompt = BUFFER_NONE;
    cleanup_buffer struct buffer content = BUFFER_NONE;

    if (question->is_errand)
        errand_append_prompt(kernel, question->code, &prompt);
    else
        question_prompt_append(&prompt,
                               &(struct question_words){.row = question->row,
                                                        .subject = buffer_bytes(&question->subject),
                                                        .code = question->code,
                                                        .seconds = seconds});
    buffer_append_string(&content, "{\"prompt\":");
    json_text_append_string(&content, buffer_bytes(&prompt));
    buffer_append_string(&content, ",\"password\":false}");
    return request_ask(request, buffer_bytes(&content));
}

/* What was refused to the cell before counts no more. */
static void begin_cell(struct question *question, uint32_t cell)
{
    if (question->cell == cell)
        return;
    question->cell = cell;
    question->refused = 0;
    question->is_settled = false;
}

/* ANSWER_COUNT: somebody has to be asked. */
static enum question_answer answer_at_once(struct kernel *kernel, const struct request *request)
{
    struct question *question = &kernel->question;

    if (question->interrupted_cell == request->cell)
        return ANSWER_INTERRUPTED;
    if (question->is_settled)
        return ANSWER_ENOUGH;
    if (!client_answers(request) || !draw_code(question->code))
        return ANSWER_NOBODY;
    return ANSWER_COUNT;
}

/* Puts it to the person, unless the answer is clear at once. Returns 0 or -errno. */
static int put(struct kernel *kernel, struct request *request, const struct question_asked *asked,
               enum question_answer *ret_answer)
{
    struct question *question = &kernel->question;

    begin_cell(question, request->cell);
    *ret_answer = answer_at_once(kernel, request);
    if (*ret_answer != ANSWER_COUNT)
        return 0;
    question->is_open = true;
    question->number = asked->number;
    question->row = asked->row;
    question->asked_ms = loop_now_ms();
    buffer_clear(&question->subject, QUESTION_SUBJECT_BYTES_MAX);
    buffer_append(&question->subject, asked->subject);
    loop_timer_start(&kernel->question_timer, (int64_t)asked->seconds * 1000);
    limits_pause(&kernel->limits);
    return ask_client(kernel, request, (long)asked->seconds);
}

int question_ask_for_errand(struct kernel *kernel, struct request *request, struct bytes command,
                            long seconds, enum question_answer *ret_answer)
{
    static const struct question_row row = {"command", "programs", "run the command"};
    struct question_asked asked = {.row = &row, .seconds = (unsigned long)seconds, .subject = command};

    kernel->question.is_errand = true;
    return put(kernel, request, &asked, ret_answer);
}

int question_take(struct kernel *kernel, const struct frame *frame)
{
    struct question *question = &kernel->question;
    struct request *running = kernel->queue.running;
    struct question_asked asked;
    enum question_answer answer = ANSWER_NOBODY;
    int result = 0;

    /* Whether anybody is to be asked anything, the guard has said before it ran a cell. */
    if (kernel->errand.policy == NULL || question->is_open || kernel->errand.state != ERRAND_STATE_NONE ||
        running == NULL || running->cell != frame->cell || !question_frame_read(frame, &asked)) {
        guard_process_condemn(&kernel->guard, "it broke the protocol: a question that is none");
        return 0;
    }
    question->is_errand = false;
    if (asked.subject.size > 0 && asked.subject.size <= QUESTION_SUBJECT_BYTES_MAX)
        result = put(kernel, running, &asked, &answer);
    if (answer != ANSWER_COUNT)
        send_answer(kernel, frame->cell, asked.number, answer);
    return result;
}

/* ---- what the person says ------------------------------------------------------------------- */

/* The text of an input_reply; false when there is none that could be an answer. */
static bool read_reply(struct bytes content, char reply[REPLY_BYTES_MAX])
{
    cleanup_buffer struct buffer text = BUFFER_NONE;

    if (!json_text_member_string(content, "value", &text) || text.size >= REPLY_BYTES_MAX)
        return false;
    snprintf(reply, REPLY_BYTES_MAX, "%.*s", (int)text.size, text.size != 0 ? text.data : "");
    return true;
}

/* "once 4821", with blanks around and between. */
static enum question_answer understand(struct bytes content, const char *code)
{
    char reply[REPLY_BYTES_MAX];
    char word[REPLY_BYTES_MAX];
    char repeated[REPLY_BYTES_MAX];
    char more[REPLY_BYTES_MAX];

    if (code[0] == '\0' || !read_reply(content, reply) ||
        sscanf(reply, "%63s %63s %63s", word, repeated, more) != 2 || strcmp(repeated, code) != 0)
        return ANSWER_NO;
    if (strcasecmp(word, "once") == 0)
        return ANSWER_ONCE;
    return strcasecmp(word, "session") == 0 ? ANSWER_SESSION : ANSWER_NO;
}

void question_take_reply(struct kernel *kernel, struct bytes content)
{
    enum question_answer answer = understand(content, kernel->question.code);

    /* A yes is for one command: the same text does something else the next time. */
    if (kernel->question.is_errand && answer == ANSWER_SESSION)
        answer = ANSWER_NO;
    question_close(kernel, answer);
}

bool question_is_late_reply(const struct kernel *kernel, struct bytes content)
{
    return !kernel->question.is_open && understand(content, kernel->question.code) != ANSWER_NO;
}
