// SPDX-License-Identifier: MIT
#include "builders/rpm_role.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builders/rpm.h"
#include "builders/rpm_host.h"

#define OUT RPM_TOPDIR "/out"
#define SPEC RPM_TOPDIR "/base.spec"
#define BASE_RPM (OUT "/base.rpm")
#define DATABASE "/tmp/rpmdb" /* in memory: rpm syncs it to disk else, and a copy is made anyway */
#define DBPATH ("_dbpath " DATABASE)

static const char head[] = "Name: reqpm-base\n"
			   "Version: " REQPM_VERSION "\n"
			   "Release: 1\n"
			   "Summary: What the host of a build has\n"
			   "License: MIT\n"
			   "BuildArch: noarch\n"
			   "AutoReqProv: no\n";
static const char tail[] = "%description\n"
			   "Stands for the host in the build roots of reqpm. Holds no files.\n"
			   "%files\n";

/* "name" or "name = version", as the operator wrote it. */
static void add_wished(struct strbuf *spec, char *wish)
{
	char *op = strstr(wish, " = ");

	if (op)
		*op = '\0';
	if (!host_add(spec, wish, op ? op + strlen(" = ") : NULL))
		fprintf(stderr, "left out, because rpm takes no such name: %s\n", wish);
}

static void add_host(struct strbuf *spec)
{
	static const char *const copy[] = {"cp", "-r", "--", RPM_ROLE_HOSTDB, "/tmp/hostdb", NULL};

	/* A copy, because rpm locks what it reads. */
	if (!access(RPM_ROLE_HOSTDB, R_OK) && role_run(copy, NULL, false) == 0 &&
		host_ask_rpmdb(spec, "/tmp/hostdb"))
		host_scan_programs(spec);
	else
		host_scan(spec);
}

static int write_text(const char *path, const struct strbuf *text)
{
	struct strbuf err = STRBUF_INIT;
	int r = file_write_atomic(path, text->buf, text->len, 0644, &err);

	if (r)
		fprintf(stderr, "%s\n", err.buf);
	strbuf_finish(&err);
	return r;
}

/* The same for who plans builds: it reads no header. */
static int write_provides(const char *lines)
{
	static const char tag[] = "Provides: ";
	struct strbuf list = STRBUF_INIT;
	int r;

	while (*lines) {
		size_t len = strcspn(lines, "\n");

		if (!strncmp(lines, tag, strlen(tag))) {
			strbuf_add(&list, lines + strlen(tag), len - strlen(tag));
			strbuf_addch(&list, '\n');
		}
		lines += len + (lines[len] == '\n');
	}
	r = write_text(OUT "/" RPM_BASE_PROVIDES, &list);
	strbuf_finish(&list);
	return r;
}

static int write_spec(int argc, char **argv)
{
	struct strbuf spec = STRBUF_INIT;
	int r;

	strbuf_addstr(&spec, head);
	add_host(&spec);
	for (int i = 0; i < argc; i++)
		add_wished(&spec, argv[i]);
	strbuf_addstr(&spec, tail);
	r = write_text(SPEC, &spec);
	if (!r)
		r = write_provides(spec.buf);
	strbuf_finish(&spec);
	return r;
}

static int run_step(const char *const *first, const char *const *more, const char *const *last)
{
	struct strbuf out = STRBUF_INIT;
	const char **argv = rpm_argv(first, more, last);
	int status = role_run(argv, &out, true);

	if (status)
		fprintf(stderr, "%s", out.buf);
	free(argv);
	strbuf_finish(&out);
	return status;
}

int role_base(int argc, char **argv)
{
	static const char *const steps[][16] = {
		{"rpmbuild", "-bb", SPEC},
		{"mv", RPM_TOPDIR "/RPMS/noarch/reqpm-base-" REQPM_VERSION "-1.noarch.rpm",
			BASE_RPM},
		{"rpm", "--define", DBPATH, "--initdb"},
		{"rpm", "--define", DBPATH, "-i", "--justdb", "--nodeps", "--noscripts",
			"--notriggers", "--nosignature", BASE_RPM},
		{"cp", DATABASE "/rpmdb.sqlite", OUT "/rpmdb.sqlite"},
	};

	if (mkdir(OUT, 0755) && errno != EEXIST) {
		fprintf(stderr, "%s: %s\n", OUT, strerror(errno));
		return 1;
	}
	if (write_spec(argc, argv))
		return 1;
	for (size_t i = 0; i < countof(steps); i++) {
		bool rpm = !strncmp(steps[i][0], "rpm", 3);
		const char *const program[] = {steps[i][0], NULL};

		if (run_step(program, rpm ? rpm_macros(RPM_INPUT_SPEC) : NULL, steps[i] + 1))
			return 1;
	}
	role_answer("{}");
	return 0;
}
