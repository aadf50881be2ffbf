/* SPDX-License-Identifier: MIT
 *
 * What comes out: each job's RPMs as a DNF repository.
 *
 *   DATA/builds/<id>/rpms/       every RPM of the job so far, each whole: build roots are made from these
 *   DATA/builds/<id>/repos/<n>/  generation n: the same files (hard links) and their repodata, never changed
 *   DATA/builds/<id>/repo        a link to the newest generation, replaced by rename: a reader sees one or the next
 *
 * The generation before the newest stays for those who are reading it; older ones are removed. What was told as live is on disk.
 */
#ifndef REQPM_REPOSITORIES_H
#define REQPM_REPOSITORIES_H

#include "builders/builder.h"

#define REPOSITORY_LINK "repo" /* below the job's folder */
#define REPOSITORY_TIMEOUT_MS (10 * 60 * 1000) /* of one createrepo_c */

/* ---- publishing (publish.c); loop thread */
struct repositories;
struct repositories *repositories_open(struct loop *loop, struct sandbox *sb);
/* done(arg) on the loop, once nothing is under way any more, not even the tidying after a publishing. */
void repositories_drain(struct repositories *rs, loop_fn *done, void *arg);
void repositories_close(
	struct repositories *rs); /* drained, or with a loop that never turns again */

/* code 0: a generation with the RPMs is live. Else why is a sentence; what was live before still is. */
typedef void repository_done_fn(int code, const char *why, void *arg);
/* rpms: host paths, on the same file system as job_dir; same name as one of before: replaces it. None: fine, a repository can
 * be empty. Requests of one job that come while createrepo_c runs share the next run. done is
 * called once, on the loop, never from within. */
void repository_publish(struct repositories *rs, const char *job_dir, const char *const *rpms,
	size_t count, repository_done_fn *done, void *arg);

/* Takes out again what an attempt had published that ends otherwise than completed: those RPMs of results_dir that are the same files in
 * rpms/, or in the live generation, which then gets a successor. Nothing of it was published: code 0, and nothing changes. It
 * can be asked again after any death. A file of another package that had been replaced does not come back. */
void repository_withdraw(struct repositories *rs, const char *job_dir, const char *results_dir,
	repository_done_fn *done, void *arg);

/* ---- reading (serve.c) */
struct repository_file {
	int fd; /* the caller closes it */
	int64_t size;
	int64_t mtime_s;
	const char *content_type; /* static */
};
/* Any thread but the loop's: blocks. path: below the repository, without a leading slash. Nothing outside is ever opened, whatever
 * path or links say. -ENOENT, also for folders and what is no regular file; others: the disk. */
int repository_open_file(const char *job_dir, const char *path, struct repository_file *ret);

/* The text of a .repo file: what to put into /etc/yum.repos.d. id: "reqpm-7"; title: one line for people, anything that would
 * break the line becomes a space; base_url: where `repo` is served. Pure. */
void repository_config(struct strbuf *out, const char *id, const char *title, const char *base_url);

#endif
