// SPDX-License-Identifier: MIT
#include "cli/cli.h"

#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/session.h"
#include "cli/upload.h"
#include "core/base/options.h"

#define SERVER_DEFAULT "http://127.0.0.1:8000"
#define LIST_LIMIT_MAX 200
#define BUILD_ID_MAX (((int64_t)1 << 53) - 1)

const struct cli_command cli_commands[] = {
	{"build", "PATH...", "upload, build and watch: folders, specs, source RPMs, packages.json",
		" name builder fail-fast dry-run timeout package-timeout detach progress ", 1,
		INT32_MAX, command_build},
	{"watch", "ID", "watch a build to its end", " timeout progress ", 1, 1, command_watch},
	{"list", "", "list builds, newest first", " status limit before ", 0, 0, command_list},
	{"show", "ID", "show a build and its packages", " ", 1, 1, command_show},
	{"log", "ID PACKAGE", "print a package's log", " follow ", 2, 2, command_log},
	{"cancel", "ID", "cancel a build", " ", 1, 1, command_cancel},
	{"delete", "ID...", "delete ended builds, their logs and results", " ", 1, INT32_MAX,
		command_delete},
	{"retry", "ID", "build once more what did not complete, and watch",
		" detach timeout progress ", 1, 1, command_retry},
	{"status", "", "how the server is", " ", 0, 0, command_status},
	{"login", "", "print a link that signs a browser in, once", " ", 0, 0, command_login},
};
const size_t cli_command_count = countof(cli_commands);

void cli_print_commands(FILE *out)
{
	for (size_t i = 0; i < cli_command_count; i++)
		fprintf(out, "  %-8s %s\n", cli_commands[i].name, cli_commands[i].summary);
}

/* ---- options */

#define OPTIONS_MAX 20

/* All options there are; a command takes those that it names, and the common ones. */
static size_t command_options(const struct cli_command *command, struct arguments *a,
	struct option_spec ret_specs[OPTIONS_MAX])
{
	static const char common[] = " server server-timeout color json ";
	const struct option_spec all[] = {
		{"name", OPTION_STRING, &a->name, "NAME", "what the build is called", 0, 0},
		{"builder", OPTION_STRING, &a->builder, "NAME",
			"rpmbuild or command; without it the content decides", 0, 0},
		{"fail-fast", OPTION_FLAG, &a->fail_fast, NULL, "stop at the first failure", 0, 0},
		{"dry-run", OPTION_FLAG, &a->dry_run, NULL, "only work out and print the order", 0,
			0},
		{"package-timeout", OPTION_DURATION, &a->package_timeout_ms, "TIME",
			"a package that builds for longer fails", 0, 0},
		{"detach", OPTION_FLAG, &a->detach, NULL, "do not watch the build", 0, 0},
		{"timeout", OPTION_DURATION, &a->timeout_ms, "TIME",
			"stop watching after this time and exit 124; the build goes on", 0, 0},
		{"progress", OPTION_STRING, &a->progress, "HOW", "auto, plain, tty, quiet or json",
			0, 0},
		{"status", OPTION_STRING, &a->status, "STATUS", "only builds of this status", 0, 0},
		{"limit", OPTION_INT, &a->limit, "N", "how many builds, 50 if not given", 1,
			LIST_LIMIT_MAX},
		{"before", OPTION_INT, &a->before, "ID", "only builds older than this one", 1,
			BUILD_ID_MAX},
		{"follow", OPTION_FLAG, &a->follow, NULL, "go on as the log grows, to its end", 0,
			0},
		{"json", OPTION_FLAG, &a->json, NULL, "print what the server sends, as JSON", 0, 0},
		{"color", OPTION_STRING, &a->color, "WHEN", "auto, always or never", 0, 0},
		{"server", OPTION_STRING, &a->server, "URL",
			"else REQPM_SERVER, else " SERVER_DEFAULT, 0, 0},
		{"server-timeout", OPTION_DURATION, &a->server_timeout_ms, "TIME",
			"how long to wait for a server that went away, 10m if not given", 0, 0},
	};
	size_t count = 0;
	char word[32];

	for (size_t i = 0; i < countof(all); i++) {
		snprintf(word, sizeof(word), " %s ", all[i].name);
		if (strstr(command->options, word) || strstr(common, word))
			ret_specs[count++] = all[i];
	}
	return count;
}

static void print_help(
	const struct cli_command *command, const struct option_spec *specs, size_t count)
{
	printf("usage: reqpm %s [OPTION]...%s%s\n\n%s\n\n", command->name,
		*command->operands ? " " : "", command->operands, command->summary);
	options_print(specs, count);
	printf("\nThe token for changes: REQPM_TOKEN, else the file \"token\" in REQPM_DATA_DIR.\n"
	       "Exit codes: 0 built, 1 a package failed, 2 refused, 3 cancelled, 4 server lost or\n"
	       "output full, 5 no such build, 124 --timeout is over, 130 interrupted (the build\n"
	       "goes on).\n");
}

/* One of the words of a list, each between spaces. */
static int check_word(const char *option, const char *value, const char *words, struct strbuf *err)
{
	char word[16];

	if (!value)
		return 0;
	if (strlen(value) < sizeof(word) - 2 && !strchr(value, ' ')) {
		snprintf(word, sizeof(word), " %.13s ", value);
		if (strstr(words, word))
			return 0;
	}
	return err_set(err, -EINVAL, "--%s is not one of%sbut \"%s\"", option, words, value);
}

/* What the server would refuse, too, but only when all is uploaded. */
static int check_build(const struct arguments *a, struct strbuf *err)
{
	if (a->name && (!*a->name || strlen(a->name) > UPLOAD_NAME_LIMIT ||
			       !utf8_valid(a->name, strlen(a->name)) || text_has_control(a->name)))
		return err_set(err, -EINVAL,
			"--name needs 1 to %d bytes of text without control characters",
			UPLOAD_NAME_LIMIT);
	if (a->package_timeout_ms > 1000LL * PACKAGE_TIMEOUT_LIMIT_S)
		return err_set(err, -EINVAL, "--package-timeout can be %dh at most, a week",
			PACKAGE_TIMEOUT_LIMIT_S / 3600);
	return 0;
}

static int check_arguments(
	const struct cli_command *command, const struct session *s, struct strbuf *err)
{
	const struct arguments *a = &s->args;
	int r = check_word("color", a->color, " auto always never ", err);

	if (!r)
		r = check_word("progress", a->progress, " auto plain tty quiet json ", err);
	if (!r)
		r = check_word("builder", a->builder, " rpmbuild command ", err);
	if (!r)
		r = check_word("status", a->status,
			" pending preparing running completed failed cancelled ", err);
	if (!r)
		r = check_build(a, err);
	if (r)
		return r;
	if (s->operand_count < command->min)
		return err_set(err, -EINVAL, "too few operands: reqpm %s %s", command->name,
			command->operands);
	if (s->operand_count > command->max)
		return err_set(err, -EINVAL, "\"%s\" is one operand too many: reqpm %s %s",
			s->operands[command->max], command->name, command->operands);
	if (a->progress && !strcmp(a->progress, "tty") && !s->tty)
		return err_set(err, -EINVAL, "--progress=tty needs a terminal to write to");
	if (a->json && a->progress && strcmp(a->progress, "json") != 0)
		return err_set(
			err, -EINVAL, "--json and --progress=%s exclude each other", a->progress);
	return 0;
}

/* ---- the surroundings */

/* "" where the variable is not set. */
static const char *env_text(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static bool is_set(const char *name)
{
	return *env_text(name);
}

static bool wants_color(const struct session *s)
{
	const char *color = s->args.color ? s->args.color : "auto";
	const char *force = env_text("CLICOLOR_FORCE");

	if (strcmp(color, "auto") != 0)
		return !strcmp(color, "always");
	if (is_set("NO_COLOR"))
		return false;
	if (*force && strcmp(force, "0") != 0)
		return true;
	return s->tty && is_set("TERM") && strcmp(env_text("TERM"), "dumb") != 0;
}

static enum progress choose_progress(const struct session *s)
{
	const char *how = s->args.progress ? s->args.progress : "auto";
	bool able =
		s->tty && is_set("TERM") && strcmp(env_text("TERM"), "dumb") != 0 && !is_set("CI");

	if (s->args.json || !strcmp(how, "json"))
		return PROGRESS_JSON;
	if (!strcmp(how, "quiet"))
		return PROGRESS_QUIET;
	if (!strcmp(how, "tty"))
		return PROGRESS_TTY;
	return able && strcmp(how, "plain") != 0 ? PROGRESS_TTY : PROGRESS_PLAIN;
}

static int session_open(struct session *s, struct strbuf *err)
{
	const char *set = env_text("REQPM_SERVER"), *usual = *set ? set : SERVER_DEFAULT;
	const char *server = s->args.server ? s->args.server : usual;
	char *dir = data_dir_usual();
	int r;

	setlocale(LC_CTYPE, "");
	s->style.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	s->style.color = wants_color(s);
	s->progress = choose_progress(s);
	s->args.json |= s->progress == PROGRESS_JSON;
	r = client_init(&s->client, server, dir, err);
	free(dir);
	if (r)
		return r;
	/* The control script says by which name it was called. */
	s->style.program = is_set("REQPM_PROGRAM") ? getenv("REQPM_PROGRAM") : NULL;
	s->style.server = strcmp(server, usual) ? s->client.base : NULL;
	if (s->args.server_timeout_ms)
		s->client.server_timeout_ms = s->args.server_timeout_ms;
	if (s->args.timeout_ms)
		s->client.deadline_ms = clock_monotonic_ms() + s->args.timeout_ms;
	return 0;
}

/* ---- saying things */

static bool takes(FILE *to)
{
	struct pollfd fd = {.fd = fileno(to), .events = POLLOUT};

	return poll(&fd, 1, 0) > 0;
}

/* Where poll() says that a pipe can be written, so much of it is without waiting. */
int put(struct session *s, FILE *to, const char *text, size_t len)
{
	while (len && !ferror(to)) {
		size_t step = len < PIPE_BUF ? len : PIPE_BUF;
		int r = takes(to) ? 1 : client_wait(&s->client, fileno(to), POLLOUT, INT32_MAX);

		if (r < 0)
			return r;
		if (!r)
			continue;
		fwrite(text, 1, step, to);
		fflush(to);
		text += step;
		len -= step;
	}
	return ferror(to) ? -EPIPE : 0;
}

/* In JSON a newline can only stand where a space may. */
int put_message(struct session *s, const char *text, size_t len)
{
	struct strbuf line = STRBUF_INIT;
	int r;

	strbuf_add(&line, text, len);
	for (size_t i = 0; i < len; i++)
		if (line.buf[i] == '\n' || line.buf[i] == '\r')
			line.buf[i] = ' ';
	strbuf_addch(&line, '\n');
	r = put(s, stdout, line.buf, line.len);
	strbuf_finish(&line);
	return r;
}

void say(struct session *s, const char *text, size_t len)
{
	FILE *to = s->args.json ? stderr : stdout;
	struct strbuf shown = STRBUF_INIT;

	strbuf_add(&shown, text, len);
	if (!s->style.utf8)
		text_to_ascii(&shown);
	put(s, to, shown.buf, shown.len);
	strbuf_finish(&shown);
}

void say_line(struct session *s, const char *fmt, ...)
{
	struct strbuf line = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&line, fmt, ap);
	va_end(ap);
	strbuf_addch(&line, '\n');
	say(s, line.buf, line.len);
	strbuf_finish(&line);
}

int complain(const struct session *s, int code, const struct strbuf *err)
{
	struct strbuf shown = STRBUF_INIT;

	if (!err->len)
		return code;
	strbuf_addf(&shown, "reqpm: %s\n", err->buf);
	if (!s->style.utf8)
		text_to_ascii(&shown);
	fwrite(shown.buf, 1, shown.len, stderr);
	strbuf_finish(&shown);
	return code;
}

int operand_id(const struct session *s, int position, int64_t *ret_id)
{
	struct strbuf err = STRBUF_INIT;

	if (!parse_id(s->operands[position], ret_id) && *ret_id <= BUILD_ID_MAX)
		return 0;
	strbuf_addstr(&err, "\"");
	text_clean(&err, s->operands[position], strlen(s->operands[position]));
	strbuf_addstr(&err, "\" is not the id of a build: a number from 1 on");
	complain(s, CLI_REFUSED, &err);
	strbuf_finish(&err);
	return CLI_REFUSED;
}

/* ---- running */

/* Else a connection would take the number of an output that the caller closed, and be written to. */
static void fill_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int cli_check_output(int code)
{
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	fprintf(stderr, "reqpm: the output cannot be written: it is closed or full\n");
	return code ? code : CLI_LOST;
}

static int run(const struct cli_command *command, struct session *s)
{
	struct strbuf err = STRBUF_INIT;
	int code = check_arguments(command, s, &err) ? CLI_REFUSED : CLI_OK;

	if (!code && session_open(s, &err))
		code = CLI_REFUSED;
	if (code)
		complain(s, code, &err);
	else
		code = command->run(s);
	signals_give_back(&s->signals);
	client_finish(&s->client);
	strbuf_finish(&err);
	return code;
}

static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < cli_command_count; i++)
		if (!strcmp(cli_commands[i].name, name))
			return &cli_commands[i];
	return NULL;
}

bool cli_knows(const char *command)
{
	return find_command(command) != NULL;
}

int cli_main(int argc, char **argv)
{
	const struct cli_command *command = find_command(argv[0]);
	struct session s = {.operands = argv + 1, .tty = isatty(STDOUT_FILENO), .signals.fd = -1};
	struct option_spec specs[OPTIONS_MAX];
	struct strbuf err = STRBUF_INIT;
	size_t count;
	int r;

	if (!command)
		BUG("no command is called %s", argv[0]);
	fill_standard_files();
	count = command_options(command, &s.args, specs);
	r = options_parse(specs, count, argc - 1, argv + 1, &s.operand_count, &err);
	if (r == -ECANCELED)
		print_help(command, specs, count);
	else if (r)
		complain(&s, CLI_REFUSED, &err);
	strbuf_finish(&err);
	if (r)
		return cli_check_output(r == -ECANCELED ? CLI_OK : CLI_REFUSED);
	return cli_check_output(run(command, &s));
}
