// SPDX-License-Identifier: MIT
#include "core/ws/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGE_MAX 4096

/* What one way of feeding led to: a digest of all that was reported. */
struct outcome {
	uint64_t events;
	int code;
};

static void on_message(void *arg, enum ws_opcode opcode, const char *data, size_t len)
{
	struct outcome *o = arg;

	if (data[len])
		BUG("payload is not terminated");
	if (opcode == WS_TEXT && !utf8_valid(data, len))
		BUG("text of %zu bytes is not UTF-8", len);
	if (opcode >= WS_CLOSE ? len > 125 : len > MESSAGE_MAX)
		BUG("%zu bytes are too many for opcode %d", len, opcode);
	if (opcode == WS_CLOSE && len == 1)
		BUG("close of one byte");
	o->events = (o->events ^ (uint64_t)opcode) * 0x100000001b3u;
	for (size_t i = 0; i < len; i++)
		o->events = (o->events ^ (uint8_t)data[i]) * 0x100000001b3u;
}

/* piece: bytes at a time, 0: all. */
static struct outcome feed(const uint8_t *data, size_t size, bool masked, size_t piece)
{
	struct outcome o = {.events = 1};
	struct ws_parser p;
	const char *why;

	ws_parser_init(&p, masked, MESSAGE_MAX);
	for (size_t at = 0; at < size && !o.code;) {
		size_t n = !piece || piece > size - at ? size - at : piece;
		/* A copy without a byte to spare, so that a step past it is seen. */
		uint8_t *exact = xmalloc(n);

		memcpy(exact, data + at, n);
		o.code = ws_parser_feed(&p, exact, n, on_message, &o, &why);
		free(exact);
		at += n;
	}
	ws_parser_finish(&p);
	return o;
}

/* The first byte says which role reads. However the bytes come, the same must be heard. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, bytes, pieces;
	bool masked;

	if (!size)
		return 0;
	masked = data[0] & 1;
	whole = feed(data + 1, size - 1, masked, 0);
	bytes = feed(data + 1, size - 1, masked, 1);
	pieces = feed(data + 1, size - 1, masked, 1 + data[0] % 23);
	if (whole.events != bytes.events || whole.code != bytes.code ||
		whole.events != pieces.events || whole.code != pieces.code)
		BUG("the same bytes in other pieces gave %d, %d, %d", whole.code, bytes.code,
			pieces.code);
	return 0;
}
