/*
 * folders - the folders above a record, made when it is opened
 *
 * For the owner alone, as the files in them. What cannot be made is told by the open() that follows.
 */
#pragma once

void folders_make_above(const char *path);
