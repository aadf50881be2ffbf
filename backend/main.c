// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include "builders/builder.h"
#include "builders/rpm.h"
#include "cli/cli.h"
#include "core/base/near.h"
#include "serve.h"

/* The roles of the one binary. Those without help are its own: it starts itself in them. */
static const struct role {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *help;
} roles[] = {
	{"serve", serve_main, "run the server: HTTP, WebSocket, queue and workers"},
	{"--rpm-role", rpm_role_main, NULL},
};

static int usage(FILE *out, int code)
{
	fprintf(out, "usage: reqpm COMMAND [OPTION…] [ARGUMENT…]\n\n");
	for (size_t i = 0; i < countof(roles); i++)
		if (roles[i].help)
			fprintf(out, "  %-8s %s\n", roles[i].name, roles[i].help);
	cli_print_commands(out);
	fprintf(out, "\n`reqpm COMMAND --help` says more of each.\n");
	return code;
}

static int unknown(const char *name)
{
	struct strbuf near_names = STRBUF_INIT;
	struct near near;

	near_init(&near, name, strlen(name));
	for (size_t i = 0; i < countof(roles); i++)
		if (roles[i].help)
			near_offer(&near, roles[i].name);
	for (size_t i = 0; i < cli_command_count; i++)
		near_offer(&near, cli_commands[i].name);
	near_add(&near, &near_names, "`reqpm help` lists them");
	fprintf(stderr, "reqpm: there is no command %s%s\n", name, near_names.buf);
	strbuf_finish(&near_names);
	return 2;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name || !strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h"))
		return cli_check_output(usage(name ? stdout : stderr, name ? 0 : 2));
	if (!strcmp(name, "--version")) {
		printf("reqpm %s\n", REQPM_VERSION);
		return cli_check_output(0);
	}
	for (size_t i = 0; i < countof(roles); i++)
		if (!strcmp(name, roles[i].name))
			return roles[i].main(argc - 1, argv + 1);
	if (cli_knows(name))
		return cli_main(argc - 1, argv + 1);
	return unknown(name);
}
