/*
 * codec_infos - what open(), print() and text=True of subprocess look up in a codec
 *
 * codecs.lookup("utf-8") hands out the very object that C code asks for `incrementaldecoder` whenever a text file is opened: a
 * functools.partial that a cell has put there would be called in the middle of any tool. So each is remembered as it was when it was made.
 * Part of implicit_calls.h; what is in the classes of codecs is class_changes.h's.
 */
#pragma once

#include <stdbool.h>

/* Those there are, and from now on each new one. Once; -1 with an exception set. */
int codec_infos_remember(void);

/* Leaves no exception. */
bool codec_infos_hold(void);
