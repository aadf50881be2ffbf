// SPDX-License-Identifier: MIT
#include "world.h"

#include "builders/launch.h"

#include <sys/stat.h>
#include <unistd.h>

/* Every file and link that can be read, with its content. Folders that hold nothing readable do not show. */
#define LOOK                                                                                       \
	"exec 2>/dev/null; cd /etc && "                                                            \
	"find . -type f -readable | LC_ALL=C sort | xargs -d '\\n' sha256sum; "                    \
	"find . -type l -printf '%p %l\\n' | LC_ALL=C sort"

static char *ready(const struct world *w)
{
	return etc_ready_path(w->data);
}

static void what_is_ready_shows_what_one_put_together_shows(struct world *w)
{
	char *path = ready(w), *folder = xasprintf("%s/etc", w->data);
	struct outcome bound, made;

	CHECK(!access(path, R_OK), "no %s", path);
	world_sh(w, LOOK, &bound);
	CHECK(!tree_remove(folder), "%s stays", folder);
	world_sh(w, LOOK, &made);
	CHECK(bound.end == RUN_EXITED && strstr(bound.output.buf, " ./passwd\n") &&
			strstr(bound.output.buf, " ./ld.so.cache\n"),
		"end %d: %s: %s", bound.end, bound.why, bound.output.buf);
	CHECK(!strcmp(bound.output.buf, made.output.buf), "they differ:\n%s\n---\n%s",
		bound.output.buf, made.output.buf);
	outcome_finish(&bound);
	outcome_finish(&made);
	CHECK(!etc_ready_begin(w->data), "it cannot be made again");
	free(path);
	free(folder);
}

static void only_what_everybody_may_read_is_copied(struct world *w)
{
	char *path = ready(w), *command = xasprintf("find %s ! -type l ! -perm -0004", path);
	FILE *found = popen(command, "re");
	char line[256] = "";

	CHECK(found && !fgets(line, sizeof(line), found), "%s", line);
	if (found)
		pclose(found);
	free(command);
	free(path);
}

static void a_refresh_makes_what_is_missing_and_leaves_what_is_in_use(struct world *w)
{
	char *path = ready(w), *other = xasprintf("%s/etc/of-yesterday", w->data);
	struct stat before, after;

	CHECK(!mkdir(other, 0755) && !stat(path, &before), "%s", strerror(errno));
	sandbox_refresh(w->data);
	CHECK(!stat(path, &after) && after.st_ino == before.st_ino, "it was made anew");
	CHECK(!tree_remove(path), "%s stays", path);
	sandbox_refresh(w->data);
	CHECK(!access(path, R_OK) && !access(other, R_OK), "%s or %s is missing", path, other);
	CHECK(!etc_ready_begin(w->data), "it cannot be made again");
	CHECK(access(other, F_OK), "a start leaves %s", other);
	free(path);
	free(other);
}

static const struct scenario scenarios[] = {
	SCENARIO(what_is_ready_shows_what_one_put_together_shows),
	SCENARIO(only_what_everybody_may_read_is_copied),
	SCENARIO(a_refresh_makes_what_is_missing_and_leaves_what_is_in_use),
};

int main(void)
{
	return world_run_all(scenarios, countof(scenarios));
}
