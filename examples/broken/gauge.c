// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include "gauge.h"

struct gauge {
	char name[32];
	double celsius;
	enum gauge_unit unit;
};

struct gauge *gauge_open(const char *line, enum gauge_unit unit)
{
	struct gauge *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->unit = unit;
	if (sscanf(line, "%31s %lf", g->name, &g->celsius) == 2)
		return g;
	free(g);
	return NULL;
}

void gauge_close(struct gauge *g)
{
	free(g);
}

const char *gauge_name(const struct gauge *g)
{
	return g->name;
}

double gauge_reading(const struct gauge *g)
{
	return g->unit == GAUGE_CELSIUS ? g->celsius : g->celsius * 9 / 5 + 32;
}
