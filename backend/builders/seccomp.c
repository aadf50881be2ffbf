// SPDX-License-Identifier: MIT
#include "builders/launch.h"

#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * A list of what is refused, not of what is allowed: builds run anything that compiles, and namespaces, an unprivileged uid and
 * no capabilities do the confining. This takes away kernel surface that no build needs and that has a history of holes.
 */
static const struct {
	int call;
	int answer; /* ENOSYS where programs try it and fall back */
} refused[] = {
	/* clang-format off */
	{SCMP_SYS(io_uring_setup), ENOSYS}, {SCMP_SYS(io_uring_enter), ENOSYS},
	{SCMP_SYS(io_uring_register), ENOSYS}, {SCMP_SYS(userfaultfd), ENOSYS},
	{SCMP_SYS(bpf), EPERM}, {SCMP_SYS(perf_event_open), EPERM},
	{SCMP_SYS(add_key), EPERM}, {SCMP_SYS(request_key), EPERM}, {SCMP_SYS(keyctl), EPERM},
	{SCMP_SYS(mount), EPERM}, {SCMP_SYS(umount), EPERM}, {SCMP_SYS(umount2), EPERM},
	{SCMP_SYS(pivot_root), EPERM}, {SCMP_SYS(move_mount), EPERM}, {SCMP_SYS(open_tree), EPERM},
	{SCMP_SYS(fsopen), EPERM}, {SCMP_SYS(fsmount), EPERM}, {SCMP_SYS(fsconfig), EPERM},
	{SCMP_SYS(fspick), EPERM}, {SCMP_SYS(mount_setattr), EPERM}, {SCMP_SYS(setns), EPERM},
	{SCMP_SYS(open_by_handle_at), EPERM}, {SCMP_SYS(name_to_handle_at), EPERM},
	{SCMP_SYS(fanotify_init), EPERM}, {SCMP_SYS(quotactl), EPERM}, {SCMP_SYS(acct), EPERM},
	{SCMP_SYS(swapon), EPERM}, {SCMP_SYS(swapoff), EPERM}, {SCMP_SYS(reboot), EPERM},
	{SCMP_SYS(kexec_load), EPERM}, {SCMP_SYS(kexec_file_load), EPERM},
	{SCMP_SYS(init_module), EPERM}, {SCMP_SYS(finit_module), EPERM},
	{SCMP_SYS(delete_module), EPERM}, {SCMP_SYS(syslog), EPERM}, {SCMP_SYS(vhangup), EPERM},
	{SCMP_SYS(iopl), EPERM}, {SCMP_SYS(ioperm), EPERM}, {SCMP_SYS(lookup_dcookie), EPERM},
	{SCMP_SYS(settimeofday), EPERM}, {SCMP_SYS(clock_settime), EPERM},
	{SCMP_SYS(clock_adjtime), EPERM}, {SCMP_SYS(adjtimex), EPERM}, {SCMP_SYS(vmsplice), EPERM},
	{SCMP_SYS(move_pages), EPERM}, {SCMP_SYS(mbind), EPERM}, {SCMP_SYS(migrate_pages), EPERM},
	/* clang-format on */
};

/* Typing into the terminal that the server was started from. */
static const unsigned int refused_ioctls[] = {TIOCSTI, TIOCLINUX};

static int add_rules(scmp_filter_ctx ctx)
{
	int r = 0;

	/* 32-bit programs of the same machine are filtered alike; where libseccomp knows no such pair nothing is added, and
	 * their calls kill them. */
	if (seccomp_arch_native() == SCMP_ARCH_X86_64)
		r = seccomp_arch_add(ctx, SCMP_ARCH_X86);
	else if (seccomp_arch_native() == SCMP_ARCH_AARCH64)
		r = seccomp_arch_add(ctx, SCMP_ARCH_ARM);
	for (size_t i = 0; !r && i < countof(refused); i++)
		r = seccomp_rule_add(
			ctx, SCMP_ACT_ERRNO((uint32_t)refused[i].answer), refused[i].call, 0);
	/* The kernel looks at the low 32 bits of the request alone, so must the filter. */
	for (size_t i = 0; !r && i < countof(refused_ioctls); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, refused_ioctls[i]));
	return r;
}

int seccomp_filter_open(struct strbuf *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int fd = -1, r;

	if (!ctx)
		return err_set(err, -ENOMEM, "no memory for the system call filter");
	r = add_rules(ctx);
	if (!r && (fd = memfd_create("seccomp", 0)) < 0)
		r = -errno;
	if (!r)
		r = seccomp_export_bpf(ctx, fd);
	if (!r && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	seccomp_release(ctx);
	if (!r)
		return fd;
	if (fd >= 0)
		close(fd);
	return err_set(err, r, "cannot make the system call filter: %s", strerror(-r));
}
