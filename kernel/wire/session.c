#include "kernel/wire/session.h"

#include "kernel/wire/json_text.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

void session_random_uuid(char ret_uuid[37])
{
    unsigned char random[16];
    char *at = ret_uuid;

    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        abort();
    random[6] = (unsigned char)((random[6] & 0x0F) | 0x40);
    random[8] = (unsigned char)((random[8] & 0x3F) | 0x80);
    for (int i = 0; i < 16; i++)
        at += sprintf(at, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", random[i]);
}

static char *put_digits(char *at, long number, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + count;
}

/* By hand: strftime() and snprintf() were a tenth of what a short cell costs this process. */
void session_date(char ret_date[SESSION_DATE_SIZE])
{
    struct timespec now;
    struct tm utc;
    char *at = ret_date;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    at = put_digits(at, utc.tm_year + 1900L, 4);
    *at++ = '-';
    at = put_digits(at, utc.tm_mon + 1L, 2);
    *at++ = '-';
    at = put_digits(at, utc.tm_mday, 2);
    *at++ = 'T';
    at = put_digits(at, utc.tm_hour, 2);
    *at++ = ':';
    at = put_digits(at, utc.tm_min, 2);
    *at++ = ':';
    at = put_digits(at, utc.tm_sec, 2);
    *at++ = '.';
    at = put_digits(at, now.tv_nsec / 1000, 6);
    *at++ = 'Z';
    *at = '\0';
}

void session_init(struct session *session)
{
    cleanup_buffer struct buffer username = BUFFER_NONE;
    const char *name = getenv("USER");

    *session = (struct session){.message_count = 0};
    session_random_uuid(session->id);
    json_text_append_string(&username, bytes_of_string(name != NULL ? name : "kernel"));
    session->username = buffer_steal_string(&username);
    snprintf(session->pid, sizeof(session->pid), "%d", (int)getpid());
}

void session_finish(struct session *session)
{
    free(session->username);
    session->username = NULL;
}

void session_append_msg_id(const struct session *session, struct buffer *text)
{
    char number[24];
    char *at = number + sizeof(number);
    uint64_t rest = session->message_count;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    buffer_append_string(text, session->id);
    buffer_append_char(text, '_');
    buffer_append_string(text, session->pid);
    buffer_append_char(text, '_');
    buffer_append(text, (struct bytes){at, (size_t)(number + sizeof(number) - at)});
}

void session_append_header(struct session *session, const char *msg_type, struct buffer *header)
{
    char date[SESSION_DATE_SIZE];

    session_date(date);
    buffer_append_string(header, "{\"msg_id\":\"");
    session_append_msg_id(session, header);
    session->message_count++;
    buffer_append_string(header, "\",\"msg_type\":\"");
    buffer_append_string(header, msg_type);
    buffer_append_string(header, "\",\"session\":\"");
    buffer_append_string(header, session->id);
    buffer_append_string(header, "\",\"username\":");
    buffer_append_string(header, session->username);
    buffer_append_string(header, ",\"date\":\"");
    buffer_append_string(header, date);
    buffer_append_string(header, "\",\"version\":\"" PROTOCOL_VERSION "\"}");
}
