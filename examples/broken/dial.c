// SPDX-License-Identifier: MIT
#include <gauge.h>
#include <string.h>

#include "dial.h"

/* Written for gauge 1, which knew one unit: with gauge 2 this does not compile. */
int dial_draw(const char *line, char *ret_text, int width)
{
	struct gauge *g = gauge_open(line);
	int marks;

	if (!g)
		return -1;
	marks = (int)((gauge_read(g) + 20) / 70 * width);
	marks = marks < 0 ? 0 : marks > width ? width : marks;
	memset(ret_text, '#', (size_t)marks);
	memset(ret_text + marks, '.', (size_t)(width - marks));
	ret_text[width] = '\0';
	gauge_close(g);
	return 0;
}
