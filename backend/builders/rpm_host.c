// SPDX-License-Identifier: MIT
#include "builders/rpm_host.h"

#include <ctype.h>
#include <dirent.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PC_BYTES_MAX (1 << 20)
#define PC_EXPANSIONS_MAX 32
#define LINE_MAX_BYTES 4096

typedef void path_fn(struct strbuf *spec, const char *path, const char *base);

static bool all_of(const char *s, const char *others)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(others, *s))
			return false;
	return true;
}

static bool version_usable(const char *version)
{
	const char *dash = strchr(version, '-');

	return isalnum((unsigned char)*version) && all_of(version, "._+~^:-") &&
	       (!dash || (dash[1] && !strchr(dash + 1, '-')));
}

bool host_add(struct strbuf *spec, const char *name, const char *version)
{
	if (!isalnum((unsigned char)*name) && *name != '/' && *name != '_')
		return false;
	if (!all_of(name, "_./+-():@~^"))
		return false;
	strbuf_addf(spec, "Provides: %s", name);
	if (version && version_usable(version))
		strbuf_addf(spec, " = %s", version);
	strbuf_addch(spec, '\n');
	return true;
}

PRINTF(3, 4)
static void add_format(struct strbuf *spec, const char *version, const char *fmt, ...)
{
	struct strbuf name = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&name, fmt, ap);
	va_end(ap);
	host_add(spec, name.buf, version);
	strbuf_finish(&name);
}

static void each_path(struct strbuf *spec, const char *pattern, path_fn *fn)
{
	glob_t found;

	if (!glob(pattern, GLOB_BRACE, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++)
			fn(spec, found.gl_pathv[i], strrchr(found.gl_pathv[i], '/') + 1);
	globfree(&found);
}

static bool strip(char *s, const char *suffix)
{
	size_t len = strlen(s), end = strlen(suffix);

	if (len <= end || strcmp(s + len - end, suffix) != 0)
		return false;
	s[len - end] = '\0';
	return true;
}

/* ---- programs */

static void add_program(struct strbuf *spec, const char *path, const char *base)
{
	if (access(path, X_OK))
		return;
	host_add(spec, base, NULL);
	host_add(spec, path, NULL);
	host_add(spec, path + strlen("/usr"), NULL); /* scripts say /bin/sh */
}

void host_scan_programs(struct strbuf *spec)
{
	each_path(spec, "/usr/{bin,sbin}/*", add_program);
}

/* ---- shared libraries: rpm's own generator reads them */

static void add_library_path(struct strbuf *list, const char *path, const char *base)
{
	struct stat st;

	/* Links lead to files that are listed themselves. */
	if (strstr(base, ".so") && !lstat(path, &st) && S_ISREG(st.st_mode))
		strbuf_addf(list, "%s\n", path);
}

static void add_lines(struct strbuf *spec, FILE *from)
{
	char line[LINE_MAX_BYTES];

	while (fgets(line, sizeof(line), from)) {
		line[strcspn(line, "\n")] = '\0';
		host_add(spec, line, NULL);
	}
}

static void scan_libraries(struct strbuf *spec)
{
	struct strbuf list = STRBUF_INIT;
	FILE *elfdeps;
	char name[] = "/tmp/libraries-XXXXXX";
	int fd;

	host_add(spec, "rtld(GNU_HASH)", NULL);
	each_path(&list, "/usr/{lib,lib64,lib/*-linux-gnu*}/*.so*", add_library_path);
	fd = mkstemp(name);
	if (fd >= 0 && write(fd, list.buf, list.len) == (ssize_t)list.len &&
		lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO) {
		elfdeps = popen("exec /usr/lib/rpm/elfdeps --provides", "r");
		if (elfdeps) {
			add_lines(spec, elfdeps);
			pclose(elfdeps);
		}
	}
	if (fd >= 0) {
		unlink(name);
		close(fd);
	}
	strbuf_finish(&list);
}

/* ---- pkg-config */

/* The value of "NAME<separator> value" at the start of a line, without spaces around it. */
static const char *pc_field(
	const char *text, const char *name, size_t name_len, char separator, size_t *ret_len)
{
	for (const char *line = text; line;
		line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *value;

		if (strncmp(line, name, name_len) != 0)
			continue;
		value = line + name_len + strspn(line + name_len, " \t");
		if (*value++ != separator)
			continue;
		value += strspn(value, " \t");
		*ret_len = strcspn(value, "\r\n#");
		while (*ret_len && isspace((unsigned char)value[*ret_len - 1]))
			(*ret_len)--;
		return value;
	}
	return NULL;
}

void host_pc_version(const char *text, struct strbuf *ret)
{
	size_t len;
	const char *value = pc_field(text, "Version", strlen("Version"), ':', &len);
	char *open, *close;

	strbuf_reset(ret);
	if (value)
		strbuf_add(ret, value, len);
	/* Bounded, because a variable may name itself. */
	for (int i = 0; i < PC_EXPANSIONS_MAX && (open = strstr(ret->buf, "${")); i++) {
		struct strbuf expanded = STRBUF_INIT;

		close = strchr(open, '}');
		if (!close)
			break;
		strbuf_add(&expanded, ret->buf, (size_t)(open - ret->buf));
		value = pc_field(text, open + 2, (size_t)(close - open - 2), '=', &len);
		if (value)
			strbuf_add(&expanded, value, len);
		strbuf_addstr(&expanded, close + 1);
		strbuf_finish(ret);
		*ret = expanded;
	}
}

static void add_pc(struct strbuf *spec, const char *path, const char *base)
{
	struct strbuf text = STRBUF_INIT, version = STRBUF_INIT;
	char *name = xstrdup(base);

	if (strip(name, ".pc") && !file_read(path, PC_BYTES_MAX, &text, NULL)) {
		host_pc_version(text.buf, &version);
		add_format(spec, version.buf, "pkgconfig(%s)", name);
	}
	free(name);
	strbuf_finish(&text);
	strbuf_finish(&version);
}

/* ---- modules of languages */

bool host_python_dist(const char *file, struct strbuf *ret_name, struct strbuf *ret_version)
{
	const char *dash = strchr(file, '-'), *end;

	if (!dash || dash == file || !isdigit((unsigned char)dash[1]))
		return false;
	end = strstr(dash, ".dist-info");
	if (!end)
		end = strstr(dash, ".egg-info");
	if (!end)
		return false;
	for (const char *c = file; c < dash; c++)
		strbuf_addch(
			ret_name, *c == '_' || *c == '.' ? '-' : (char)tolower((unsigned char)*c));
	end = dash + 1 + strcspn(dash + 1, "-") < end ? dash + 1 + strcspn(dash + 1, "-") : end;
	strbuf_add(ret_version, dash + 1, (size_t)(end - dash - 1));
	return true;
}

static void add_python_dist(struct strbuf *spec, const char *path, const char *base)
{
	struct strbuf name = STRBUF_INIT, version = STRBUF_INIT;

	(void)path;
	if (host_python_dist(base, &name, &version))
		add_format(spec, version.buf, "python3dist(%s)", name.buf);
	strbuf_finish(&name);
	strbuf_finish(&version);
}

static void add_python(struct strbuf *spec, const char *path, const char *base)
{
	(void)path;
	host_add(spec, "python(abi)", base + strlen("python"));
}

static void add_cmake(struct strbuf *spec, const char *path, const char *base)
{
	char *name = xstrdup(base);

	(void)path;
	if (strip(name, "Config.cmake") || strip(name, "-config.cmake"))
		add_format(spec, NULL, "cmake(%s)", name);
	free(name);
}

static struct strbuf *perl_spec; /* nftw() passes no argument */
static size_t perl_root_len;

static int add_perl_module(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct strbuf name = STRBUF_INIT;

	(void)st;
	(void)ftw;
	if (type != FTW_F || strlen(path) < perl_root_len + strlen("/x.pm"))
		return 0;
	for (const char *c = path + perl_root_len + 1; *c; c++) {
		if (*c == '/')
			strbuf_addstr(&name, "::");
		else
			strbuf_addch(&name, *c);
	}
	if (strip(name.buf, ".pm"))
		add_format(perl_spec, NULL, "perl(%s)", name.buf);
	strbuf_finish(&name);
	return 0;
}

static void add_perl_folder(struct strbuf *spec, const char *path, const char *base)
{
	(void)base;
	perl_spec = spec;
	perl_root_len = strlen(path);
	nftw(path, add_perl_module, 16, FTW_PHYS);
}

static void add_perl_version(struct strbuf *spec, const char *path, const char *base)
{
	(void)path;
	add_format(spec, NULL, "perl(:MODULE_COMPAT_%s)", base);
}

static void scan_modules(struct strbuf *spec)
{
	each_path(spec, "/usr/lib/python3.*[0-9]", add_python);
	each_path(spec, "/usr/lib/{python3/dist-packages,python3.*/site-packages}/*-info",
		add_python_dist);
	each_path(spec, "/usr/share/perl/5.*.*", add_perl_version);
	each_path(spec,
		"/usr/{share/perl5,share/perl/5.*.*,lib/*/perl/5.*.*,lib/*/perl5/5.*,lib/*/"
		"perl-base}",
		add_perl_folder);
	each_path(spec, "/usr/{lib,lib64,lib/*-linux-gnu*,share}/cmake/*/*onfig.cmake", add_cmake);
}

/* ---- Fedora's names */

static void scan_fedora_names(struct strbuf *spec)
{
	FILE *rpm = popen("exec rpm -E '%{?_isa}'", "r");
	char line[64] = "";

	if (rpm) {
		if (fgets(line, sizeof(line), rpm))
			line[strcspn(line, "\n")] = '\0';
		pclose(rpm);
	}
	for (const struct fedora_name *f = fedora_names; f->name; f++) {
		glob_t found;

		if (!glob(f->file, GLOB_BRACE | GLOB_NOSORT, NULL, &found)) {
			host_add(spec, f->name, NULL);
			if (*line)
				add_format(spec, NULL, "%s%s", f->name, line);
		}
		globfree(&found);
	}
}

void host_scan(struct strbuf *spec)
{
	host_scan_programs(spec);
	scan_libraries(spec);
	each_path(spec, "/usr/{lib,lib64,lib/*-linux-gnu*,share}/pkgconfig/*.pc", add_pc);
	scan_modules(spec);
	scan_fedora_names(spec);
}

/* ---- a host that is made of RPMs itself */

bool host_ask_rpmdb(struct strbuf *spec, const char *dbpath)
{
	char *command = xasprintf("exec rpm --dbpath '%s' -qa --qf "
				  "'[%%{PROVIDENAME}\\t%%{PROVIDEVERSION}\\n]'",
		dbpath);
	FILE *rpm = popen(command, "r");
	char line[LINE_MAX_BYTES], *tab;
	size_t before = spec->len;

	free(command);
	while (rpm && fgets(line, sizeof(line), rpm)) {
		line[strcspn(line, "\n")] = '\0';
		tab = strchr(line, '\t');
		if (!tab)
			continue;
		*tab++ = '\0';
		host_add(spec, line, *tab ? tab : NULL);
	}
	if (rpm)
		pclose(rpm);
	return spec->len > before;
}
