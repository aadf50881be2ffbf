// SPDX-License-Identifier: MIT
#include <string.h>

#include "hamper-impl.h"

static bool part_is_safe(const char *part, size_t len)
{
	if (len == 0 || (len == 1 && part[0] == '.'))
		return false;
	return !(len == 2 && part[0] == '.' && part[1] == '.');
}

bool name_is_safe(const char *name, size_t len)
{
	const char *end = name + len;

	if (len == 0 || len > HAMPER_NAME_MAX)
		return false;
	for (const char *p = name; p < end; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	for (;;) {
		const char *slash = memchr(name, '/', (size_t)(end - name));

		if (!part_is_safe(name, (size_t)((slash ? slash : end) - name)))
			return false;
		if (!slash)
			return true;
		name = slash + 1;
	}
}
