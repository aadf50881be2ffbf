// SPDX-License-Identifier: MIT
#include "apps/builds/builds.h"

const char *const build_status_name[] = {
	[BUILD_PENDING] = "pending",
	[BUILD_PREPARING] = "preparing",
	[BUILD_RUNNING] = "running",
	[BUILD_COMPLETED] = "completed",
	[BUILD_FAILED] = "failed",
	[BUILD_CANCELLED] = "cancelled",
};
_Static_assert(countof(build_status_name) == BUILD_STATUS_COUNT, "name all");

const char *const queue_status_name[] = {
	[QUEUE_PENDING] = "pending",
	[QUEUE_QUEUED] = "queued",
	[QUEUE_BUILDING] = "building",
	[QUEUE_COMPLETED] = "completed",
	[QUEUE_FAILED] = "failed",
	[QUEUE_BLOCKED] = "blocked",
	[QUEUE_CANCELLED] = "cancelled",
};
_Static_assert(countof(queue_status_name) == QUEUE_STATUS_COUNT, "name all");

const char *const queue_reason_name[] = {
	[REASON_NONE] = NULL,
	[REASON_BUILD] = "build",
	[REASON_TIMEOUT] = "timeout",
	[REASON_MEMORY] = "memory",
	[REASON_DISK] = "disk",
	[REASON_LOST] = "lost",
	[REASON_INFRASTRUCTURE] = "infrastructure",
	[REASON_BLOCKED] = "blocked",
	[REASON_CANCELLED] = "cancelled",
	[REASON_FAIL_FAST] = "fail_fast",
	[REASON_ARCHITECTURE] = "architecture",
};
_Static_assert(countof(queue_reason_name) == REASON_COUNT, "name all");

static int find(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (name && names[i] && !strcmp(names[i], name))
			return (int)i;
	return -EINVAL;
}

int build_status_parse(const char *name)
{
	return find(build_status_name, BUILD_STATUS_COUNT, name);
}

int queue_status_parse(const char *name)
{
	return find(queue_status_name, QUEUE_STATUS_COUNT, name);
}

int queue_reason_parse(const char *name)
{
	return name ? find(queue_reason_name, REASON_COUNT, name) : REASON_NONE;
}
