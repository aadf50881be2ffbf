/* SPDX-License-Identifier: MIT
 *
 * What this host has, in RPM's words, for the generated `base` package. Runs in the hidden role, inside the sandbox, where
 * /usr is the host's.
 */
#ifndef REQPM_RPM_HOST_H
#define REQPM_RPM_HOST_H

#include "core/base/base.h"

/* A Fedora package name and the file whose presence says that this host has as much (a glob with braces). */
struct fedora_name {
	const char *name, *file;
};
extern const struct fedora_name fedora_names[]; /* fedora_names.c; ends with a NULL name */

/* One "Provides: …" line. False, and nothing added: rpm would not take such a name. A version that rpm
 * would not take is left out: a provide without version satisfies every version. */
bool host_add(struct strbuf *spec, const char *name, const char *version);

/* Scans: programs, shared libraries, pkg-config files, Perl, Python and CMake modules, Fedora names. */
void host_scan(struct strbuf *spec);
/* Takes what a Fedora host's own database says instead; dbpath: a writable copy. Adds nothing and returns false when the
 * database holds no package. Programs come from the scan in either case. */
bool host_ask_rpmdb(struct strbuf *spec, const char *dbpath);
void host_scan_programs(struct strbuf *spec);

/* The version that a .pc file states, its variables replaced; "" when it states none. Exported for its test. */
void host_pc_version(const char *text, struct strbuf *ret);
/* "Foo_Bar-1.2-py3.11.egg-info" is foo-bar, 1.2. False: no such name. Exported for its test. */
bool host_python_dist(const char *file, struct strbuf *ret_name, struct strbuf *ret_version);

#endif
