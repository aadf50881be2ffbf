// SPDX-License-Identifier: MIT
#include "builders/builder.h"
#include "builders/diagnose.h"
#include "builders/rpm_results.h"
#include "builders/rpm_role.h"

#include <stdio.h>

#define PREPARE_TIMEOUT_MS 120000
#define ROUNDS_MAX 10 /* of %generate_buildrequires finding more; mock stops there too */
#define RPMBUILD_NEEDS_MISSING 11

/*
 * A spec or source RPM becomes RPMs. The steps, each of which may end the build:
 *
 *   FOLDERS  what the server has to make
 *   BASE     the package that stands for this host is there
 *   PREPARE  in the sandbox: the spec is asked what it needs, libsolv picks the RPMs, a private database knows them
 *   LAYERS   each picked RPM lies unpacked
 *   RPMBUILD in the sandbox, over the layers; back to PREPARE when it found more needs itself
 *   RESULTS  copied, hashed, described
 *   WIPE     what is left in the slot is removed
 */
enum step {
	STEP_FOLDERS,
	STEP_BASE,
	STEP_PREPARE,
	STEP_LAYERS,
	STEP_RPMBUILD,
	STEP_RESULTS,
	STEP_WIPE
};

struct build {
	struct build_handlers handlers;
	void *arg;
	struct rpm_env *env;
	int slot, round;
	char *name, *file, *sources, *rpms, *to, *work;
	int64_t timeout_ms, deadline_ms; /* deadline: monotonic; 0: none */
	int64_t waits_since_ms; /* monotonic: for what others need as well, which does not count */
	bool last_run; /* its limit is all that is left of the package's */
	enum step step;
	bool cancelled, paused, skip_check;
	uv_work_t folders;
	int folders_code;
	struct rpm_wait wait;
	struct run_text *text; /* PREPARE */
	struct rpm_layers *layers; /* from LAYERS on */
	struct run *run; /* RPMBUILD */
	struct rpm_results *results;
	json_t *root; /* the answer of PREPARE */
	struct diagnosis diagnosis;
	struct build_result result;
	struct strbuf why, lacks;
};

/* ---- the end */

static void build_free(struct build *b)
{
	rpm_layers_drop(b->layers);
	rpm_results_drop(b->results);
	json_decref(b->root);
	free(b->name);
	free(b->file);
	free(b->sources);
	free(b->rpms);
	free(b->to);
	free(b->work);
	strbuf_finish(&b->why);
	strbuf_finish(&b->lacks);
	free(b);
}

static void wiped(void *arg)
{
	struct build *b = arg;

	b->result.why = b->why.buf;
	b->handlers.on_end(b, &b->result, b->arg);
	build_free(b);
}

static void wipe(struct build *b)
{
	b->step = STEP_WIPE;
	if (b->cancelled) {
		b->result = (struct build_result){.cancelled = true,
			.end = RUN_CANCELLED,
			.phase = b->result.phase,
			.error_text = ""};
		err_set(&b->why, 0, "cancelled");
	}
	if (b->results && rpm_results_wiped(b->results))
		wiped(b);
	else
		sandbox_wipe(b->env->sandbox, b->slot, b->work, wiped, b);
}

PRINTF(3, 4)
static void fail(struct build *b, enum run_end end, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_reset(&b->why);
	strbuf_vaddf(&b->why, fmt, ap);
	va_end(ap);
	b->result.ok = false;
	b->result.end = end;
	b->result.infrastructure = end == RUN_BROKEN;
	wipe(b);
}

/* ---- the log and the phase */

static void enter_phase(const char *phase, void *arg)
{
	struct build *b = arg;

	b->handlers.on_phase(b, phase, b->arg);
}

static void add_log(struct build *b, const char *data, size_t len)
{
	diagnosis_add(&b->diagnosis, data, len, enter_phase, b);
	if (len)
		b->handlers.on_log(b, data, len, b->arg);
}

static int64_t time_left(const struct build *b, int64_t most)
{
	int64_t left = b->deadline_ms - clock_monotonic_ms();

	if (!b->deadline_ms)
		return most;
	left = left > 1 ? left : 1; /* 0 would mean none at all */
	return most && most < left ? most : left;
}

static void begin_waiting(struct build *b, enum step step)
{
	b->step = step;
	b->waits_since_ms = clock_monotonic_ms();
}

static void end_waiting(struct build *b)
{
	if (b->deadline_ms)
		b->deadline_ms += clock_monotonic_ms() - b->waits_since_ms;
}

/* In terms of what was asked for, not of what an earlier step had left of it. */
static void fail_late(struct build *b)
{
	fail(b, RUN_TIMED_OUT, "it did not end within %jd s and was stopped",
		(intmax_t)(b->timeout_ms + 999) / 1000);
}

/* ---- results */

static void collected(
	struct rpm_results *rs, int code, bool infrastructure, const char *why, void *arg)
{
	struct build *b = arg;

	if (code) {
		fail(b, infrastructure ? RUN_BROKEN : RUN_EXITED, "%s", why);
		return;
	}
	b->result.ok = true;
	b->result.artifacts = rpm_results_artifacts(rs, &b->result.artifact_count);
	wipe(b);
}

static void collect(struct build *b)
{
	struct rpm_results_spec spec = {
		.env = b->env, .slot = b->slot, .name = b->name, .work = b->work, .to = b->to};

	b->step = STEP_RESULTS;
	b->results = rpm_results_start(&spec, collected, b);
}

/* ---- rpmbuild */

static void prepare(struct build *b);

static void point_at_line(struct build *b)
{
	diagnosis_end(&b->diagnosis);
	b->result.error_line = b->diagnosis.best_line;
	b->result.error_text = b->diagnosis.best_text;
}

static void explain_exit(struct build *b, int code)
{
	point_at_line(b);
	if (code == RPMBUILD_NEEDS_MISSING)
		fail(b, RUN_EXITED,
			"rpmbuild misses BuildRequires that the build root was to satisfy; the log "
			"names them");
	else if (*b->diagnosis.phase)
		fail(b, RUN_EXITED, "rpmbuild ended with code %d in %s", code, b->diagnosis.phase);
	else
		fail(b, RUN_EXITED, "rpmbuild ended with code %d", code);
}

static void rpmbuild_ended(struct run *run, const struct run_result *result, void *arg)
{
	struct build *b = arg;

	(void)run;
	b->run = NULL;
	b->result.exit_code = result->code;
	if (result->end == RUN_EXITED && result->code == RPMBUILD_NEEDS_MISSING &&
		b->round < ROUNDS_MAX && !b->cancelled) {
		prepare(b);
		return;
	}
	b->result.phase = *b->diagnosis.phase ? b->diagnosis.phase : "rpmbuild";
	if (result->end == RUN_EXITED && !result->code)
		collect(b);
	else if (result->end == RUN_EXITED)
		explain_exit(b, result->code);
	else if (result->end == RUN_TIMED_OUT)
		fail_late(b);
	else
		fail(b, result->end, "%s", result->why);
}

static void rpmbuild_output(struct run *run, const char *data, size_t len, void *arg)
{
	(void)run;
	add_log(arg, data, len);
}

static void rpmbuild(struct build *b)
{
	static const struct run_handlers handlers = {rpmbuild_output, rpmbuild_ended};
	static const char *const program[] = {"rpmbuild", "-ba", NULL}, *const collect_from[] = {
										"RPMS", "SRPMS"};
	const char *spec_file = json_string_value(json_object_get(b->root, "spec"));
	const char *const rest[] = {"--", spec_file, NULL}, *const unchecked[] = {"--nocheck",
								    "--without", "check",
								    "--undefine=with_check", "--",
								    spec_file, NULL};
	const char **argv = rpm_argv(
		program, rpm_macros(rpm_input_of(b->file)), b->skip_check ? unchecked : rest);
	const struct run_bind sources = {b->sources, RPM_SOURCES, false};
	char *epoch = xasprintf("SOURCE_DATE_EPOCH=%" JSON_INTEGER_FORMAT,
		json_integer_value(json_object_get(b->root, "epoch")));
	const char *const env[] = {epoch, NULL};
	struct strbuf err = STRBUF_INIT;
	struct run_spec spec = {.slot = b->slot,
		.name = b->name,
		.argv = argv,
		.env = env,
		.work = b->work,
		.binds = &sources,
		.bind_count = 1,
		.layers = rpm_layers_folders(b->layers),
		.layer_count = json_array_size(json_object_get(b->root, "install")),
		.collect = collect_from,
		.collect_count = countof(collect_from),
		.timeout_ms = time_left(b, 0)};

	b->step = STEP_RPMBUILD;
	if (b->cancelled)
		err_set(&err, -ECANCELED, "cancelled");
	else
		b->run = run_start(b->env->sandbox, &spec, &handlers, b, &err);
	free(argv);
	free(epoch);
	if (!b->run)
		fail(b, RUN_BROKEN, "rpmbuild cannot be started: %s", err.buf);
	else if (b->paused)
		run_pause(b->run);
	strbuf_finish(&err);
}

/* ---- layers */

static void say_build_root(struct build *b, const json_t *install)
{
	struct strbuf line = STRBUF_INIT;
	const json_t *file;
	size_t i;

	strbuf_addstr(&line, "reqpm: the build root is this host");
	json_array_foreach(install, i, file)
		strbuf_addf(&line, "%s%s", i ? " " : " and ", json_string_value(file));
	strbuf_addch(&line, '\n');
	add_log(b, line.buf, line.len);
	strbuf_finish(&line);
}

static void layers_ready(struct rpm_wait *w, int code, const char *why)
{
	struct build *b = container_of(w, struct build, wait);

	end_waiting(b);
	if (code)
		fail(b, code == -EINVAL ? RUN_EXITED : RUN_BROKEN,
			"the build root cannot be made: %s", why);
	else
		rpmbuild(b);
}

/* Names of files in one folder, as a list of libsolv's: anything else was not said by our role. */
static bool install_is_sane(const json_t *install)
{
	const json_t *file;
	size_t i;

	if (!json_is_array(install) || json_array_size(install) > RUN_LAYERS_MAX)
		return false;
	json_array_foreach(install, i, file) if (!json_is_string(file) ||
						 strchr(json_string_value(file), '/') ||
						 json_string_value(file)[0] == '.') return false;
	return true;
}

static void get_layers(struct build *b)
{
	const json_t *install = json_object_get(b->root, "install"), *file;
	size_t count = json_array_size(install), i;
	const char **files = xcalloc(count + 1, sizeof(*files));

	json_array_foreach(install, i, file) files[i] = json_string_value(file);
	say_build_root(b, install);
	begin_waiting(b, STEP_LAYERS);
	rpm_layers_drop(b->layers);
	b->layers = rpm_layers_start(b->env, b->rpms, files, count, &b->wait);
	b->wait.done = layers_ready;
	free(files);
}

/* ---- prepare */

/* What nothing provides, as far as it looks like capabilities: the answer may be forged. */
static void take_lacks(struct build *b, const json_t *answer)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(answer, "missing"), i, item)
	{
		const char *text = json_string_value(item);

		if (!text || !*text || text_has_control(text) ||
			b->lacks.len + strlen(text) >= LACKS_MAX)
			continue;
		strbuf_addf(&b->lacks, "%s%s", b->lacks.len ? "\n" : "", text);
	}
	b->result.lacks = b->lacks.len ? b->lacks.buf : NULL;
}

static void explain_answer(struct build *b, const json_t *answer, const char *complaint)
{
	const json_t *install = json_object_get(answer, "install");

	if (json_object_get(answer, "error"))
		point_at_line(b);
	if (json_object_get(answer, "problems"))
		take_lacks(b, answer);
	if (json_object_get(answer, "problems"))
		fail(b, RUN_EXITED,
			"%s; add the package that provides it to the set, or start the server with "
			"--provide NAME when this host has it",
			complaint);
	else if (complaint)
		fail(b, RUN_EXITED, "%s", complaint);
	else if (json_array_size(install) > RUN_LAYERS_MAX)
		fail(b, RUN_EXITED,
			"the build root needs %zu packages of this build; at most %d can be "
			"stacked",
			json_array_size(install), RUN_LAYERS_MAX);
	else
		fail(b, RUN_EXITED,
			"the build root cannot be made: the spec disturbed its preparation");
}

static bool answer_is_sane(const json_t *answer)
{
	const char *spec = json_string_value(json_object_get(answer, "spec"));

	return install_is_sane(json_object_get(answer, "install")) && spec && *spec == '/' &&
	       json_is_integer(json_object_get(answer, "epoch"));
}

static void prepared(struct run_text *rt, const struct run_result *result, const char *text,
	size_t len, void *arg)
{
	struct build *b = arg;
	struct strbuf output = STRBUF_INIT, err = STRBUF_INIT;
	json_t *answer, *before = b->root;
	char *complaint;

	(void)rt;
	b->text = NULL;
	strbuf_add(&output, text, len);
	answer = rpm_answer_take(result, &output, &err);
	complaint = rpm_answer_complaint(answer);
	while (output.len && output.buf[output.len - 1] == '\n')
		strbuf_setlen(&output, output.len - 1);
	if (output.len)
		strbuf_addch(&output, '\n');
	add_log(b, output.buf, output.len);
	b->root = answer;
	if (b->cancelled)
		wipe(b);
	else if (result->end == RUN_TIMED_OUT && b->last_run)
		fail_late(b);
	else if (!answer)
		fail(b, result->end == RUN_EXITED ? RUN_BROKEN : result->end,
			"the build root cannot be made: %s", err.buf);
	else if (complaint || !answer_is_sane(answer))
		explain_answer(b, answer, complaint);
	else if (before &&
		 json_equal(json_object_get(before, "install"), json_object_get(answer, "install")))
		explain_exit(b, RPMBUILD_NEEDS_MISSING); /* the same again would end the same */
	else
		get_layers(b);
	json_decref(before);
	free(complaint);
	strbuf_finish(&output);
	strbuf_finish(&err);
}

static void prepare(struct build *b)
{
	const char *const argv[] = {RPM_SELF, RPM_ROLE, "prepare", b->file,
		b->skip_check ? RPM_ROLE_UNCHECKED : NULL, NULL};
	const struct run_bind binds[] = {{rpm_env_self(b->env), RPM_SELF, false},
		{b->sources, RPM_SOURCES, false}, {b->rpms, RPM_ROLE_REPO, false},
		{rpm_base_dir(b->env), RPM_ROLE_BASE, false}};
	struct strbuf err = STRBUF_INIT;
	struct run_spec spec = {.slot = b->slot,
		.name = b->name,
		.argv = argv,
		.work = b->work,
		.binds = binds,
		.bind_count = countof(binds),
		.limits.memory_bytes = RPM_ROLE_MEMORY_BYTES,
		.timeout_ms = time_left(b, PREPARE_TIMEOUT_MS)};

	b->step = STEP_PREPARE;
	b->last_run = spec.timeout_ms < PREPARE_TIMEOUT_MS;
	b->round++;
	if (b->cancelled)
		err_set(&err, -ECANCELED, "cancelled");
	else
		b->text = run_text_start(
			b->env->sandbox, &spec, RPM_ANSWER_TEXT_MAX, prepared, b, &err);
	if (!b->text)
		fail(b, RUN_BROKEN, "the build root cannot be made: %s", err.buf);
	strbuf_finish(&err);
}

/* ---- base and folders */

static void base_ready(struct rpm_wait *w, int code, const char *why)
{
	struct build *b = container_of(w, struct build, wait);

	end_waiting(b);
	if (code)
		fail(b, RUN_BROKEN, "%s", why);
	else
		prepare(b);
}

/* What an attempt that a dead server began has left in `to` is not this one's. */
static void folders_work(uv_work_t *work)
{
	struct build *b = container_of(work, struct build, folders);

	tree_remove(b->to);
	b->folders_code = dir_create(b->rpms, 0750, &b->why);
	if (!b->folders_code)
		b->folders_code = dir_create(b->to, 0750, &b->why);
}

static void folders_made(uv_work_t *work, int status)
{
	struct build *b = container_of(work, struct build, folders);
	char *why;

	(void)status;
	if (b->cancelled) {
		wipe(b);
	} else if (b->folders_code) {
		why = strbuf_detach(&b->why, NULL);
		fail(b, RUN_BROKEN, "%s", why);
		free(why);
	} else {
		b->handlers.on_phase(b, b->result.phase, b->arg);
		begin_waiting(b, STEP_BASE);
		b->wait.done = base_ready;
		rpm_base_ensure(b->env, &b->wait);
	}
}

/* ---- the builder */

static int rpmbuild_start(const struct build_request *req, const struct build_handlers *h,
	void *arg, struct build **ret_build, struct strbuf *err)
{
	const char *slash = req->spec_file ? strrchr(req->spec_file, '/') : NULL;
	struct build *b;

	if (!req->spec_file || *req->spec_file == '/' || !strncmp(req->spec_file, "../", 3) ||
		strstr(req->spec_file, "/../"))
		return err_set(err, -EINVAL,
			"the rpmbuild builder needs the path of a spec or source RPM in the "
			"upload");
	b = xcalloc(1, sizeof(*b));
	b->handlers = *h;
	b->arg = arg;
	b->env = req->rpm;
	b->slot = req->slot;
	b->name = xstrdup(req->attempt_name);
	b->file = xstrdup(slash ? slash + 1 : req->spec_file);
	b->skip_check = req->skip_check;
	b->sources = slash ? xasprintf("%s/%.*s", req->sources_dir, (int)(slash - req->spec_file),
				     req->spec_file)
			   : xstrdup(req->sources_dir);
	b->rpms = xasprintf("%s/" RPM_JOB_DIR, req->job_dir);
	b->to = xstrdup(req->results_dir);
	b->work = xasprintf("%s/%s", sandbox_slot_dir(req->sandbox, req->slot), req->attempt_name);
	b->timeout_ms = req->timeout_ms;
	b->deadline_ms = req->timeout_ms ? clock_monotonic_ms() + req->timeout_ms : 0;
	b->result = (struct build_result){.phase = "buildrequires", .error_text = ""};
	list_init(&b->wait.link);
	strbuf_init(&b->why);
	strbuf_init(&b->lacks);
	diagnosis_init(&b->diagnosis);
	uv_queue_work(&b->env->loop->uv, &b->folders, folders_work, folders_made);
	*ret_build = b;
	return 0;
}

static void wipe_waiting(void *arg)
{
	wipe(arg);
}

/* Copying what a finished build made is not stopped; it ends as cancelled all the same. */
static void rpmbuild_cancel(struct build *b)
{
	if (b->cancelled || b->step == STEP_WIPE)
		return;
	b->cancelled = true;
	if (b->text)
		run_text_cancel(b->text);
	if (b->run)
		run_cancel(b->run);
	if (b->results)
		rpm_results_cancel(b->results);
	if (b->step != STEP_BASE && b->step != STEP_LAYERS)
		return;
	list_remove(&b->wait.link);
	rpm_layers_drop(b->layers);
	b->layers = NULL;
	loop_post(b->env->loop, wipe_waiting, b);
}

static void rpmbuild_pause(struct build *b)
{
	b->paused = true;
	if (b->run)
		run_pause(b->run);
}

static void rpmbuild_resume(struct build *b)
{
	b->paused = false;
	if (b->run)
		run_resume(b->run);
}

const struct builder_ops builder_rpmbuild = {
	.name = "rpmbuild",
	.start = rpmbuild_start,
	.cancel = rpmbuild_cancel,
	.pause = rpmbuild_pause,
	.resume = rpmbuild_resume,
};
