// SPDX-License-Identifier: MIT
#include "builders/rpm_solve.h"
#include "builders/rpm.h"

#include <dirent.h>
#include <sys/utsname.h>
/* libsolv's maps are bits, ours are tables: their names meet, and neither is called here. */
#define map_init solv_map_init
#define map_set solv_map_set
#include <solv/dataiterator.h>
#include <solv/pool.h>
#include <solv/pool_parserpmrichdep.h>
#include <solv/repo.h>
#include <solv/repo_rpmdb.h>
#include <solv/solver.h>
#include <solv/transaction.h>
#undef map_init
#undef map_set

/* Base is no ordinary member of the set of packages: it stands for a host that cannot be changed. So what the job has built
 * itself always wins over what the host has under that name, and nobody conflicts with the host. */
struct build_root {
	Pool *pool;
	Repo *base, *job, *wish;
	Id base_package, wish_package;
};

static Pool *pool_open(void)
{
	Pool *pool = pool_create();
	struct utsname uts;

	uname(&uts);
	pool_setdisttype(
		pool, DISTTYPE_RPM); /* Debian's library takes noarch for another machine else */
	pool_setarch(pool, uts.machine);
	return pool;
}

static Id add_rpm(Repo *repo, const char *path, struct strbuf *err)
{
	/* Making it ready for questions after each one would be quadratic. */
	Id id = repo_add_rpm(
		repo, path, REPO_REUSE_REPODATA | REPO_NO_INTERNALIZE | RPM_ADD_NO_RPMLIBREQS);

	if (!id)
		err_set(err, -EINVAL, "%s is no RPM that can be read: %s", path,
			pool_errstr(repo->pool));
	return id;
}

static int is_binary_rpm(const struct dirent *entry)
{
	return rpm_is_binary(entry->d_name);
}

/* In the order of their names, so that equal inputs give equal build roots. */
static int load_job(struct build_root *root, const char *dir, struct strbuf *err)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, is_binary_rpm, alphasort), r = 0;

	if (count < 0)
		return err_set(err, -errno, "cannot read %s: %s", dir, strerror(errno));
	for (int i = 0; i < count; i++) {
		char *path = xasprintf("%s/%s", dir, entries[i]->d_name);

		if (!r && !add_rpm(root->job, path, err))
			r = -EINVAL;
		free(path);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static Id name_of(Pool *pool, Id dep)
{
	while (ISRELDEP(dep))
		dep = GETRELDEP(pool, dep)->name;
	return dep;
}

/* names: one bit per string of the pool. */
static void mark_names(struct build_root *root, Map *names)
{
	Dataiterator di;
	Solvable *s;
	Id p;

	FOR_REPO_SOLVABLES(root->job, p, s)
	{
		if (!s->provides)
			continue;
		for (Id *dep = s->repo->idarraydata + s->provides; *dep; dep++)
			MAPSET(names, name_of(root->pool, *dep));
	}
	dataiterator_init(&di, root->pool, root->job, 0, SOLVABLE_FILELIST, 0, SEARCH_FILES);
	while (dataiterator_step(&di)) {
		Id id = pool_str2id(root->pool, di.kv.str, 0);

		if (id)
			MAPSET(names, id);
	}
	dataiterator_free(&di);
}

/* A solver keeps what is there already: without this, a zlib-devel that the job built would never displace the host's. */
static void job_wins_over_base(struct build_root *root)
{
	Solvable *base = pool_id2solvable(root->pool, root->base_package);
	Id *kept;
	Map names = {.size = root->pool->ss.nstrings / 8 + 1};

	if (!base->provides)
		return;
	names.map = xcalloc(1, (size_t)names.size);
	mark_names(root, &names);
	kept = root->base->idarraydata + base->provides;
	for (const Id *dep = kept; *dep; dep++)
		if (!MAPTST(&names, name_of(root->pool, *dep)))
			*kept++ = *dep;
	*kept = 0;
	free(names.map);
}

static bool provided_by(Pool *pool, Id dep, Id package)
{
	Id p, pp;

	FOR_PROVIDES(p, pp, dep)
	if (p == package)
		return true;
	return false;
}

/* "Conflicts: foo < 2" meets base's unversioned "foo": the host has some foo, and it stays. */
static void drop_conflicts_with_base(struct build_root *root)
{
	Solvable *s;
	Id p;

	FOR_REPO_SOLVABLES(root->job, p, s)
	{
		Queue conflicts;
		int kept = 0;

		queue_init(&conflicts);
		solvable_lookup_deparray(s, SOLVABLE_CONFLICTS, &conflicts, 0);
		for (int i = 0; i < conflicts.count; i++)
			if (!provided_by(root->pool, conflicts.elements[i], root->base_package))
				conflicts.elements[kept++] = conflicts.elements[i];
		if (kept < conflicts.count) {
			queue_truncate(&conflicts, kept);
			solvable_set_deparray(s, SOLVABLE_CONFLICTS, &conflicts, 0);
		}
		queue_free(&conflicts);
	}
}

static Id need_id(Pool *pool, const struct solve_need *need, struct strbuf *err)
{
	int flags = 0;
	Id id;

	if (need->name[0] == '(') {
		id = pool_parserpmrichdep(pool, need->name);
		if (!id)
			err_set(err, -EINVAL, "cannot read the rich dependency %s", need->name);
		return id;
	}
	id = pool_str2id(pool, need->name, 1);
	for (const char *c = need->op; *c; c++)
		flags |= *c == '<' ? REL_LT : *c == '>' ? REL_GT : *c == '=' ? REL_EQ : 0;
	if (!flags)
		return id;
	return pool_rel2id(pool, id, pool_str2id(pool, need->evr, 1), flags, 1);
}

static int add_deps(Pool *pool, Solvable *s, Id key, const struct solve_need *needs, size_t count,
	struct strbuf *err)
{
	for (size_t i = 0; i < count; i++) {
		Id id = need_id(pool, &needs[i], err);

		if (!id)
			return -EINVAL;
		solvable_add_deparray(s, key, id, 0);
	}
	return 0;
}

/* The package to be built, as a source package that requires its BuildRequires: rich ones and
 * conflicts are then ordinary work for the solver, and its sentences name the package. */
static int add_wish(struct build_root *root, const struct solve_request *req, struct strbuf *err)
{
	Solvable *s;
	int r;

	root->wish_package = repo_add_solvable(root->wish);
	s = pool_id2solvable(root->pool, root->wish_package);
	s->name = pool_str2id(root->pool, req->name, 1);
	s->evr = pool_str2id(root->pool, req->evr, 1);
	s->arch = ARCH_SRC;
	r = add_deps(root->pool, s, SOLVABLE_REQUIRES, req->needs, req->need_count, err);
	if (!r)
		r = add_deps(root->pool, s, SOLVABLE_CONFLICTS, req->conflicts, req->conflict_count,
			err);
	return r;
}

static bool is_provided(Pool *pool, Id dep)
{
	Id p, pp;

	FOR_PROVIDES(p, pp, dep)
	return p > 0;
	return false;
}

static bool is_listed(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) if (!strcmp(json_string_value(item), text)) return true;
	return false;
}

static void list_once(json_t *list, const char *text)
{
	if (!is_listed(list, text))
		json_array_append_new(list, json_string(text));
}

/* The solver stops at the first need that nothing provides; whoever lacks two packages wants to hear of both. Rich ones are
 * left to the solver. */
static void list_unprovided(struct build_root *root, json_t *problems, json_t *missing)
{
	Solvable *wish = pool_id2solvable(root->pool, root->wish_package);
	Queue needs;

	queue_init(&needs);
	solvable_lookup_deparray(wish, SOLVABLE_REQUIRES, &needs, 0);
	for (int i = 0; i < needs.count; i++) {
		const char *need = pool_dep2str(root->pool, needs.elements[i]);

		if (need[0] == '(' || is_provided(root->pool, needs.elements[i]))
			continue;
		list_once(missing, need);
		json_array_append_new(problems, json_sprintf("nothing provides %s needed by %s",
							need, pool_solvable2str(root->pool, wish)));
	}
	queue_free(&needs);
}

/* Also what the packages lack that would be installed for the build: an RPM still to come may bring it. */
static void list_missing(struct build_root *root, Solver *solver, Id problem, json_t *missing)
{
	Queue rules;

	queue_init(&rules);
	solver_findallproblemrules(solver, problem, &rules);
	for (int i = 0; i < rules.count; i++) {
		Id source, target, dep;

		if (solver_ruleinfo(solver, rules.elements[i], &source, &target, &dep) ==
			SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP)
			list_once(missing, pool_dep2str(root->pool, dep));
	}
	queue_free(&rules);
}

static void put_list(struct json_writer *w, const char *key, const json_t *list)
{
	const json_t *item;
	size_t i;

	json_begin_array(w, key);
	json_array_foreach(list, i, item) json_put_string(w, NULL, json_string_value(item));
	json_end_array(w);
}

static void put_problems(struct build_root *root, Solver *solver, struct json_writer *w)
{
	json_t *problems = json_array(), *missing = json_array();

	list_unprovided(root, problems, missing);
	for (Id id = 1; id <= (Id)solver_problem_count(solver); id++) {
		list_once(problems, solver_problem2str(solver, id));
		list_missing(root, solver, id, missing);
	}
	put_list(w, "problems", problems);
	put_list(w, "missing", missing);
	json_decref(problems);
	json_decref(missing);
}

static void put_install(struct build_root *root, Solver *solver, struct json_writer *w)
{
	Transaction *trans = solver_create_transaction(solver);

	transaction_order(trans, 0);
	json_begin_array(w, "install");
	for (int i = 0; i < trans->steps.count; i++) {
		Solvable *s = pool_id2solvable(root->pool, trans->steps.elements[i]);
		const char *path, *slash;

		if (s->repo != root->job)
			continue;
		path = solvable_lookup_location(s, NULL);
		slash = strrchr(path, '/');
		json_put_string(w, NULL, slash ? slash + 1 : path);
	}
	json_end_array(w);
	transaction_free(trans);
}

static void solve(struct build_root *root, struct json_writer *w)
{
	Solver *solver = solver_create(root->pool);
	Queue jobs;

	queue_init(&jobs);
	queue_push2(&jobs, SOLVER_INSTALL | SOLVER_SOLVABLE, root->base_package);
	queue_push2(&jobs, SOLVER_INSTALL | SOLVER_SOLVABLE, root->wish_package);
	/* A build root holds what is needed, not what would be nice. */
	solver_set_flag(solver, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
	if (solver_solve(solver, &jobs))
		put_problems(root, solver, w);
	else
		put_install(root, solver, w);
	queue_free(&jobs);
	solver_free(solver);
}

int solve_build_root(const struct solve_request *req, struct json_writer *w, struct strbuf *err)
{
	struct build_root root = {.pool = pool_open()};
	int r;

	root.base = repo_create(root.pool, "base");
	root.job = repo_create(root.pool, "job");
	root.wish = repo_create(root.pool, "wish");
	root.base_package = add_rpm(root.base, req->base, err);
	r = root.base_package ? load_job(&root, req->repo_dir, err) : -EINVAL;
	if (!r)
		r = add_wish(&root, req, err);
	if (!r) {
		repo_internalize(root.base);
		repo_internalize(root.job);
		job_wins_over_base(&root);
		pool_addfileprovides(root.pool);
		pool_createwhatprovides(root.pool);
		drop_conflicts_with_base(&root);
		solve(&root, w);
	}
	pool_free(root.pool);
	return r;
}

void solve_needs_finish(struct solve_need *needs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(needs[i].name);
		free(needs[i].op);
		free(needs[i].evr);
	}
	free(needs);
}

/* Names of files that a spec may need as such: "BuildRequires: /usr/bin/tool". Any other path would make the list endless. */
static bool is_needed_by_path(const char *path)
{
	static const char *const below[] = {"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/etc/"};

	for (size_t i = 0; i < countof(below); i++)
		if (!strncmp(path, below[i], strlen(below[i])))
			return true;
	return false;
}

static void put_paths(Pool *pool, Repo *repo, Id id, struct json_writer *w)
{
	Dataiterator di;

	dataiterator_init(&di, pool, repo, id, SOLVABLE_FILELIST, 0, SEARCH_FILES);
	while (dataiterator_step(&di))
		if (is_needed_by_path(di.kv.str))
			json_put_string(w, NULL, di.kv.str);
	dataiterator_free(&di);
}

int solve_describe(const char *path, struct json_writer *w, struct strbuf *err)
{
	const char *slash = strrchr(path, '/');
	Pool *pool = pool_open();
	Repo *repo = repo_create(pool, "one");
	Id id = add_rpm(repo, path, err);
	Solvable *s;

	if (!id) {
		pool_free(pool);
		return -EINVAL;
	}
	repo_internalize(repo);
	s = pool_id2solvable(pool, id);
	json_begin_object(w, NULL);
	json_put_string(w, "file", slash ? slash + 1 : path);
	json_put_string(w, "name", pool_id2str(pool, s->name));
	json_put_string(w, "evr", pool_id2str(pool, s->evr));
	json_put_string(w, "arch", pool_id2str(pool, s->arch));
	json_begin_array(w, "provides");
	if (s->provides)
		for (Id *dep = repo->idarraydata + s->provides; *dep; dep++)
			if (*dep != SOLVABLE_FILEMARKER)
				json_put_string(w, NULL, pool_dep2str(pool, *dep));
	put_paths(pool, repo, id, w);
	json_end_array(w);
	json_end_object(w);
	pool_free(pool);
	return 0;
}
