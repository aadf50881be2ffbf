// SPDX-License-Identifier: MIT
#include "builders/launch.h"

#include <stdio.h>
#include <unistd.h>

/*
 * What ps shows of a process lies in its own memory: the arguments it was started with, and its environment right behind them. A
 * title longer than the arguments runs on into the environment, which is moved away first; one that does not fit is cut.
 */

/* Fields 48 to 51 of /proc/self/stat; the name in field 2 may hold anything, so they are counted from behind it. */
static char *title_area(size_t *ret_len)
{
	unsigned long start = 0, end = 0, env_start = 0, env_end = 0;
	struct strbuf stat = STRBUF_INIT;
	const char *at = NULL;

	if (!file_read("/proc/self/stat", 4096, &stat, NULL))
		at = strrchr(stat.buf, ')');
	for (int field = 2; at && field < 48; field++)
		at = strchr(at + 1, ' ');
	if (!at || sscanf(at, " %lu %lu %lu %lu", &start, &end, &env_start, &env_end) != 4)
		start = end = 0;
	strbuf_finish(&stat);
	if (env_start == end && env_end > env_start)
		end = env_end;
	*ret_len = end - start;
	return (char *)start; // NOLINT(performance-no-int-to-ptr)
}

void process_title_set(const char *title)
{
	char *path = xstrdup(getenv("PATH"));
	size_t len, room;
	char *area = title_area(&room);

	if (!room) {
		free(path);
		return;
	}
	clearenv();
	if (path)
		setenv("PATH", path, 1);
	free(path);
	len = strlen(title);
	if (len > room - 1)
		len = room - 1;
	memset(area, 0, room);
	memcpy(area, title, len);
}
