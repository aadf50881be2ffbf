// SPDX-License-Identifier: MIT
#include "core/base/base.h"

#include <stdio.h>
#include <time.h>

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts))
		BUG("clock %d: %s", (int)id, strerror(errno));
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

const char *clock_format(int64_t wall_ms, char buf[CLOCK_TEXT_MAX])
{
	int64_t ms = ((wall_ms % 1000) + 1000) % 1000;
	time_t seconds = (time_t)((wall_ms / 1000) - (wall_ms % 1000 < 0));
	struct tm tm;
	size_t len;

	if (!gmtime_r(&seconds, &tm))
		BUG("no date for %lld ms", (long long)wall_ms);
	len = strftime(buf, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	if (ms)
		snprintf(buf + len, CLOCK_TEXT_MAX - len, ".%03dZ", (int)ms);
	else
		snprintf(buf + len, CLOCK_TEXT_MAX - len, "Z");
	return buf;
}
