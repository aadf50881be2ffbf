// SPDX-License-Identifier: MIT
#include "builders/rpm_results.h"

#include <dirent.h>

#include "builders/capture.h"
#include "builders/rpm_role.h"

#define DESCRIBE_TIMEOUT_MS 120000

struct rpm_results {
	struct rpm_env *env;
	rpm_results_fn *done;
	void *arg;
	int slot;
	char *name, *work, *to;
	uv_work_t hash;
	struct run_text *description;
	struct artifact *artifacts; /* all strings owned */
	size_t count;
	bool wiped;
	int code;
	struct strbuf why;
};

static void results_end(struct rpm_results *rs, int code, bool infrastructure)
{
	rs->done(rs, code, infrastructure, rs->why.buf, rs->arg);
}

/* ---- what they say of themselves */

static char *provides_text(const json_t *provides)
{
	char *dumped = json_dumps(provides, JSON_COMPACT);
	char *text = xstrdup(dumped && strlen(dumped) <= PROVIDES_MAX ? dumped : "[]");

	free(dumped);
	return text;
}

static int not_described(struct rpm_results *rs)
{
	return err_set(&rs->why, -EINVAL, "the packages that were built cannot be described");
}

/* Who sees only its name later must not take it for something else. */
static int take_one(struct rpm_results *rs, struct artifact *a, const json_t *rpm)
{
	const char *file = json_string_value(json_object_get(rpm, "file"));
	const char *name = json_string_value(json_object_get(rpm, "name"));
	const char *evr = json_string_value(json_object_get(rpm, "evr"));
	const char *arch = json_string_value(json_object_get(rpm, "arch"));
	const json_t *provides = json_object_get(rpm, "provides");
	bool source;

	if (!file || strcmp(file, a->file) != 0 || !name || !evr || !arch ||
		!json_is_array(provides))
		return not_described(rs);
	source = !strcmp(arch, "src") || !strcmp(arch, "nosrc");
	if (source == rpm_is_binary(file))
		return err_set(&rs->why, -EINVAL, "%s is a%s package, unlike its name says", file,
			source ? " source" : "n installable");
	a->kind = source ? "srpm" : "rpm";
	a->nevra = xasprintf("%s-%s.%s", name, evr, arch);
	a->provides = source ? NULL : provides_text(provides);
	return 0;
}

/* Exactly the files that were hashed, in the same order, or nothing is believed. */
static int take_description(struct rpm_results *rs, const json_t *answer)
{
	const json_t *rpms = json_object_get(answer, "rpms"), *rpm;
	size_t i;
	int r = 0;

	if (json_array_size(rpms) != rs->count)
		return not_described(rs);
	json_array_foreach(rpms, i, rpm) if (!r) r = take_one(rs, &rs->artifacts[i], rpm);
	return r;
}

static void described(struct run_text *rt, const struct run_result *result, const char *text,
	size_t len, void *arg)
{
	struct rpm_results *rs = arg;
	struct strbuf output = STRBUF_INIT;
	json_t *answer;
	char *complaint;
	int code = 0;

	(void)rt;
	rs->wiped = true;
	rs->description = NULL;
	strbuf_add(&output, text, len);
	answer = rpm_answer_take(result, &output, &rs->why);
	complaint = rpm_answer_complaint(answer);
	if (!answer)
		code = -EIO;
	else if (complaint)
		code = err_set(&rs->why, -EINVAL, "the build left a file that is no package: %s",
			complaint);
	else
		code = take_description(rs, answer);
	json_decref(answer);
	free(complaint);
	strbuf_finish(&output);
	/* A header that crashes its reader is the build's fault; a sandbox that does not start is not. */
	results_end(rs, code, result->end == RUN_BROKEN);
}

/* In the build's own folder, which is not needed any more: one run less than wiping it apart. */
static void describe(struct rpm_results *rs)
{
	static const char *const argv[] = {RPM_SELF, RPM_ROLE, "describe", NULL};
	const struct run_bind binds[] = {
		{rpm_env_self(rs->env), RPM_SELF, false}, {rs->to, RPM_ROLE_REPO, false}};
	struct run_spec spec = {.slot = rs->slot,
		.name = rs->name,
		.argv = argv,
		.work = rs->work,
		.binds = binds,
		.bind_count = countof(binds),
		.limits.memory_bytes = RPM_ROLE_MEMORY_BYTES,
		.timeout_ms = DESCRIBE_TIMEOUT_MS,
		.wipe = true};

	rs->description = run_text_start(
		rs->env->sandbox, &spec, RPM_ANSWER_TEXT_MAX, described, rs, &rs->why);
	if (!rs->description)
		results_end(rs, -EIO, true);
}

/* ---- hashes (pool) */

static int is_rpm(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && !strcmp(entry->d_name + len - 4, ".rpm");
}

static void hash_work(uv_work_t *work)
{
	struct rpm_results *rs = container_of(work, struct rpm_results, hash);
	struct dirent **entries;
	int count = scandir(rs->to, &entries, is_rpm, alphasort);

	if (count < 0) {
		rs->code = err_set(&rs->why, -errno, "cannot read %s: %s", rs->to, strerror(errno));
		return;
	}
	rs->artifacts = xcalloc((size_t)count + 1, sizeof(*rs->artifacts));
	for (int i = 0; i < count; i++) {
		struct artifact *a = &rs->artifacts[rs->count];
		char *path = xasprintf("%s/%s", rs->to, entries[i]->d_name), hex[SHA256_HEX_MAX];

		if (!rs->code)
			rs->code = rpm_hashes_get(rs->env->hashes, path, hex, &a->size, &rs->why);
		if (!rs->code) {
			a->file = xstrdup(entries[i]->d_name);
			a->sha256 = xstrdup(hex);
			rs->count++;
		}
		free(path);
		free(entries[i]);
	}
	free(entries);
	if (rs->code)
		tree_remove(rs->to);
}

static void hashed(uv_work_t *work, int status)
{
	struct rpm_results *rs = container_of(work, struct rpm_results, hash);

	(void)status;
	if (rs->code) {
		results_end(rs, rs->code, true);
	} else if (!rs->count) {
		strbuf_addstr(&rs->why,
			"rpmbuild ended well but made no package; a spec needs a %files section");
		results_end(rs, -ENOENT, false);
	} else {
		describe(rs);
	}
}

/* ---- the copy */

static void captured(const struct capture_result *result, void *arg)
{
	struct rpm_results *rs = arg;
	int code = result->code;

	if (!code) {
		uv_queue_work(&rs->env->loop->uv, &rs->hash, hash_work, hashed);
		return;
	}
	strbuf_addstr(&rs->why, result->why);
	results_end(
		rs, code, code != -EINVAL && code != -E2BIG && code != -EFBIG && code != -EEXIST);
}

struct rpm_results *rpm_results_start(
	const struct rpm_results_spec *spec, rpm_results_fn *done, void *arg)
{
	struct rpm_results *rs = xcalloc(1, sizeof(*rs));
	char *rpms = xasprintf("%s/RPMS", spec->work), *srpms = xasprintf("%s/SRPMS", spec->work);
	const char *from[] = {rpms, srpms, NULL};

	rs->env = spec->env;
	rs->slot = spec->slot;
	rs->done = done;
	rs->arg = arg;
	rs->name = xstrdup(spec->name);
	rs->work = xstrdup(spec->work);
	rs->to = xstrdup(spec->to);
	strbuf_init(&rs->why);
	capture_start(spec->env->loop,
		&(struct capture_spec){.from = from,
			.to = spec->to,
			.suffix = ".rpm",
			.visible = true,
			.flat = true},
		captured, rs);
	free(rpms);
	free(srpms);
	return rs;
}

void rpm_results_cancel(struct rpm_results *rs)
{
	if (rs->description)
		run_text_cancel(rs->description);
}

bool rpm_results_wiped(const struct rpm_results *rs)
{
	return rs->wiped;
}

const struct artifact *rpm_results_artifacts(const struct rpm_results *rs, size_t *ret_count)
{
	*ret_count = rs->count;
	return rs->artifacts;
}

void rpm_results_drop(struct rpm_results *rs)
{
	if (!rs)
		return;
	for (size_t i = 0; i < rs->count; i++) {
		free((char *)rs->artifacts[i].file);
		free((char *)rs->artifacts[i].sha256);
		free((char *)rs->artifacts[i].nevra);
		free((char *)rs->artifacts[i].provides);
	}
	free(rs->artifacts);
	free(rs->name);
	free(rs->work);
	free(rs->to);
	strbuf_finish(&rs->why);
	free(rs);
}
