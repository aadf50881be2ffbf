// SPDX-License-Identifier: MIT
/* dialview: draws each line of standard input, a name and degrees. */
#include <dial.h>
#include <stdio.h>
#include <string.h>

enum {
	WIDTH = 35,
};

int main(int argc, char **argv)
{
	char line[256], text[WIDTH + 1];

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("dialview %s\n", VERSION) < 0;
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (dial_draw(line, text, WIDTH) < 0)
			return 1;
		printf("%s %s\n", text, line);
	}
	return 0;
}
