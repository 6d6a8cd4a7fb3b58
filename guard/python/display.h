/*
 * display - messages with content, metadata and buffers that a cell sends
 *
 * Everything but streams, input requests and replies. What was printed before goes out before.
 */
#pragma once

#include "guard/link/frame.h"

#include <Python.h>

/*
 * display_send() - one frame for the current cell
 *
 * metadata  a dict; NULL or None: {}
 * buffers   a sequence of bytes-like objects; NULL or None: none
 *
 * Returns 0, or -1 with an exception: what is no JSON, a strange buffer, an interrupt while waiting
 * (the frame is sent all the same).
 */
int display_send(enum frame_type type, PyObject *content, PyObject *metadata, PyObject *buffers);

/* The same for a request's own frames, whose cell is known. */
int display_send_for(uint32_t cell, enum frame_type type, PyObject *content);

/* The same without waiting for the socket: -1 means that nothing was sent, and why.
   `content` NULL: a frame without parts. */
int display_post_for(uint32_t cell, enum frame_type type, PyObject *content);

/* FRAME_DISPLAY_DATA for "display_data"; FRAME_INVALID with ValueError for what publish() does not
 * take. */
enum frame_type display_type(const char *msg_type);
