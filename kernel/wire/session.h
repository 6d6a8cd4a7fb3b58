/*
 * session - who we are on the wire: session id, message ids, dates
 *
 * One per kernel process: frontends see a new session id as a restart (messaging 5.6, "Versioning"
 * and "General Message Format").
 */
#pragma once

#include "guard/link/buffer.h"

#include <stdint.h>

#define PROTOCOL_VERSION "5.6" /* the same in every header and in kernel_info_reply */

enum { SESSION_DATE_SIZE = sizeof("2026-01-01T00:00:00.000000Z") };

struct session {
    char id[37];            /* random UUID */
    char pid[12];           /* our process's, for msg_id */
    uint64_t message_count; /* for msg_id, which must be unique */
    char *username;         /* JSON string with its quotes */
};

void session_init(struct session *session);
void session_finish(struct session *session);

/* A random (version 4) UUID in the usual spelling. */
void session_random_uuid(char ret_uuid[37]);

/* Now, in UTC, ISO 8601 with six digits and "Z". */
void session_date(char ret_date[SESSION_DATE_SIZE]);

/* Appends the msg_id that the next message will have. */
void session_append_msg_id(const struct session *session, struct buffer *text);

/* Appends a new header of this type as JSON text. */
void session_append_header(struct session *session, const char *msg_type, struct buffer *header);
