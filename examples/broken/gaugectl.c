// SPDX-License-Identifier: MIT
/* gaugectl: prints the reading of one instrument. */
#include <gauge.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	enum gauge_unit unit = GAUGE_CELSIUS;
	struct gauge *g;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("gaugectl %s\n", VERSION) < 0;
	if (argc == 3 && strcmp(argv[1], "--fahrenheit") == 0)
		unit = GAUGE_FAHRENHEIT;
	else if (argc != 2) {
		fprintf(stderr, "usage: gaugectl [--fahrenheit] \"NAME DEGREES\"\n");
		return 2;
	}
	g = gauge_open(argv[argc - 1], unit);
	if (!g) {
		fprintf(stderr, "gaugectl: this is not a name and degrees: %s\n", argv[argc - 1]);
		return 1;
	}
	printf("%s: %.1f %s\n", gauge_name(g), gauge_reading(g), unit == GAUGE_CELSIUS ? "C" : "F");
	gauge_close(g);
	return 0;
}
