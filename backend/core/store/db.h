/* SPDX-License-Identifier: MIT
 *
 * The seam below the store: one connection to a database. SQLite has a driver; a second one must only fill this
 * table. A connection is used by one thread.
 */
#ifndef REQPM_DB_H
#define REQPM_DB_H

#include "core/store/store.h"

enum db_mode { DB_WRITER, DB_READER };
struct db_value {
	char type; /* 'i', 's', 'n' */
	int64_t i;
	const char *s;
};
struct db;
struct row {
	struct db *db;
	void *impl;
};
struct db_ops {
	const char *name;
	int (*open)(struct db *db, const char *where, enum db_mode mode, struct strbuf *err);
	void (*close)(struct db *db);
	int (*begin)(struct db *db); /* to write: takes the lock at once */
	int (*begin_read)(struct db *db);
	int (*commit)(struct db *db);
	void (*rollback)(struct db *db);
	/* fn NULL: no rows wanted. Returns rows walked, or changed when there were none to walk. */
	int (*run)(struct db *db, const char *sql, const struct db_value *values, size_t count,
		tx_row_fn *fn, void *arg);
	int (*script)(struct db *db, const char *sql); /* several statements, for migrations */
	/* Of what is free on the disk it makes so much the database's own, for what it writes next, as far as that is possible. */
	void (*take_room)(struct db *db, int64_t bytes);
	int64_t (*row_int)(const struct row *row, int column);
	bool (*row_null)(const struct row *row, int column);
	const char *(*row_text)(const struct row *row, int column);
	size_t (*row_bytes)(const struct row *row, int column);
};
extern const struct db_ops db_sqlite;
struct db {
	const struct db_ops *ops;
	void *impl;
	struct strbuf error; /* the last one's sentence */
};

#endif
