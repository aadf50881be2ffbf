// SPDX-License-Identifier: MIT
#include "world.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a hostile build finds when it looks around. Each probe prints a line only when it gets somewhere it must not. */

static void finds_nothing(struct world *w, const char *script)
{
	struct outcome o;

	world_sh(w, script, &o);
	CHECK(o.end == RUN_EXITED && !o.output.len, "end %d: %s; it says: %s", o.end, o.why,
		o.output.buf);
	outcome_finish(&o);
}

static void the_hosts_secrets_are_not_there(struct world *w)
{
	char *script = xasprintf(
		"for f in /root /home /etc/shadow /etc/ssh /etc/hostname /etc/machine-id /var/lib "
		"/srv /opt /sys /boot %s %s/token /run/systemd /var/run/docker.sock "
		"/proc/1/root/root "
		"/oldroot /newroot; do [ -e $f ] && echo $f; done; grep -v -e root: -e build: -e "
		"nobody: /etc/passwd",
		w->data, w->data);

	finds_nothing(w, script);
	free(script);
}

static void other_slots_and_the_token_are_out_of_reach(struct world *w)
{
	char *path = xasprintf("%s/token", w->data);
	char *other = xasprintf("%s/secret", sandbox_slot_dir(w->sb, 2));
	struct strbuf err = STRBUF_INIT;

	CHECK(!file_write_atomic(path, "t0ken", 5, 0600, &err), "%s", err.buf);
	CHECK(!file_write_atomic(other, "s3cret", 6, 0660, &err), "%s", err.buf);
	finds_nothing(w,
		"grep -rls -e t0ken -e s3cret / --exclude-dir=proc --exclude-dir=usr 2>/dev/null");
	CHECK(!unlink(other), "%s", strerror(errno));
	free(path);
	free(other);
	strbuf_finish(&err);
}

static void no_descriptor_of_ours_is_inherited(struct world *w)
{
	/* 3 is the folder that ls reads. */
	finds_nothing(w, "for f in $(ls /proc/self/fd); do [ $f -gt 3 ] && echo $f; done");
}

static void there_is_no_network(struct world *w)
{
	finds_nothing(w, "grep -v -e '|' -e ' lo:' /proc/net/dev;"
			 "python3 -c 'import socket; socket.create_connection((\"1.1.1.1\", 53), "
			 "1)' 2>/dev/null && echo connected;"
			 "true");
}

static void the_network_is_there_when_asked_for(struct world *w)
{
	char *work = xasprintf("%s/net", sandbox_slot_dir(w->sb, 1));
	const char *argv[] = {"readlink", "/proc/self/ns/net", NULL};
	struct run_spec spec = {.slot = 1,
		.name = "net",
		.argv = argv,
		.work = work,
		.network = true,
		.wipe = true};
	char ours[64] = "", with_newline[66];
	struct outcome o;

	CHECK(readlink("/proc/self/ns/net", ours, sizeof(ours) - 1) > 0, "%s", strerror(errno));
	snprintf(with_newline, sizeof(with_newline), "%s\n", ours);
	outcome_start(w, &spec, &o);
	outcome_wait(&o);
	CHECK(!strcmp(o.output.buf, with_newline), "%s, ours %s", o.output.buf, ours);
	outcome_finish(&o);
	spec.network = false;
	outcome_start(w, &spec, &o);
	outcome_wait(&o);
	CHECK(strcmp(o.output.buf, with_newline), "the network is ours: %s", o.output.buf);
	outcome_finish(&o);
	free(work);
}

static void there_are_no_privileges(struct world *w)
{
	struct outcome o;

	world_sh(w, "grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status", &o);
	CHECK(!strcmp(o.output.buf, "Groups:\t \n"
				    "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
				    "CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
				    "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"),
		"status: %s", o.output.buf);
	outcome_finish(&o);
}

static void nothing_of_the_kernel_can_be_had(struct world *w)
{
	finds_nothing(w,
		"try() { \"$@\" >/dev/null 2>&1 && echo \"$@\"; };"
		"try unshare -U true; try unshare -Ur true; try unshare -m true; try unshare -n "
		"true;"
		"try mount -t tmpfs x /tmp; try umount /tmp; try umount -l /proc; try mount -o "
		"remount,rw /usr;"
		"try mknod /tmp/null c 1 3; try dmesg; try chroot /; try nsenter -t 1 -m true;"
		"try hostname other; try renice -5 $$; try date -s 2001-01-01; try chown 0 /build;"
		"try bwrap --ro-bind / / true; true");
}

static void nothing_but_its_own_folders_can_be_written(struct world *w)
{
	finds_nothing(w,
		"for d in / /usr /usr/bin /etc /bin /lib /dev /proc /var /etc/alternatives; do"
		"  (echo x > $d/written) 2>/dev/null && echo $d; done;"
		"for d in /build /tmp /var/tmp /run /dev/shm; do"
		"  (echo x > $d/written) 2>/dev/null || echo cannot write $d; done");
}

static void folders_deeper_than_anyone_counts_end_the_run_in_words(struct world *w)
{
	struct outcome o;

	world_sh(w,
		"for i in $(seq 850); do mkdir d && cd -P d || break; done 2>/dev/null; sleep 1000",
		&o);
	CHECK(o.end == RUN_DISK_FULL, "end %d: %s", o.end, o.why);
	CHECK(!strcmp(o.why, "its folders lie more than 800 deep in each other"), "why: %s", o.why);
	outcome_finish(&o);
}

static void other_processes_cannot_be_seen(struct world *w)
{
	struct outcome o;

	world_sh(w, "ls /proc | grep -c '^[0-9]'", &o);
	CHECK(atoi(o.output.buf) >= 2 && atoi(o.output.buf) <= 6, "%s processes", o.output.buf);
	outcome_finish(&o);
}

static void the_host_name_says_nothing(struct world *w)
{
	struct outcome o;

	world_sh(w, "uname -n; id -un; id -gn; pwd", &o);
	CHECK(!strcmp(o.output.buf, "reqpm-build\nbuild\nbuild\n/build\n"), "%s", o.output.buf);
	outcome_finish(&o);
}

static void binds_are_read_only_unless_asked(struct world *w)
{
	char *work = xasprintf("%s/binds", sandbox_slot_dir(w->sb, 1));
	char *extra = xasprintf("%s/extra", sandbox_slot_dir(w->sb, 1));
	const char *argv[] = {"sh", "-c",
		"cat /sources/f; (echo x > /sources/g) 2>/dev/null || echo read-only;"
		"echo kept > /extra/kept && echo written",
		NULL};
	const struct run_bind binds[] = {{w->data, "/sources", false}, {extra, "/extra", true}};
	struct run_spec spec = {.slot = 1,
		.name = "binds",
		.argv = argv,
		.work = work,
		.binds = binds,
		.bind_count = 2,
		.wipe = true};
	char *file = xasprintf("%s/f", w->data);
	struct strbuf err = STRBUF_INIT;
	struct outcome o;

	CHECK(!file_write_atomic(file, "source\n", 7, 0640, &err), "%s", err.buf);
	CHECK(!mkdir(extra, 0770) && !chmod(extra, 02770), "%s", strerror(errno));
	outcome_start(w, &spec, &o);
	outcome_wait(&o);
	CHECK(!strcmp(o.output.buf, "source\nread-only\nwritten\n"), "%s %s", o.why, o.output.buf);
	sandbox_wipe(w->sb, 1, extra, (loop_fn *)loop_stop, &w->loop);
	loop_run(&w->loop);
	outcome_finish(&o);
	strbuf_finish(&err);
	free(file);
	free(extra);
	free(work);
}

/* ---- the processes' own state, seen from outside */

static void the_server_cannot_be_root_again(struct world *w)
{
	struct strbuf status = STRBUF_INIT;

	CHECK(!file_read("/proc/self/status", 65536, &status, NULL), "no status");
	CHECK(strstr(status.buf, "Uid:\t65534\t65534\t65534\t65534\n"), "%s", status.buf);
	CHECK(strstr(status.buf, "Gid:\t65534\t65534\t65534\t65534\n"), "%s", status.buf);
	CHECK(strstr(status.buf, "Groups:\t \n"), "%s", status.buf);
	CHECK(strstr(status.buf, "CapPrm:\t0000000000000000\n"), "%s", status.buf);
	CHECK(strstr(status.buf, "NoNewPrivs:\t1\n"), "%s", status.buf);
	CHECK(setuid(0) && seteuid(0), "it is root again");
	strbuf_finish(&status);
}

static void slots_have_users_of_their_own(struct world *w)
{
	for (int slot = 0; slot < WORLD_SLOTS; slot++) {
		struct stat st;

		CHECK(!stat(sandbox_slot_dir(w->sb, slot), &st), "%s", strerror(errno));
		CHECK((st.st_mode & 07777) == 02770, "mode %o", st.st_mode & 07777);
		CHECK(st.st_gid == 65534, "group %u", st.st_gid);
		if (w->who == ROOT)
			CHECK(st.st_uid == SLOT_UID_BASE + (uid_t)slot, "owner %u", st.st_uid);
	}
	CHECK(sandbox_protections(w->sb)->slot_uids == (w->who == ROOT),
		"what is reported differs");
}

static const struct scenario scenarios[] = {
	SCENARIO(the_hosts_secrets_are_not_there),
	SCENARIO(other_slots_and_the_token_are_out_of_reach),
	SCENARIO(no_descriptor_of_ours_is_inherited),
	SCENARIO(there_is_no_network),
	SCENARIO(the_network_is_there_when_asked_for),
	SCENARIO(there_are_no_privileges),
	SCENARIO(nothing_of_the_kernel_can_be_had),
	SCENARIO(nothing_but_its_own_folders_can_be_written),
	SCENARIO(folders_deeper_than_anyone_counts_end_the_run_in_words),
	SCENARIO(other_processes_cannot_be_seen),
	SCENARIO(the_host_name_says_nothing),
	SCENARIO(binds_are_read_only_unless_asked),
	SCENARIO(the_server_cannot_be_root_again),
	SCENARIO(slots_have_users_of_their_own),
};

int main(void)
{
	return world_run_all(scenarios, countof(scenarios));
}
