/* SPDX-License-Identifier: MIT
 *
 * How a test says why it does not run here: as node's tests do, and tests/run.sh, which reads it, decides whether that may be. Include
 * it after cmocka.h.
 */
#ifndef REQPM_TEST_SKIP_H
#define REQPM_TEST_SKIP_H

#define skip_because(reason)                                                                       \
	do {                                                                                       \
		print_message("# SKIP " reason "\n");                                              \
		skip();                                                                            \
	} while (0)

#endif
