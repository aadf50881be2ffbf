/* SPDX-License-Identifier: MIT */
#ifndef GAUGE_H
#define GAUGE_H

/*
 * gauge: one measuring instrument that speaks in lines of text.
 *
 * Since 2.0 gauge_open() takes the unit that readings are wanted in.
 */
enum gauge_unit {
	GAUGE_CELSIUS,
	GAUGE_FAHRENHEIT,
};

struct gauge;

/* A line is "NAME DEGREES", in Celsius. NULL: the line is none, or there is no memory. */
struct gauge *gauge_open(const char *line, enum gauge_unit unit);
void gauge_close(struct gauge *g);

const char *gauge_name(const struct gauge *g);
double gauge_reading(const struct gauge *g);

#endif
