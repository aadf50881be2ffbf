// SPDX-License-Identifier: MIT
#include "builders/builder.h"

static const struct builder_ops *const builders[] = {
	&builder_command,
	&builder_rpmbuild,
};

const struct builder_ops *builder_find(const char *name)
{
	for (size_t i = 0; i < countof(builders); i++)
		if (!strcmp(builders[i]->name, name))
			return builders[i];
	return NULL;
}
