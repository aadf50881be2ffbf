/* SPDX-License-Identifier: MIT */
#ifndef DIAL_H
#define DIAL_H

/* Writes a reading as a row of marks: -20 to 50 degrees on `width` places. 0, or -1. */
int dial_draw(const char *line, char *ret_text, int width);

#endif
