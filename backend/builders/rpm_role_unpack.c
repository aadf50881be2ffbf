// SPDX-License-Identifier: MIT
#include "builders/rpm_role.h"

#include <stdio.h>

#include "builders/rpm.h"

/* $1: the RPM, $2: the folder. Old packages still say /bin and /lib: on a merged host all that is under /usr. What others may
 * not read would be missing for the build of another slot; nobody gains rights by a file in a layer. The folder itself stays
 * writable for the server, which moves it to its place. */
static const char script[] =
	"set -e; umask 022; mkdir -p \"$2\"; cd \"$2\"\n"
	"rpm2cpio \"$1\" > /tmp/payload\n"
	"cpio --quiet -idm --no-absolute-filenames < /tmp/payload\n"
	"rm -f /tmp/payload\n"
	"for d in bin sbin lib lib64; do\n"
	"	if [ -d \"$d\" ] && [ ! -L \"$d\" ]; then\n"
	"		mkdir -p \"usr/$d\"; cp -a \"$d/.\" \"usr/$d/\"; rm -rf \"$d\"\n"
	"	fi\n"
	"done\n"
	"mkdir -p usr; chmod -R u+rwX,go+rX,go-w,a-s .; chmod g+w .\n";

int role_unpack(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		char *rpm = xasprintf(RPM_ROLE_REPO "/%s", argv[i]);
		char *folder = xasprintf(RPM_TOPDIR "/out/%d", i);
		const char *const sh[] = {"/bin/sh", "-c", script, "unpack", rpm, folder, NULL};
		struct strbuf text = STRBUF_INIT;
		int status = role_run(sh, &text, true);

		free(rpm);
		free(folder);
		if (status) {
			role_answer_error("%s cannot be unpacked: %s", argv[i], text.buf);
			strbuf_finish(&text);
			return 0;
		}
		strbuf_finish(&text);
	}
	role_answer("{}");
	return 0;
}
