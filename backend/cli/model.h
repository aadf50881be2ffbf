/* SPDX-License-Identifier: MIT
 *
 * What a viewer knows of one build, kept up to date by the messages of its socket. Pure: no I/O, no clock.
 *
 * A snapshot replaces everything, build_update merges the job's fields, queue_update replaces one item, what is
 * older than what is known is dropped. Text is cleaned for terminals on its way in.
 */
#ifndef REQPM_CLI_MODEL_H
#define REQPM_CLI_MODEL_H

#include "cli/text.h"
#include "core/base/json.h"

#define MODEL_EPOCH_MAX 65

enum item_state {
	ITEM_PENDING,
	ITEM_QUEUED,
	ITEM_BUILDING,
	ITEM_COMPLETED,
	ITEM_FAILED,
	ITEM_BLOCKED,
	ITEM_CANCELLED,
	ITEM_UNKNOWN, /* a word that this client does not know */
	ITEM_STATE_COUNT
};
extern const char *const item_state_name[ITEM_STATE_COUNT];

struct model_item { /* text is never NULL: "" for null */
	int64_t id;
	enum item_state state;
	enum item_state
		shown; /* the view's: what it printed last; kept when a snapshot replaces the item */
	char *name, *version, *phase, *why, *worker, *error_text, *blocked_by;
	int64_t attempt, slot; /* slot 0: none */
	int64_t error_line; /* 0: unknown */
	int64_t started_at, completed_at; /* wall ms of the server; 0: not yet */
	int64_t last_duration_ms; /* 0: unknown */
};

enum job_state {
	JOB_PENDING,
	JOB_PREPARING,
	JOB_RUNNING,
	JOB_COMPLETED,
	JOB_FAILED,
	JOB_CANCELLED,
	JOB_UNKNOWN, /* counts as active */
	JOB_STATE_COUNT
};
extern const char *const job_state_name[JOB_STATE_COUNT];

struct model {
	bool known; /* a snapshot came */
	int64_t seq; /* -1: none came yet */
	char epoch[MODEL_EPOCH_MAX];
	int64_t clock_ahead_ms; /* the server's wall clock minus ours */
	int64_t id;
	char *name;
	enum job_state state;
	int64_t specs_read, specs_total; /* while it is preparing */
	int64_t total, completed, failed, building, blocked, waiting, cancelled;
	bool cancel_requested, dry_run;
	int64_t created_at, started_at, completed_at;
	json_t *error; /* {"detail","package","edges"}, or NULL */
	struct model_item *items; /* by arrival; a snapshot's come in the order of the queue */
	size_t item_count, item_cap;
	struct map by_id; /* to position + 1 in items */
};
void model_init(struct model *m);
void model_finish(struct model *m);

enum model_result {
	MODEL_SAME, /* old, of no meaning to the model, or of a kind it does not know */
	MODEL_CHANGED,
	MODEL_GAP, /* something between is missing: not applied. Connect again with seq and epoch. */
	MODEL_STRANGE, /* not what the protocol says: not applied */
};
/* A parsed message of /ws/builds/<id>/. wall_ms: this machine's clock, for clock_ahead_ms. */
enum model_result model_apply(struct model *m, const json_t *message, int64_t wall_ms);
/* The object that GET /api/builds/{id} answers: a snapshot's data with seq and epoch in it. */
enum model_result model_apply_document(struct model *m, const json_t *document);

bool model_ended(const struct model *m);
/* From its start to its end, or to wall_ms of this machine while it runs. */
int64_t model_elapsed_ms(const struct model *m, int64_t wall_ms);
int64_t model_item_elapsed_ms(
	const struct model *m, const struct model_item *item, int64_t wall_ms);
/* How long the rest takes, by how long each package took before; -1 when too little is known. */
int64_t model_remaining_ms(const struct model *m, int64_t wall_ms);

#endif
