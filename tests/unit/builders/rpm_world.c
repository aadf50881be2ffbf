// SPDX-License-Identifier: MIT
#include "rpm_world.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

bool rpm_world_is_role(int argc, char **argv)
{
	return argc > 1 && !strcmp(argv[1], RPM_ROLE);
}

int rpm_world_role(int argc, char **argv)
{
	return rpm_role_main(argc - 1, argv + 1);
}

static void must(int r, const char *what, const struct strbuf *err)
{
	if (r)
		BUG("%s: %s", what, err->len ? err->buf : strerror(errno));
}

void rpm_world_init(struct rpm_world *rw, struct world *w)
{
	struct strbuf err = STRBUF_INIT;

	*rw = (struct rpm_world){.w = w};
	rw->env = rpm_env_open(&w->loop, w->sb, w->data, NULL, &err);
	must(!rw->env, "rpm_env_open", &err);
	rw->upload = xasprintf("%s/upload", w->data);
	rw->job = xasprintf("%s/builds/1", w->data);
	must(dir_create(rw->upload, 0750, &err), "upload", &err);
	must(dir_create(rw->job, 0750, &err), "job", &err);
	strbuf_finish(&err);
}

static void set_done(void *arg)
{
	*(bool *)arg = true;
}

void rpm_world_finish(struct rpm_world *rw)
{
	bool done = false;

	rpm_env_drain(rw->env, set_done, &done);
	while (!done)
		uv_run(&rw->w->loop.uv, UV_RUN_ONCE);
	rpm_env_close(rw->env);
	free(rw->upload);
	free(rw->job);
}

void rpm_world_put(struct rpm_world *rw, const char *file, const char *text)
{
	char *path = xasprintf("%s/%s", rw->upload, file);
	struct strbuf err = STRBUF_INIT;

	must(file_write_atomic(path, text, strlen(text), 0644, &err), path, &err);
	free(path);
}

void rpm_world_put_folder(struct rpm_world *rw, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	must(!dir, folder, &(struct strbuf)STRBUF_INIT);
	while ((entry = readdir(dir))) {
		char *from = xasprintf("%s/%s", folder, entry->d_name);
		char *to = xasprintf("%s/%s", rw->upload, entry->d_name);
		struct strbuf data = STRBUF_INIT, err = STRBUF_INIT;

		if (entry->d_type == DT_REG) {
			must(file_read(from, 64 << 20, &data, &err), from, &err);
			must(file_write_atomic(to, data.buf, data.len, 0644, &err), to, &err);
		}
		strbuf_finish(&data);
		free(from);
		free(to);
	}
	closedir(dir);
}

void rpm_world_put_spec(struct rpm_world *rw, const char *name, const char *more, const char *build,
	const char *install)
{
	char *file = xasprintf("%s.spec", name);
	char *text =
		xasprintf("Name: %s\nVersion: 1.0\nRelease: 1\nSummary: A test\nLicense: MIT\n"
			  "BuildArch: noarch\n%s\n%%description\nA test.\n%%prep\n%%build\n%s\n"
			  "%%install\nmkdir -p %%{buildroot}/usr/share/%s\n"
			  "echo hello > %%{buildroot}/usr/share/%s/file\n%s\n"
			  "%%files\n/usr/share/%s\n",
			name, more, build, name, name, install, name);

	rpm_world_put(rw, file, text);
	free(file);
	free(text);
}

/* ---- builds */

static void built_log(struct build *build, const char *data, size_t len, void *arg)
{
	struct rpm_built *b = arg;

	(void)build;
	strbuf_add(&b->log, data, len);
}

static void built_phase(struct build *build, const char *phase, void *arg)
{
	struct rpm_built *b = arg;

	(void)build;
	strbuf_addf(&b->phases, "%s\n", phase);
}

static void built_end(struct build *build, const struct build_result *result, void *arg)
{
	struct rpm_built *b = arg;

	(void)build;
	b->build = NULL;
	b->ended = true;
	b->ok = result->ok;
	b->infrastructure = result->infrastructure;
	b->cancelled = result->cancelled;
	b->end = result->end;
	b->error_line = result->error_line;
	b->exit_code = result->exit_code;
	snprintf(b->phase, sizeof(b->phase), "%s", result->phase);
	snprintf(b->why, sizeof(b->why), "%s", result->why);
	snprintf(b->lacks, sizeof(b->lacks), "%s", result->lacks ? result->lacks : "");
	snprintf(b->error_text, sizeof(b->error_text), "%s", result->error_text);
	for (size_t i = 0; i < result->artifact_count && b->count < countof(b->nevra); i++) {
		b->nevra[b->count] = xstrdup(result->artifacts[i].nevra);
		b->file[b->count] = xstrdup(result->artifacts[i].file);
		b->kind[b->count] = xstrdup(result->artifacts[i].kind);
		b->sha256[b->count] = xstrdup(result->artifacts[i].sha256);
		b->provides[b->count++] = xstrdup(result->artifacts[i].provides);
	}
	b->rw->live--;
	loop_stop(&b->rw->w->loop);
}

void rpm_built_start(struct rpm_world *rw, int number, int slot, const char *file,
	int64_t timeout_ms, struct rpm_built *ret)
{
	static const struct build_handlers handlers = {built_log, built_phase, built_end};
	struct strbuf err = STRBUF_INIT;
	char *name = xasprintf("attempt-%d", number);
	struct build_request req = {.sandbox = rw->w->sb,
		.slot = slot,
		.attempt_name = name,
		.package = file,
		.version = "",
		.sources_dir = rw->upload,
		.spec_file = file,
		.rpm = rw->env,
		.job_dir = rw->job,
		.timeout_ms = timeout_ms};

	*ret = (struct rpm_built){.rw = rw, .log = STRBUF_INIT, .phases = STRBUF_INIT};
	ret->results = xasprintf("%s/results-%d", rw->job, number);
	req.results_dir = ret->results;
	must(builder_rpmbuild.start(&req, &handlers, ret, &ret->build, &err), "start", &err);
	rw->live++;
	free(name);
}

void rpm_built_wait(struct rpm_built *b)
{
	while (!b->ended)
		loop_run(&b->rw->w->loop);
}

void rpm_world_build(struct rpm_world *rw, int number, const char *file, struct rpm_built *ret)
{
	rpm_built_start(rw, number, 1, file, 120000, ret);
	rpm_built_wait(ret);
}

void rpm_built_finish(struct rpm_built *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free(b->nevra[i]);
		free(b->file[i]);
		free(b->kind[i]);
		free(b->sha256[i]);
		free(b->provides[i]);
	}
	free(b->results);
	strbuf_finish(&b->log);
	strbuf_finish(&b->phases);
}

int rpm_built_find(const struct rpm_built *b, const char *nevra)
{
	for (size_t i = 0; i < b->count; i++)
		if (!strncmp(b->nevra[i], nevra, strlen(nevra)))
			return (int)i;
	return -1;
}

void rpm_world_keep(struct rpm_world *rw, const struct rpm_built *b)
{
	for (size_t i = 0; i < b->count; i++) {
		char *from = xasprintf("%s/%s", b->results, b->file[i]);
		char *to = xasprintf("%s/" RPM_JOB_DIR "/%s", rw->job, b->file[i]);

		must(link(from, to), to, &(struct strbuf)STRBUF_INIT);
		free(from);
		free(to);
	}
}
