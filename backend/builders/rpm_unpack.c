// SPDX-License-Identifier: MIT
#include "builders/rpm_env.h"

#include "builders/rpm_role.h"

#define UNPACK_TIMEOUT_MS (15 * 60 * 1000)
#define UNPACK_TEXT_MAX (1 << 20)
#define UNPACK_WORDS 400 /* of what it printed, for the sentence */

/*
 * A payload may hold a link and then a file behind it, which cpio writes to wherever the link leads. So an RPM has a sandbox of
 * its own and sees no folder but its own: what it scatters around its layer, and any .rpmmacros, ends with it. A run more for
 * each RPM costs 15 ms, once per content; all of a build root in one run let each write into the layers of the others.
 *
 * $1: the RPM. Old packages still say /bin and /lib: on a merged host all that is under /usr. A link in place of usr or etc is
 * dropped, for it can only lead out of the layer. What others may not read would be missing for the build of another slot;
 * nobody gains rights by a file in a layer. The folder itself stays writable for the server, which moves it to its place.
 */
static const char script[] = "set -e; umask 022\n"
			     "test -e \"$1\" || exit 66\n"
			     "rpm2cpio \"$1\" > payload\n"
			     "mkdir out/layer; cd out/layer\n"
			     "cpio --quiet -idm --no-absolute-filenames < ../../payload\n"
			     "for d in usr etc; do\n"
			     "	if [ -L $d ]; then rm -f $d; fi\n"
			     "done\n"
			     "for d in bin sbin lib lib64; do\n"
			     "	if [ -d $d ] && [ ! -L $d ]; then\n"
			     "		mkdir -p usr/$d; cp -a $d/. usr/$d/; rm -rf $d\n"
			     "	fi\n"
			     "done\n"
			     "mkdir -p usr; chmod -R u+rwX,go+rX,go-w,a-s .; chmod g+w .\n";

struct rpm_unpacking {
	char *file;
	struct run_text *run;
	bool cancelled;
	rpm_unpack_fn *done;
	void *arg;
};

/* Only a sandbox that failed is worth another try: what an RPM did with its time, its memory and its disk it will do again. */
int rpm_unpack_verdict(
	const char *file, const struct run_result *result, const char *text, struct strbuf *why)
{
	if (result->end == RUN_EXITED && !result->code)
		return 0;
	if (result->end == RUN_EXITED && result->code == RPM_UNPACK_GONE)
		return err_set(why, -EIO, "%s is gone", file);
	if (result->end == RUN_EXITED)
		return err_set(why, -EINVAL, "%s cannot be unpacked: %.*s", file, UNPACK_WORDS,
			*text ? text : "it ended without a word");
	return err_set(why, result->end == RUN_BROKEN ? -EIO : -EINVAL, "%s cannot be unpacked: %s",
		file, result->why);
}

static void ended(struct run_text *rt, const struct run_result *result, const char *text,
	size_t len, void *arg)
{
	struct rpm_unpacking *u = arg;
	struct strbuf why = STRBUF_INIT;
	int code = rpm_unpack_verdict(u->file, result, text, &why);

	(void)rt;
	(void)len;
	if (code && u->cancelled)
		code = err_set(&why, -ECANCELED, "nobody waits for %s any more", u->file);
	u->done(code, why.buf, u->arg);
	strbuf_finish(&why);
	free(u->file);
	free(u);
}

struct rpm_unpacking *rpm_unpack_start(struct rpm_env *env, const char *repo_dir, const char *file,
	const char *work, rpm_unpack_fn *done, void *arg, struct strbuf *err)
{
	static const char *const collect[] = {"out"};
	struct rpm_unpacking *u = xcalloc(1, sizeof(*u));
	char *rpm = xasprintf(RPM_ROLE_REPO "/%s", file);
	const char *const argv[] = {"sh", "-c", script, "unpack", rpm, NULL};
	const struct run_bind repo = {repo_dir, RPM_ROLE_REPO, false};
	struct run_spec spec = {.slot = 0,
		.name = "unpack",
		.argv = argv,
		.work = work,
		.binds = &repo,
		.bind_count = 1,
		.collect = collect,
		.collect_count = countof(collect),
		.timeout_ms = UNPACK_TIMEOUT_MS};

	*u = (struct rpm_unpacking){.file = xstrdup(file), .done = done, .arg = arg};
	u->run = run_text_start(env->sandbox, &spec, UNPACK_TEXT_MAX, ended, u, err);
	free(rpm);
	if (u->run)
		return u;
	free(u->file);
	free(u);
	return NULL;
}

void rpm_unpack_cancel(struct rpm_unpacking *u)
{
	u->cancelled = true;
	run_text_cancel(u->run);
}
