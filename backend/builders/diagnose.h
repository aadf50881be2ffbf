/* SPDX-License-Identifier: MIT
 *
 * Reads a build's output as it comes and finds the one line that a person should see first. The rule, for every builder:
 * of the last phase, the first line that names an error, most telling kind first; with no such line, the last line that
 * is not empty. Lines of earlier phases do not count, because configure scripts and tests print errors that ended nothing.
 * What rpmbuild prints in summary ("error: Bad exit status", all after "RPM build errors:") counts only when nothing else does.
 *
 * Phases are rpmbuild's own markers, "Executing(%build): …" at the start of a line. Advice, for a build can print them too.
 */
#ifndef REQPM_DIAGNOSE_H
#define REQPM_DIAGNOSE_H

#include "core/base/base.h"

#define DIAGNOSE_LINE_MAX 1024 /* of a longer line the first bytes are looked at and kept */
#define DIAGNOSE_PHASE_MAX 40

struct diagnosis {
	int64_t line; /* whole lines seen so far */
	size_t len; /* of `text`, the line in the making */
	int rank; /* of best_text; 0: only the last line that is not empty */
	int64_t best_line; /* 0: the output was empty */
	bool summary; /* rpmbuild's closing words have begun */
	char text[DIAGNOSE_LINE_MAX + 1];
	char best_text[DIAGNOSE_LINE_MAX + 1];
	char phase[DIAGNOSE_PHASE_MAX]; /* "%build", "" before the first */
};
typedef void diagnosis_phase_fn(const char *phase, void *arg);

void diagnosis_init(struct diagnosis *d);
/* on_phase (may be NULL) is called for each marker met in these bytes. */
void diagnosis_add(
	struct diagnosis *d, const char *data, size_t len, diagnosis_phase_fn *on_phase, void *arg);
/* Counts a last line without newline. Then best_line, best_text and phase stand. */
void diagnosis_end(struct diagnosis *d);

#endif
