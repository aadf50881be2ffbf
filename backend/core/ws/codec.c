// SPDX-License-Identifier: MIT
#include "core/ws/ws.h"

#define CONTROL_MAX 125 /* bytes of a control frame's payload, RFC 6455 section 5.5 */

/* ---- frames out */

/* The header of a frame with FIN and without its mask; at most 10 bytes. */
static size_t put_head(uint8_t *out, enum ws_opcode opcode, size_t len, bool masked)
{
	uint8_t mask_bit = masked ? 0x80 : 0;
	size_t extra = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;

	out[0] = 0x80 | (uint8_t)opcode;
	out[1] = mask_bit | (extra == 0 ? (uint8_t)len : extra == 2 ? 126 : 127);
	for (size_t i = 0; i < extra; i++)
		out[2 + i] = (uint8_t)((uint64_t)len >> (8 * (extra - 1 - i)));
	return 2 + extra;
}

struct ws_frame *ws_frame_create(enum ws_opcode opcode, const void *payload, size_t len)
{
	uint8_t head[10];
	size_t head_len = put_head(head, opcode, len, false);
	struct ws_frame *f = xmalloc(sizeof(*f) + head_len + len);

	f->refs = 1;
	f->head_len = (uint32_t)head_len;
	f->len = head_len + len;
	memcpy(f->bytes, head, head_len);
	if (len)
		memcpy(f->bytes + head_len, payload, len);
	return f;
}

struct ws_frame *ws_frame_ref(struct ws_frame *f)
{
	f->refs++;
	return f;
}

void ws_frame_unref(struct ws_frame *f)
{
	if (f && --f->refs == 0)
		free(f);
}

/* Eight bytes at a time: the byte order of the word is that of the mask in memory, so any will do. */
static void copy_masked(
	char *out, const uint8_t *in, size_t len, const uint8_t mask[4], uint64_t at)
{
	uint8_t turned[8];
	uint64_t word, wide;
	size_t i = 0;

	for (size_t k = 0; k < sizeof(turned); k++)
		turned[k] = mask[(at + k) & 3];
	memcpy(&wide, turned, sizeof(wide));
	for (; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, in + i, sizeof(word));
		word ^= wide;
		memcpy(out + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		out[i] = (char)(in[i] ^ turned[i & 7]);
}

void ws_frame_masked(struct strbuf *out, enum ws_opcode opcode, const void *payload, size_t len)
{
	uint8_t head[10], mask[4];

	strbuf_add(out, head, put_head(head, opcode, len, true));
	random_bytes(mask, sizeof(mask));
	strbuf_add(out, mask, sizeof(mask));
	strbuf_grow(out, len);
	copy_masked(out->buf + out->len, payload, len, mask, 0);
	out->len += len;
	out->buf[out->len] = '\0';
}

void ws_close_payload(struct strbuf *out, uint16_t code, const char *reason)
{
	size_t len = reason ? strlen(reason) : 0;

	strbuf_addch(out, (char)(code >> 8));
	strbuf_addch(out, (char)(code & 0xff));
	/* A reason that is too long is cut between characters. */
	if (len > CONTROL_MAX - 2) {
		len = CONTROL_MAX - 2;
		while (len && ((uint8_t)reason[len] & 0xc0) == 0x80)
			len--;
	}
	strbuf_add(out, reason, len);
}

void ws_accept_key(const char *key, char buf[29])
{
	uint8_t hash[20];
	char *text = xasprintf("%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);

	digest_sha1(text, strlen(text), hash);
	base64_encode(hash, sizeof(hash), buf);
	free(text);
}

/* ---- UTF-8, byte by byte: the state holds how many bytes are missing and the bounds of the next one */

#define UTF8_STATE(missing, low, high)                                                             \
	((uint32_t)(missing) | (uint32_t)(low) << 8 | (uint32_t)(high) << 16)
#define UTF8_BAD UINT32_MAX

/* The bounds of the second byte refuse overlong forms (E0, F0), surrogates (ED) and what is above U+10FFFF (F4). */
static uint32_t utf8_lead(uint8_t byte)
{
	if (byte < 0x80)
		return 0;
	if (byte < 0xc2 || byte > 0xf4)
		return UTF8_BAD;
	if (byte < 0xe0)
		return UTF8_STATE(1, 0x80, 0xbf);
	if (byte < 0xf0)
		return UTF8_STATE(2, byte == 0xe0 ? 0xa0 : 0x80, byte == 0xed ? 0x9f : 0xbf);
	return UTF8_STATE(3, byte == 0xf0 ? 0x90 : 0x80, byte == 0xf4 ? 0x8f : 0xbf);
}

static uint32_t utf8_next(uint32_t state, uint8_t byte)
{
	uint32_t missing = state & 0xff;

	if (!missing)
		return utf8_lead(byte);
	if (byte < ((state >> 8) & 0xff) || byte > (state >> 16))
		return UTF8_BAD;
	return missing == 1 ? 0 : UTF8_STATE(missing - 1, 0x80, 0xbf);
}

static uint32_t utf8_feed(uint32_t state, const char *data, size_t len)
{
	uint64_t word;

	for (size_t i = 0; i < len && state != UTF8_BAD;) {
		if (!state && i + sizeof(word) <= len) {
			memcpy(&word, data + i, sizeof(word));
			if (!(word & 0x8080808080808080u)) {
				i += sizeof(word);
				continue;
			}
		}
		state = utf8_next(state, (uint8_t)data[i++]);
	}
	return state;
}

/* ---- frames in */

void ws_parser_init(struct ws_parser *p, bool expect_masked, size_t message_max)
{
	*p = (struct ws_parser){
		.expect_masked = expect_masked,
		.message_max = message_max,
		.message = STRBUF_INIT,
		.control = STRBUF_INIT,
	};
}

void ws_parser_finish(struct ws_parser *p)
{
	strbuf_finish(&p->message);
	strbuf_finish(&p->control);
}

static int fail(int code, const char *why, const char **ret_why)
{
	*ret_why = why;
	return code;
}

static bool is_control(uint8_t opcode)
{
	return opcode & 8;
}

static int check_first_byte(const struct ws_parser *p, const char **ret_why)
{
	uint8_t opcode = p->head[0] & 0x0f;

	if (p->head[0] & 0x70)
		return fail(WS_CLOSE_PROTOCOL, "reserved bits are set", ret_why);
	if ((opcode > WS_BINARY && opcode < WS_CLOSE) || opcode > WS_PONG)
		return fail(WS_CLOSE_PROTOCOL, "reserved opcode", ret_why);
	if (is_control(opcode) && !(p->head[0] & 0x80))
		return fail(WS_CLOSE_PROTOCOL, "fragmented control frame", ret_why);
	if (opcode == WS_CONTINUATION && !p->message_opcode)
		return fail(WS_CLOSE_PROTOCOL, "nothing to continue", ret_why);
	if ((opcode == WS_TEXT || opcode == WS_BINARY) && p->message_opcode)
		return fail(WS_CLOSE_PROTOCOL, "message inside a message", ret_why);
	return 0;
}

static int check_second_byte(const struct ws_parser *p, const char **ret_why)
{
	bool masked = p->head[1] & 0x80;

	if (masked != p->expect_masked)
		return fail(WS_CLOSE_PROTOCOL, masked ? "masked frame" : "unmasked frame", ret_why);
	if (is_control(p->head[0] & 0x0f) && (p->head[1] & 0x7f) > CONTROL_MAX)
		return fail(WS_CLOSE_PROTOCOL, "control frame is too long", ret_why);
	return 0;
}

static size_t length_bytes(const struct ws_parser *p)
{
	uint8_t len = p->head[1] & 0x7f;

	return len == 126 ? 2 : len == 127 ? 8 : 0;
}

static int check_length(struct ws_parser *p, const char **ret_why)
{
	size_t extra = length_bytes(p);
	uint64_t len = extra ? 0 : p->head[1] & 0x7f;

	for (size_t i = 0; i < extra; i++)
		len = len << 8 | p->head[2 + i];
	if ((extra == 2 && len < 126) || (extra == 8 && len <= UINT16_MAX))
		return fail(WS_CLOSE_PROTOCOL, "length is not in its shortest form", ret_why);
	if (len >> 63)
		return fail(WS_CLOSE_PROTOCOL, "length has its top bit set", ret_why);
	p->remaining = len;
	if (is_control(p->head[0] & 0x0f))
		return 0;
	if (p->fragments == WS_FRAGMENTS_MAX)
		return fail(WS_CLOSE_POLICY, "too many fragments", ret_why);
	if (len > p->message_max - p->message.len)
		return fail(WS_CLOSE_TOO_BIG, "message is too big", ret_why);
	return 0;
}

static void begin_payload(struct ws_parser *p)
{
	p->fin = p->head[0] & 0x80;
	p->opcode = p->head[0] & 0x0f;
	p->payload_at = 0;
	p->in_payload = true;
	if (is_control(p->opcode))
		return;
	if (p->opcode != WS_CONTINUATION)
		p->message_opcode = p->opcode;
	p->fragments++;
}

/* Each rule is checked at the byte that can break it, so that what is wrong is refused before more is read. */
static int take_head_byte(struct ws_parser *p, uint8_t byte, const char **ret_why)
{
	size_t mask_at;

	p->head[p->head_len++] = byte;
	if (p->head_len == 1)
		return check_first_byte(p, ret_why);
	if (p->head_len == 2) {
		int r = check_second_byte(p, ret_why);

		if (r)
			return r;
	}
	mask_at = 2 + length_bytes(p);
	if (p->head_len == mask_at) {
		int r = check_length(p, ret_why);

		if (r)
			return r;
	}
	if (p->head_len < mask_at + (p->expect_masked ? 4 : 0))
		return 0;
	memcpy(p->mask, p->head + mask_at, p->expect_masked ? 4 : 0);
	begin_payload(p);
	return 0;
}

static int take_payload(struct ws_parser *p, const uint8_t *data, size_t len, const char **ret_why)
{
	struct strbuf *into = is_control(p->opcode) ? &p->control : &p->message;
	char *at;

	/* What came is kept, never what is announced: a length costs the peer its bytes. */
	strbuf_grow(into, len);
	at = into->buf + into->len;
	if (p->expect_masked)
		copy_masked(at, data, len, p->mask, p->payload_at);
	else
		memcpy(at, data, len);
	into->len += len;
	into->buf[into->len] = '\0';
	p->payload_at += len;
	p->remaining -= len;
	if (!is_control(p->opcode) && p->message_opcode == WS_TEXT) {
		p->utf8_state = utf8_feed(p->utf8_state, at, len);
		if (p->utf8_state == UTF8_BAD)
			return fail(WS_CLOSE_BAD_DATA, "text is not UTF-8", ret_why);
	}
	return 0;
}

/* Codes that may travel: RFC 6455 section 7.4 and the registry it made (1012 to 1014), libraries', applications'. */
static bool close_code_valid(unsigned code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

static int check_close(const struct strbuf *payload, const char **ret_why)
{
	const uint8_t *bytes = (const uint8_t *)payload->buf;

	if (payload->len == 0)
		return 0;
	if (payload->len == 1 || !close_code_valid((unsigned)bytes[0] << 8 | bytes[1]))
		return fail(WS_CLOSE_PROTOCOL, "invalid close code", ret_why);
	if (utf8_feed(0, payload->buf + 2, payload->len - 2) != 0)
		return fail(WS_CLOSE_BAD_DATA, "close reason is not UTF-8", ret_why);
	return 0;
}

/* Idle connections hold no buffers: each is freed with its message. */
static void hand_over(struct strbuf *payload, enum ws_opcode opcode, ws_message_fn *fn, void *arg)
{
	struct strbuf taken = *payload;

	strbuf_init(payload);
	fn(arg, opcode, taken.buf, taken.len);
	strbuf_finish(&taken);
}

static int end_frame(struct ws_parser *p, ws_message_fn *fn, void *arg, const char **ret_why)
{
	uint8_t opcode = p->message_opcode;

	p->in_payload = false;
	p->head_len = 0;
	if (is_control(p->opcode)) {
		int r = p->opcode == WS_CLOSE ? check_close(&p->control, ret_why) : 0;

		if (!r)
			hand_over(&p->control, p->opcode, fn, arg);
		return r;
	}
	if (!p->fin)
		return 0;
	if (p->utf8_state)
		return fail(WS_CLOSE_BAD_DATA, "text ends inside a character", ret_why);
	p->message_opcode = 0;
	p->fragments = 0;
	hand_over(&p->message, opcode, fn, arg);
	return 0;
}

int ws_parser_feed(struct ws_parser *p, const uint8_t *data, size_t len, ws_message_fn *fn,
	void *arg, const char **ret_why)
{
	int r = 0;

	if (p->failed)
		return fail(p->failed, "the connection failed before", ret_why);
	while (len && !r) {
		if (p->in_payload) {
			size_t take = len < p->remaining ? len : (size_t)p->remaining;

			r = take_payload(p, data, take, ret_why);
			data += take;
			len -= take;
		} else {
			r = take_head_byte(p, *data++, ret_why);
			len--;
		}
		if (!r && p->in_payload && !p->remaining)
			r = end_frame(p, fn, arg, ret_why);
	}
	p->failed = (uint16_t)r;
	return r;
}
