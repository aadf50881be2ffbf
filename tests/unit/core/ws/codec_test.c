// SPDX-License-Identifier: MIT
#include "core/ws/ws.h"

#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include "codec_cases.h"

#define MESSAGE_MAX (5u << 20)

/* ---- the language */

struct piece {
	int first; /* -1: raw bytes */
	struct strbuf payload;
};

static int hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void add_hex(struct strbuf *out, const char *s, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		strbuf_addch(out, (char)(hex_digit(s[i]) << 4 | hex_digit(s[i + 1])));
}

static int first_byte(const char **s)
{
	static const char names[] = "ctb.....xpo";
	int first;

	if (**s == '!') {
		first = hex_digit((*s)[1]) << 4 | hex_digit((*s)[2]);
		*s += 3;
		return first;
	}
	first = 0x80 | (int)(strchr(names, **s) - names);
	if (*++*s == '+') {
		first &= 0x7f;
		++*s;
	}
	return first;
}

/* Reads the next word; false at the end. */
static bool next_piece(const char **s, struct piece *ret)
{
	size_t len;

	*s += strspn(*s, " ");
	if (!**s)
		return false;
	strbuf_init(&ret->payload);
	if (**s == '?') {
		ret->first = -1;
		len = strcspn(*s, " ");
		add_hex(&ret->payload, *s + 1, len - 1);
		*s += len;
		return true;
	}
	ret->first = first_byte(s);
	len = strcspn(*s, " ");
	if (**s == '=') {
		strbuf_add(&ret->payload, *s + 1, len - 1);
	} else if (**s == '#') {
		add_hex(&ret->payload, *s + 1, len - 1);
	} else if (**s == '*') {
		for (long n = atol(*s + 1); n > 0; n--)
			strbuf_addch(&ret->payload, 'a');
	}
	*s += len;
	return true;
}

static void put_frame(struct strbuf *out, int first, const struct strbuf *payload, bool masked)
{
	struct strbuf frame = STRBUF_INIT;

	if (masked) {
		ws_frame_masked(&frame, WS_TEXT, payload->buf, payload->len);
	} else {
		struct ws_frame *f = ws_frame_create(WS_TEXT, payload->buf, payload->len);

		strbuf_add(&frame, f->bytes, f->len);
		ws_frame_unref(f);
	}
	frame.buf[0] = (char)first;
	strbuf_add(out, frame.buf, frame.len);
	strbuf_finish(&frame);
}

/* Raw bytes are written for a server; for a client the mask bit goes, and the mask with it. */
static void put_raw(struct strbuf *out, const struct strbuf *raw, bool masked)
{
	size_t at = out->len;

	strbuf_add(out, raw->buf, raw->len);
	if (masked || raw->len < 2)
		return;
	out->buf[at + 1] &= 0x7f;
	if (raw->len == 6)
		strbuf_setlen(out, at + 2);
}

static void build_wire(const char *wire, bool masked, struct strbuf *out)
{
	struct piece piece;

	while (next_piece(&wire, &piece)) {
		if (piece.first < 0)
			put_raw(out, &piece.payload, masked);
		else
			put_frame(out, piece.first, &piece.payload, masked);
		strbuf_finish(&piece.payload);
	}
}

/* ---- what the parser says, against what the row says */

struct listener {
	const char *name, *expect;
};

static void on_message(void *arg, enum ws_opcode opcode, const char *data, size_t len)
{
	struct listener *l = arg;
	struct piece piece;

	if (!next_piece(&l->expect, &piece))
		fail_msg("%s: an event too many, opcode %d of %zu bytes", l->name, opcode, len);
	if (piece.first != (0x80 | (int)opcode) || piece.payload.len != len ||
		memcmp(piece.payload.buf, data, len) || data[len])
		fail_msg("%s: opcode %d of %zu bytes is not what was expected", l->name, opcode,
			len);
	strbuf_finish(&piece.payload);
}

/* chop: 0 all at once, 1 byte by byte, else pieces of up to chop bytes. */
static void run_wire(const struct row *row, const struct strbuf *wire, bool masked, unsigned chop)
{
	struct listener l = {row->name, row->expect};
	struct ws_parser p;
	const char *why = NULL;
	size_t at = 0;
	int code = 0;

	ws_parser_init(&p, masked, MESSAGE_MAX);
	while (at < wire->len && !code) {
		size_t n = !chop ? wire->len : chop == 1 ? 1 : 1 + (size_t)rand() % chop;

		if (n > wire->len - at)
			n = wire->len - at;
		code = ws_parser_feed(&p, (uint8_t *)wire->buf + at, n, on_message, &l, &why);
		at += n;
	}
	if (code != row->code)
		fail_msg("%s (chop %u): code %d instead of %d", row->name, chop, code, row->code);
	assert_true(!code == !why);
	if (*(l.expect += strspn(l.expect, " ")))
		fail_msg("%s (chop %u): did not report %s", row->name, chop, l.expect);
	if (code)
		assert_int_equal(ws_parser_feed(&p, (uint8_t *)"x", 1, on_message, &l, &why), code);
	ws_parser_finish(&p);
}

static unsigned cases;

static void run_row(const struct row *row)
{
	for (int masked = 0; masked < 2; masked++) {
		struct strbuf wire = STRBUF_INIT;

		build_wire(row->wire, masked, &wire);
		run_wire(row, &wire, masked, 0);
		if (wire.len < 200000)
			run_wire(row, &wire, masked, 1);
		run_wire(row, &wire, masked, 7);
		run_wire(row, &wire, masked, 997);
		strbuf_finish(&wire);
	}
	cases++;
}

static void run_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		run_row(&rows[i]);
}

#define ROWS(name, table)                                                                          \
	static void name(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		run_rows(table, countof(table));                                                   \
	}
ROWS(messages_and_pings_arrive_whole, messages)
ROWS(reserved_bits_fail, reserved_bits)
ROWS(reserved_opcodes_fail, opcodes)
ROWS(fragments_make_messages_and_controls_go_between, fragments)
ROWS(text_is_checked_as_it_comes, text)
ROWS(close_payloads_are_checked, closes)
ROWS(lengths_are_minimal_and_bounded, lengths)

/* ---- 6.5 to 6.23: sequences, each alone, between letters, and cut at every byte */

static void run_text(const char *hex, bool valid)
{
	size_t bytes = strlen(hex) / 2;
	char *wire = xasprintf("t#%s", hex), *around = xasprintf("t#6161%s6161616161616161", hex);
	struct row row = {hex, wire, valid ? wire : "", valid ? 0 : 1007};

	run_row(&row);
	row.wire = around;
	row.expect = valid ? around : "";
	run_row(&row);
	for (size_t cut = 1; cut < bytes; cut++) {
		char *cut_wire = xasprintf("t+#%.*s c#%s", (int)cut * 2, hex, hex + cut * 2);

		row.wire = cut_wire;
		row.expect = valid ? wire : "";
		run_row(&row);
		free(cut_wire);
	}
	free(around);
	free(wire);
}

static void valid_sequences_pass_and_invalid_ones_fail(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(valid_text); i++)
		run_text(valid_text[i], true);
	for (size_t i = 0; i < countof(invalid_text); i++)
		run_text(invalid_text[i], false);
}

/* Can bytes be the beginning of valid text? Asked of the other decoder of this tree. */
static bool viable(const uint8_t *bytes, size_t len)
{
	static const uint8_t ends[][3] = {
		{0x80, 0x80, 0x80}, {0x90, 0x80, 0x80}, {0xa0, 0x80, 0x80}};
	char text_bytes[8];

	memcpy(text_bytes, bytes, len);
	for (size_t i = 0; i < countof(ends); i++) {
		memcpy(text_bytes + len, ends[i], 3);
		for (size_t more = 0; more <= 3; more++) {
			if (utf8_valid(text_bytes, len + more))
				return true;
		}
	}
	return false;
}

static void ignore(void *arg, enum ws_opcode opcode, const char *data, size_t len)
{
	(void)arg;
	(void)opcode;
	(void)data;
	(void)len;
}

static void check_prefix(const uint8_t *bytes, size_t len)
{
	const uint8_t head[2] = {0x81, 125};
	struct ws_parser p;
	const char *why;
	size_t good = 0;

	ws_parser_init(&p, false, 125);
	assert_int_equal(ws_parser_feed(&p, head, 2, ignore, NULL, &why), 0);
	while (good < len && !ws_parser_feed(&p, bytes + good, 1, ignore, NULL, &why))
		good++;
	for (size_t n = 1; n <= len; n++) {
		if (viable(bytes, n) != (n <= good))
			fail_msg("%02x %02x %02x %02x: failed after %zu", bytes[0], bytes[1],
				bytes[2], bytes[3], good);
	}
	ws_parser_finish(&p);
}

static void text_fails_at_its_first_bad_byte(void **state)
{
	static const uint8_t last[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
	uint8_t bytes[4];

	(void)state;
	for (unsigned both = 0; both < 65536; both++) {
		bytes[0] = (uint8_t)(both >> 8);
		bytes[1] = (uint8_t)both;
		bytes[2] = last[both % countof(last)];
		bytes[3] = last[both / 7 % countof(last)];
		check_prefix(bytes, 4);
	}
}

/* ---- what a table cannot say */

static void every_close_code_is_judged(void **state)
{
	(void)state;
	for (unsigned code = 0; code < 65536; code++) {
		bool valid = (code >= 1000 && code < 1004) || (code >= 1007 && code < 1015) ||
			     (code >= 3000 && code < 5000);
		char wire[16];
		struct row row = {wire, wire, valid ? wire : "", valid ? 0 : 1002};

		/* All of them near the borders, some of the rest. */
		if (code > 1100 && code < 2990 && code % 97)
			continue;
		if (code > 5010 && code < 65500 && code % 997)
			continue;
		snprintf(wire, sizeof(wire), "x#%04x", code);
		run_row(&row);
	}
}

static void a_mask_is_demanded_of_clients_and_refused_of_servers(void **state)
{
	struct strbuf wire = STRBUF_INIT;
	struct row row = {"unmasked to a server", "", "", 1002};

	(void)state;
	build_wire("t=x", false, &wire);
	run_wire(&row, &wire, true, 0);
	run_wire(&row, &wire, true, 1);
	strbuf_reset(&wire);
	build_wire("t=x", true, &wire);
	row.name = "masked to a client";
	run_wire(&row, &wire, false, 0);
	run_wire(&row, &wire, false, 1);
	strbuf_finish(&wire);
}

static void a_frame_is_masked_by_a_mask_of_its_own(void **state)
{
	struct strbuf one = STRBUF_INIT, other = STRBUF_INIT;

	(void)state;
	ws_frame_masked(&one, WS_TEXT, "twelve bytes", 12);
	ws_frame_masked(&other, WS_TEXT, "twelve bytes", 12);
	assert_memory_not_equal(one.buf + 2, other.buf + 2, 4);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(one.buf[6 + i] ^ one.buf[2 + i % 4], "twelve bytes"[i]);
	strbuf_finish(&one);
	strbuf_finish(&other);
}

static void more_than_the_allowed_fragments_fail(void **state)
{
	struct strbuf wire = STRBUF_INIT, all = STRBUF_INIT;
	struct row row = {"fragments", "", "", 1008};

	(void)state;
	strbuf_addstr(&wire, "t+=a");
	for (int i = 1; i < WS_FRAGMENTS_MAX; i++)
		strbuf_addstr(&wire, " c+=a");
	strbuf_addstr(&wire, " c=a");
	build_wire(wire.buf, true, &all);
	run_wire(&row, &all, true, 0);
	run_wire(&row, &all, true, 1);

	/* One less is fine, and the count begins anew with each message. */
	strbuf_reset(&all);
	strbuf_setlen(&wire, wire.len - strlen(" c+=a c=a"));
	strbuf_addstr(&wire, " c=a");
	build_wire(wire.buf, true, &all);
	build_wire(wire.buf, true, &all);
	row.code = 0;
	row.expect = "t*1024 t*1024";
	run_wire(&row, &all, true, 0);
	strbuf_finish(&all);
	strbuf_finish(&wire);
}

static void an_announced_length_costs_no_memory(void **state)
{
	const uint8_t head[10] = {0x82, 127, 0, 0, 0, 0, 0, 0x50, 0, 0};
	struct ws_parser p;
	const char *why;

	(void)state;
	ws_parser_init(&p, false, MESSAGE_MAX);
	assert_int_equal(ws_parser_feed(&p, head, sizeof(head), ignore, NULL, &why), 0);
	assert_int_equal(p.message.cap, 0);
	assert_int_equal(ws_parser_feed(&p, head, 1, ignore, NULL, &why), 0);
	assert_true(p.message.cap < 1024);
	ws_parser_finish(&p);
}

static void no_buffer_is_kept_between_messages(void **state)
{
	struct strbuf wire = STRBUF_INIT;
	struct ws_parser p;
	const char *why;

	(void)state;
	build_wire("t*60000 p*125", true, &wire);
	ws_parser_init(&p, true, MESSAGE_MAX);
	assert_int_equal(ws_parser_feed(&p, (uint8_t *)wire.buf, wire.len, ignore, NULL, &why), 0);
	assert_int_equal(p.message.cap + p.control.cap, 0);
	ws_parser_finish(&p);
	strbuf_finish(&wire);
}

static void frames_have_the_shortest_head(void **state)
{
	static const struct {
		size_t len;
		uint8_t head[10];
		uint32_t head_len;
	} expected[] = {
		{0, {0x81, 0}, 2},
		{125, {0x81, 125}, 2},
		{126, {0x81, 126, 0, 126}, 4},
		{65535, {0x81, 126, 0xff, 0xff}, 4},
		{65536, {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}, 10},
	};
	char *payload = xcalloc(1, 65536);

	(void)state;
	for (size_t i = 0; i < countof(expected); i++) {
		struct ws_frame *f = ws_frame_create(WS_TEXT, payload, expected[i].len);

		assert_int_equal(f->head_len, expected[i].head_len);
		assert_int_equal(f->len, f->head_len + expected[i].len);
		assert_memory_equal(f->bytes, expected[i].head, f->head_len);
		ws_frame_unref(ws_frame_ref(f));
		ws_frame_unref(f);
	}
	ws_frame_unref(NULL);
	free(payload);
}

static void a_long_close_reason_is_cut_between_characters(void **state)
{
	struct strbuf payload = STRBUF_INIT;
	char reason[200] = {0};

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(reason) - 1; i += 2)
		memcpy(reason + i, "\xc3\xa9", 2);
	ws_close_payload(&payload, 1001, reason);
	assert_int_equal(payload.len, 124);
	assert_memory_equal(payload.buf, "\x03\xe9", 2);
	assert_true(utf8_valid(payload.buf + 2, payload.len - 2));
	strbuf_finish(&payload);
}

static void the_accept_key_is_that_of_the_rfc(void **state)
{
	char accept[29];

	(void)state;
	ws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", accept);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void there_are_enough_cases(void **state)
{
	(void)state;
	print_message("%u cases\n", cases);
	assert_true(cases >= 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_and_pings_arrive_whole),
		cmocka_unit_test(reserved_bits_fail),
		cmocka_unit_test(reserved_opcodes_fail),
		cmocka_unit_test(fragments_make_messages_and_controls_go_between),
		cmocka_unit_test(text_is_checked_as_it_comes),
		cmocka_unit_test(valid_sequences_pass_and_invalid_ones_fail),
		cmocka_unit_test(text_fails_at_its_first_bad_byte),
		cmocka_unit_test(close_payloads_are_checked),
		cmocka_unit_test(every_close_code_is_judged),
		cmocka_unit_test(lengths_are_minimal_and_bounded),
		cmocka_unit_test(a_mask_is_demanded_of_clients_and_refused_of_servers),
		cmocka_unit_test(a_frame_is_masked_by_a_mask_of_its_own),
		cmocka_unit_test(more_than_the_allowed_fragments_fail),
		cmocka_unit_test(an_announced_length_costs_no_memory),
		cmocka_unit_test(no_buffer_is_kept_between_messages),
		cmocka_unit_test(frames_have_the_shortest_head),
		cmocka_unit_test(a_long_close_reason_is_cut_between_characters),
		cmocka_unit_test(the_accept_key_is_that_of_the_rfc),
		cmocka_unit_test(there_are_enough_cases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
