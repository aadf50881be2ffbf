// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/base/log.h"
#include "core/store/db.h"

/*
 * Debian 12's SQLite can lose commits when two connections write and checkpoint at the same instant (the WAL-reset
 * fault of 3.7.0 to 3.51.2). So one connection writes and it alone checkpoints; readers never do. FULL, because an
 * acknowledged commit must outlive a power loss: with NORMAL none of the last ones does. Debian's zeroes what is deleted,
 * which costs a deletion as much room in the log as there was: 38 MiB for a build of 5,000 packages instead of 3, on a disk
 * where it is to make room.
 */
static const char writer_pragmas[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
				     "PRAGMA wal_autocheckpoint=1000; PRAGMA foreign_keys=ON;"
				     "PRAGMA secure_delete=OFF;";
static const char reader_pragmas[] = "PRAGMA query_only=ON; PRAGMA wal_autocheckpoint=0;";

struct sqlite {
	sqlite3 *handle;
	struct map statements; /* sql text -> sqlite3_stmt, kept until close */
};

static int code_of(int rc)
{
	/* The index of the log cannot grow. */
	if (rc == SQLITE_IOERR_SHMSIZE)
		return -ENOSPC;
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return -EACCES;
	default:
		return -EIO;
	}
}

static int fail(struct db *db, int rc)
{
	struct sqlite *s = db->impl;
	int code = code_of(rc);

	return err_set(&db->error, code ? code : -EIO, "%s", sqlite3_errmsg(s->handle));
}

static int sqlite_script(struct db *db, const char *sql)
{
	struct sqlite *s = db->impl;
	int rc = sqlite3_exec(s->handle, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fail(db, rc);
}

static void sqlite_close(struct db *db)
{
	struct sqlite *s = db->impl;
	struct map_slot *slot;

	if (!s)
		return;
	map_for_each (slot, &s->statements)
		sqlite3_finalize(slot->value);
	map_finish(&s->statements);
	sqlite3_close(s->handle);
	free(s);
	db->impl = NULL;
	strbuf_finish(&db->error);
}

static int sqlite_open(struct db *db, const char *where, enum db_mode mode, struct strbuf *err)
{
	struct sqlite *s = xcalloc(1, sizeof(*s));
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	int rc, code;

	map_init(&s->statements);
	strbuf_init(&db->error);
	db->impl = s;
	rc = sqlite3_open_v2(
		where, &s->handle, flags | (mode == DB_WRITER ? SQLITE_OPEN_CREATE : 0), NULL);
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(s->handle, STORE_BUSY_MS);
		sqlite3_extended_result_codes(s->handle, 1);
		sqlite3_db_config(s->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(s->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		rc = sqlite3_exec(s->handle, mode == DB_WRITER ? writer_pragmas : reader_pragmas,
			NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		return 0;
	code = code_of(rc);
	err_set(err, code, "the database %s cannot be opened: %s", where,
		s->handle ? sqlite3_errmsg(s->handle) : "out of memory");
	sqlite_close(db);
	return code;
}

static int sqlite_begin(struct db *db)
{
	/* At once, so that no statement in the middle can fail for the lock. */
	return sqlite_script(db, "BEGIN IMMEDIATE");
}

static int sqlite_begin_read(struct db *db)
{
	return sqlite_script(db, "BEGIN");
}

static int sqlite_commit(struct db *db)
{
	return sqlite_script(db, "COMMIT");
}

#define ROOM_STEP (1 << 20) /* bytes taken at once: of what is not there no part is given */

/* Every commit is appended to the log before it comes into the database. Blocks beyond the log's end are for nobody else, whereas a
 * build that fills the disk would have what is free before we do. */
static void sqlite_take_room(struct db *db, int64_t bytes)
{
	struct sqlite *s = db->impl;
	const char *log = sqlite3_filename_wal(sqlite3_db_filename(s->handle, "main"));
	int fd = open(log, O_WRONLY | O_CLOEXEC), r = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		r = -1;
	for (int64_t at = 0; !r && at < bytes; at += ROOM_STEP)
		r = fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size + at, ROOM_STEP);
	if (r)
		log_debug("store: not all the room is kept that there should be: %s",
			strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void sqlite_rollback(struct db *db)
{
	struct sqlite *s = db->impl;

	/* Some errors have rolled back already; then there is nothing to do. */
	if (!sqlite3_get_autocommit(s->handle))
		sqlite3_exec(s->handle, "ROLLBACK", NULL, NULL, NULL);
}

static int statement(struct db *db, const char *sql, sqlite3_stmt **ret_stmt)
{
	struct sqlite *s = db->impl;
	sqlite3_stmt *stmt = map_get(&s->statements, sql);
	int rc;

	if (!stmt) {
		rc = sqlite3_prepare_v3(s->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
		if (rc != SQLITE_OK)
			return fail(db, rc);
		map_set(&s->statements, sql, stmt);
	}
	if (sqlite3_stmt_busy(stmt))
		BUG("a statement runs inside itself: %s", sql);
	*ret_stmt = stmt;
	return 0;
}

static void bind_values(sqlite3_stmt *stmt, const struct db_value *values, size_t count)
{
	char name[24];

	for (size_t i = 0; i < count; i++) {
		int at;

		/* "$1" is a name to SQLite, numbered by first appearance. */
		snprintf(name, sizeof(name), "$%zu", i + 1);
		at = sqlite3_bind_parameter_index(stmt, name);
		if (!at)
			BUG("no %s in: %s", name, sqlite3_sql(stmt));
		if (values[i].type == 'i')
			sqlite3_bind_int64(stmt, at, values[i].i);
		else if (values[i].type == 's' && values[i].s)
			sqlite3_bind_text(stmt, at, values[i].s, -1, SQLITE_STATIC);
		else
			sqlite3_bind_null(stmt, at);
	}
}

static int sqlite_run(struct db *db, const char *sql, const struct db_value *values, size_t count,
	tx_row_fn *fn, void *arg)
{
	struct sqlite *s = db->impl;
	struct row row = {.db = db};
	sqlite3_stmt *stmt = NULL;
	int rc, rows = 0, r;

	r = statement(db, sql, &stmt);
	if (r < 0)
		return r;
	bind_values(stmt, values, count);
	row.impl = stmt;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		rows++;
		r = fn ? fn(&row, arg) : 0;
		if (r < 0)
			break;
	}
	if (r >= 0)
		r = rc != SQLITE_DONE ? fail(db, rc) : (fn ? rows : sqlite3_changes(s->handle));
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return r;
}

static int64_t sqlite_row_int(const struct row *row, int column)
{
	return sqlite3_column_int64(row->impl, column);
}

static bool sqlite_row_null(const struct row *row, int column)
{
	return sqlite3_column_type(row->impl, column) == SQLITE_NULL;
}

static const char *sqlite_row_text(const struct row *row, int column)
{
	return (const char *)sqlite3_column_text(row->impl, column);
}

static size_t sqlite_row_bytes(const struct row *row, int column)
{
	return (size_t)sqlite3_column_bytes(row->impl, column);
}

const struct db_ops db_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.begin = sqlite_begin,
	.begin_read = sqlite_begin_read,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.run = sqlite_run,
	.script = sqlite_script,
	.take_room = sqlite_take_room,
	.row_int = sqlite_row_int,
	.row_null = sqlite_row_null,
	.row_text = sqlite_row_text,
	.row_bytes = sqlite_row_bytes,
};
