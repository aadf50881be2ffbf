// SPDX-License-Identifier: MIT
#include "core/base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "core/base/json.h"

struct log_file {
	int fd; /* O_APPEND: lines of several threads and processes do not overwrite each other */
};

static const char *const level_name[] = {"debug", "info", "warn", "error"};
_Static_assert(countof(level_name) == LOG_LEVEL_COUNT, "name all");

static struct log_file log_stderr = {.fd = STDERR_FILENO};
static struct log_file *log_used = &log_stderr; /* atomic */
static int log_least = LOG_INFO; /* atomic; enum log_level */
static pthread_once_t log_once = PTHREAD_ONCE_INIT;

static void log_write(const struct log_file *lf, enum log_level level, const char *text, size_t len)
{
	struct strbuf line = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&line);
	ssize_t written;

	json_begin_object(&w, NULL);
	json_put_time(&w, "time", clock_wall_ms());
	json_put_string(&w, "level", level_name[level]);
	json_put_text(&w, "message", text, len);
	json_end_object(&w);
	strbuf_addch(&line, '\n');
	do
		written = write(lf->fd, line.buf, line.len);
	while (written < 0 && errno == EINTR);
	/* A log that cannot be written to, a full disk say, stops nobody: there is no better
	 * place to tell. */
	strbuf_finish(&line);
}

static void log_read_environment(void)
{
	static const char complaint[] =
		"REQPM_LOG_LEVEL is none of debug, info, warn, error: using info";
	const char *wanted = getenv("REQPM_LOG_LEVEL");

	if (!wanted || !*wanted)
		return;
	for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
		if (!strcmp(wanted, level_name[i])) {
			__atomic_store_n(&log_least, i, __ATOMIC_RELAXED);
			return;
		}
	}
	log_write(&log_stderr, LOG_WARN, complaint, sizeof(complaint) - 1);
}

struct log_file *log_file_open(const char *path, struct strbuf *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	struct log_file *lf;

	if (fd < 0) {
		err_set(err, -errno, "cannot open the log %s: %s", path, strerror(errno));
		return NULL;
	}
	lf = xmalloc(sizeof(*lf));
	lf->fd = fd;
	return lf;
}

void log_file_close(struct log_file *lf)
{
	if (!lf)
		return;
	if (__atomic_load_n(&log_used, __ATOMIC_ACQUIRE) == lf)
		log_use(NULL);
	close(lf->fd);
	free(lf);
}

void log_use(struct log_file *lf)
{
	__atomic_store_n(&log_used, lf ? lf : &log_stderr, __ATOMIC_RELEASE);
}

void log_threshold(enum log_level least)
{
	pthread_once(&log_once, log_read_environment);
	__atomic_store_n(&log_least, least, __ATOMIC_RELAXED);
}

void log_to(struct log_file *lf, enum log_level level, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	int saved_errno = errno;
	va_list ap;

	pthread_once(&log_once, log_read_environment);
	if ((int)level < __atomic_load_n(&log_least, __ATOMIC_RELAXED))
		goto restore;
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	log_write(
		lf ? lf : __atomic_load_n(&log_used, __ATOMIC_ACQUIRE), level, text.buf, text.len);
	strbuf_finish(&text);
restore:
	errno = saved_errno;
}

bool trace_enabled(const char *subsystem)
{
	const char *part = getenv("REQPM_TRACE");
	size_t len = strlen(subsystem);

	while (part && *part) {
		size_t part_len = strcspn(part, ",");

		if (part_len == len && !memcmp(part, subsystem, len))
			return true;
		part += part_len + (part[part_len] == ',');
	}
	return false;
}
