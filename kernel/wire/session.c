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

void session_date(char ret_date[SESSION_DATE_SIZE])
{
    struct timespec now;
    struct tm utc;
    size_t length;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    length = strftime(ret_date, SESSION_DATE_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(ret_date + length, SESSION_DATE_SIZE - length, ".%06dZ",
             (int)(now.tv_nsec / 1000 % 1000000));
}

void session_init(struct session *session)
{
    cleanup_buffer struct buffer username = BUFFER_NONE;
    const char *name = getenv("USER");

    *session = (struct session){.message_count = 0};
    session_random_uuid(session->id);
    json_text_append_string(&username, bytes_of_string(name != NULL ? name : "kernel"));
    session->username = buffer_steal_string(&username);
}

void session_finish(struct session *session)
{
    free(session->username);
    session->username = NULL;
}

void session_append_header(struct session *session, const char *msg_type, struct buffer *header)
{
    char date[SESSION_DATE_SIZE];

    session_date(date);
    buffer_append_format(header,
                         "{\"msg_id\":\"%s_%d_%llu\",\"msg_type\":\"%s\",\"session\":\"%s\","
                         "\"username\":%s,\"date\":\"%s\",\"version\":\"" PROTOCOL_VERSION "\"}",
                         session->id, (int)getpid(), (unsigned long long)session->message_count++,
                         msg_type, session->id, session->username, date);
}
