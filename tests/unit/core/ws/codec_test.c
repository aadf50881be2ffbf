// SPDX-License-Identifier: MIT
//
// RFC 6455 as tables. A row writes frames in a small language and says what the parser must report and with which
// code it must fail (0: not at all). Each row runs in both roles, at once, byte by byte and in random pieces.
//
//   t b c x p o    text, binary, continuation, close, ping, pong; a "+" after it: without FIN
//   !NN            a first byte in hexadecimal
//   ?HEX           raw bytes, no frame
//   =text *N #HEX  the payload: as it stands, N times 'a', hexadecimal
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include "core/ws/ws.h"

#define MESSAGE_MAX (5u << 20)

struct row {
	const char *name, *wire, *expect;
	int code;
};

static const struct row messages[] = {
	{"1.1.1 empty text", "t", "t", 0},
	{"1.1.2 125 bytes of text", "t*125", "t*125", 0},
	{"1.1.3 126 bytes of text", "t*126", "t*126", 0},
	{"1.1.4 127 bytes of text", "t*127", "t*127", 0},
	{"1.1.5 128 bytes of text", "t*128", "t*128", 0},
	{"1.1.6 65535 bytes of text", "t*65535", "t*65535", 0},
	{"1.1.7 65536 bytes of text", "t*65536", "t*65536", 0},
	{"1.2.1 empty binary", "b", "b", 0},
	{"1.2.2 125 bytes of binary", "b*125", "b*125", 0},
	{"1.2.3 126 bytes of binary", "b*126", "b*126", 0},
	{"1.2.4 127 bytes of binary", "b*127", "b*127", 0},
	{"1.2.5 128 bytes of binary", "b*128", "b*128", 0},
	{"1.2.6 65535 bytes of binary", "b*65535", "b*65535", 0},
	{"1.2.7 65536 bytes of binary", "b*65536", "b*65536", 0},
	{"1.2.8 binary need not be UTF-8", "b#fffe00", "b#fffe00", 0},
	{"2.1 empty ping", "p", "p", 0},
	{"2.2 ping with text", "p=Hello", "p=Hello", 0},
	{"2.3 ping with binary", "p#00fffefdfcfb00ff", "p#00fffefdfcfb00ff", 0},
	{"2.4 ping of 125 bytes", "p*125", "p*125", 0},
	{"2.5 ping of 126 bytes", "p*126", "", 1002},
	{"2.6 ping of 65536 bytes", "p*65536", "", 1002},
	{"2.7 empty pong nobody asked for", "o", "o", 0},
	{"2.8 pong nobody asked for", "o=x", "o=x", 0},
	{"2.9 pong, then ping", "o=x p=y", "o=x p=y", 0},
	{"2.10 ten pings", "p=0 p=1 p=2 p=3 p=4 p=5 p=6 p=7 p=8 p=9",
		"p=0 p=1 p=2 p=3 p=4 p=5 p=6 p=7 p=8 p=9", 0},
	{"2.12 pong of 126 bytes", "o*126", "", 1002},
};

static const struct row reserved_bits[] = {
	{"3.1 text with RSV3", "!91=x", "", 1002},
	{"3.2 RSV2 after a good message", "t=ok !a1=x", "t=ok", 1002},
	{"3.3 RSV2 and RSV3 after a good message", "t=ok !b1=x", "t=ok", 1002},
	{"3.4 RSV1 after a good message", "t=ok !c1=x p", "t=ok", 1002},
	{"3.5 binary with RSV1 and RSV3", "!d2=x", "", 1002},
	{"3.6 ping with RSV1 and RSV2", "!e9=x", "", 1002},
	{"3.7 close with all", "!f8#03e8", "", 1002},
	{"3.8 pong with RSV1", "!ca=x", "", 1002},
	{"3.9 continuation with RSV1", "t+=a !c0=b", "", 1002},
	{"3.10 text without FIN with RSV1", "!41=a", "", 1002},
	{"3.11 the first byte is enough", "?91", "", 1002},
};

static const struct row opcodes[] = {
	{"4.1.1 opcode 3", "!83", "", 1002},
	{"4.1.2 opcode 4 with payload", "!84=reserved", "", 1002},
	{"4.1.3 opcode 5 after a message", "t=ok !85 p", "t=ok", 1002},
	{"4.1.4 opcode 6 with payload after a message", "t=ok !86=reserved p", "t=ok", 1002},
	{"4.1.5 opcode 7 with payload after a message", "t=ok !87=reserved p", "t=ok", 1002},
	{"4.2.1 opcode 11", "!8b", "", 1002},
	{"4.2.2 opcode 12 with payload", "!8c=reserved", "", 1002},
	{"4.2.3 opcode 13 after a message", "t=ok !8d p", "t=ok", 1002},
	{"4.2.4 opcode 14 with payload after a message", "t=ok !8e=reserved p", "t=ok", 1002},
	{"4.2.5 opcode 15 with payload after a message", "t=ok !8f=reserved p", "t=ok", 1002},
	{"4.2.6 opcode 3 without FIN", "!03=x", "", 1002},
	{"4.2.7 opcode 11 without FIN", "!0b=x", "", 1002},
	{"4.2.8 the first byte is enough", "?83", "", 1002},
};

static const struct row fragments[] = {
	{"5.1 fragmented ping", "p+=a c=b", "", 1002},
	{"5.2 fragmented pong", "o+=a c=b", "", 1002},
	{"5.2b fragmented close", "x+#03e8 c", "", 1002},
	{"5.3 two fragments", "t+=frag1 c=frag2", "t=frag1frag2", 0},
	{"5.4 three fragments", "t+=a c+=b c=c", "t=abc", 0},
	{"5.5 fragmented binary", "b+#ff c+#fe c#fd", "b#fffefd", 0},
	{"5.6 ping inside a message", "t+=a p=ping c=b", "p=ping t=ab", 0},
	{"5.7 pong inside a message", "t+=a o=pong c=b", "o=pong t=ab", 0},
	{"5.8 pings between all fragments", "t+=a p=1 c+=b p=2 c=c p=3", "p=1 p=2 t=abc p=3", 0},
	{"5.9 nothing to continue, FIN", "c=a t=b", "", 1002},
	{"5.10 nothing to continue, FIN, after a message", "t=ok c=a", "t=ok", 1002},
	{"5.11 nothing to continue, empty", "c", "", 1002},
	{"5.12 nothing to continue, no FIN", "c+=a t=b", "", 1002},
	{"5.13 nothing to continue, no FIN, after a message", "t=ok c+=a", "t=ok", 1002},
	{"5.14 nothing to continue after a fragmented message", "t+=a c=b c=c", "t=ab", 1002},
	{"5.15 a continuation too many, then text", "t+=a c=b c+=c t=d", "t=ab", 1002},
	{"5.16 continuation first, again and again", "c+=a t=b c=c", "", 1002},
	{"5.17 finished continuation first", "c=a t=b c=c", "", 1002},
	{"5.18 text inside a text", "t+=a t=b", "", 1002},
	{"5.19 binary inside a text", "t+=a b=b", "", 1002},
	{"5.20 text inside a binary", "b+=a t+=b", "", 1002},
	{"5.21 pings after a message of five", "t+=1 c+=2 p=a c+=3 c+=4 p=b c=5", "p=a p=b t=12345",
		0},
	{"5.22 close inside a message", "t+=a x#03e8", "x#03e8", 0},
	{"5.23 empty fragments", "t+ c+ c", "t", 0},
	{"5.24 an empty last fragment", "t+=abc c", "t=abc", 0},
	{"5.25 an empty first fragment", "t+ c=abc", "t=abc", 0},
};

static const struct row text[] = {
	{"6.1.1 empty text", "t", "t", 0},
	{"6.1.2 three empty fragments", "t+ c+ c", "t", 0},
	{"6.1.3 only the middle is not empty", "t+ c+=x c", "t=x", 0},
	{"6.2.1 valid", "t#48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a1",
		"t#48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a1", 0},
	{"6.2.2 cut between characters", "t+#ceba c#e1bdb9", "t#cebae1bdb9", 0},
	{"6.2.3 cut inside characters", "t+#ce c+#bae1 c+#bd c#b9", "t#cebae1bdb9", 0},
	{"6.2.4 cut inside, with empty fragments", "t+#ce c+ c+#ba c", "t#ceba", 0},
	{"6.2.5 cut inside, with a ping whose bytes are no UTF-8", "t+#ce p#ff c#ba", "p#ff t#ceba",
		0},
	{"6.3.1 surrogate inside text", "t#cebae1bdb9cf83cebcceb5eda080656469746564", "", 1007},
	{"6.3.2 surrogate in fragments", "t+#ceba c+#eda0 c#80", "", 1007},
	{"6.4.1 fails before the message ends", "t+#ceba c+#f4908080", "", 1007},
	{"6.4.2 fails at the byte", "t+#f4 c+#90", "", 1007},
	{"6.4.3 fails inside a frame", "?818000000000 ", "t", 0},
	{"6.4.4 ends inside a character", "t#e1bd", "", 1007},
	{"6.4.5 ends inside a character, in fragments", "t+#e1 c#bd", "", 1007},
	{"6.4.6 ends inside a character, empty last", "t+#e1bd c", "", 1007},
	{"6.4.7 the next message begins anew", "t#ceba t#ceba", "t#ceba t#ceba", 0},
	{"6.4.8 a bad second message", "t#ceba t#ff", "t#ceba", 1007},
};

static const struct row closes[] = {
	{"7.1.1 message, then close", "t=hi x#03e8", "t=hi x#03e8", 0},
	{"7.1.2 two closes", "x#03e8 x#03e8", "x#03e8 x#03e8", 0},
	{"7.1.3 ping after close", "x#03e8 p", "x#03e8 p", 0},
	{"7.3.1 empty close", "x", "x", 0},
	{"7.3.2 close of one byte", "x#03", "", 1002},
	{"7.3.3 close with a code", "x#03e8", "x#03e8", 0},
	{"7.3.4 close with a reason", "x#03e8486f", "x#03e8486f", 0},
	{"7.3.6 close of 126 bytes", "x*126", "", 1002},
	{"7.5.1 reason is not UTF-8", "x#03e8cebae1bdb9cf83cebcceb5eda080", "", 1007},
	{"7.5.2 reason ends inside a character", "x#03e8ce", "", 1007},
	{"7.5.3 reason is UTF-8", "x#03e8ceba", "x#03e8ceba", 0},
};

static const struct row lengths[] = {
	{"9.0.1 125 in two bytes", "?81fe007d", "", 1002},
	{"9.0.2 0 in two bytes", "?81fe0000", "", 1002},
	{"9.0.3 126 in eight bytes", "?81ff000000000000007e", "", 1002},
	{"9.0.4 65535 in eight bytes", "?81ff000000000000ffff", "", 1002},
	{"9.0.5 the top bit", "?81ff8000000000010000", "", 1002},
	{"9.0.6 all bits", "?81ffffffffffffffffff", "", 1002},
	{"9.0.7 too big before any payload", "?81ff0000000000500001", "", 1009},
	{"9.0.8 2^62 before any payload", "?82ff4000000000000000", "", 1009},
	{"9.0.9 ping with a long length", "?89fe", "", 1002},
	{"9.1.1 64 KiB", "t*65536", "t*65536", 0},
	{"9.1.2 256 KiB", "t*262144", "t*262144", 0},
	{"9.1.3 1 MiB", "t*1048576", "t*1048576", 0},
	{"9.1.4 4 MiB", "t*4194304", "t*4194304", 0},
	{"9.1.5 the limit", "t*5242880", "t*5242880", 0},
	{"9.1.6 one byte above the limit", "t*5242881", "", 1009},
	{"9.2.1 256 KiB of binary", "b*262144", "b*262144", 0},
	{"9.2.2 1 MiB of binary", "b*1048576", "b*1048576", 0},
	{"9.2.3 the limit in fragments", "b+*5242879 c+*1 c", "b*5242880", 0},
	{"9.2.4 above the limit in fragments", "b+*5242879 c+*1 c*1", "", 1009},
	{"9.2.5 pings do not count", "b+*5242880 p*125 c", "p*125 b*5242880", 0},
};

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

static const char *const valid_text[] = {
	"48656c6c6f",
	"c2b5",
	"cebae1bdb9cf83cebcceb5",
	"00",
	"c280",
	"e0a080",
	"f0908080",
	"7f",
	"dfbf",
	"efbfbf",
	"f48fbfbf",
	"ed9fbf",
	"ee8080",
	"efbfbd",
	"f0909080",
	"efbfbe",
	"f09fbfbe",
	"f09fbfbf",
	"f0afbfbe",
	"f0afbfbf",
	"f0bfbfbe",
	"f0bfbfbf",
	"f18fbfbe",
	"f18fbfbf",
	"f19fbfbe",
	"f19fbfbf",
	"f1afbfbe",
	"f1afbfbf",
	"f1bfbfbe",
	"f1bfbfbf",
	"f28fbfbe",
	"f28fbfbf",
	"f29fbfbe",
	"f29fbfbf",
	"f2afbfbe",
	"f2afbfbf",
	"f2bfbfbe",
	"f2bfbfbf",
	"f38fbfbe",
	"f38fbfbf",
	"f39fbfbe",
	"f39fbfbf",
	"f3afbfbe",
	"f3afbfbf",
	"f3bfbfbe",
	"f3bfbfbf",
	"f48fbfbe",
	"efb790",
	"efb7af",
	"efbbbf",
	"e0a0bf",
	"f09fa684",
	"e282ac",
	"f3a08080",
	"c2a0e28087e280af",
	"f0908f8f",
};
static const char *const invalid_text[] = {
	"80",
	"bf",
	"8080",
	"80bf80",
	"80bf80bf",
	"80bf80bf80",
	"80bf80bf80bf", /* 6.12 */
	"c020",
	"c320",
	"e020",
	"e120e2",
	"f020",
	"f120",
	"f820",
	"fc20", /* 6.13 */
	"c0",
	"e080",
	"f08080",
	"f8808080",
	"fc80808080",
	"df",
	"efbf",
	"f7bfbf",
	"fbbfbfbf",
	"fdbfbfbfbf", /* 6.14 */
	"c0e080f08080f8808080fc80808080",
	"fe",
	"ff",
	"fefeffff", /* 6.15, 6.16 */
	"c0af",
	"e080af",
	"f08080af",
	"f8808080af",
	"fc80808080af",
	"c1bf",
	"e09fbf",
	"f08fbfbf",
	"f887bfbfbf",
	"fc83bfbfbfbf",
	"c080",
	"e08080",
	"f0808080",
	"f880808080",
	"fc8080808080", /* 6.17 to 6.19 */
	"eda080",
	"edadbf",
	"edae80",
	"edafbf",
	"edb080",
	"edbe80",
	"edbfbf",
	"eda080edb080",
	"eda080edbfbf",
	"edadbfedb080",
	"edadbfedbfbf",
	"edae80edb080",
	"edae80edbfbf",
	"edafbfedb080",
	"edafbfedbfbf", /* 6.20, 6.21 */
	"f4908080",
	"f5808080",
	"f7bfbfbf",
	"f888808080",
	"fbbfbfbfbf",
	"fc8480808080",
	"fdbfbfbfbfbf", /* 6.11 */
	"c2",
	"e0a0",
	"f09080",
	"c2c2",
	"e1e1",
	"f1f1f1",
	"f18080c2",
	"e180c280",
	"c32880",
	"f48fbf7f",
};

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
