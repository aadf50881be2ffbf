// SPDX-License-Identifier: MIT
#include "apps/packages/rich.h"

struct parser {
	struct arena *arena;
	const char *p; /* what is left */
	bool soft;
	unsigned depth;
	struct strbuf *err;
};

static const struct {
	const char *word;
	enum rich_op op;
} operators[] = {
	{"and", RICH_AND},
	{"or", RICH_OR},
	{"with", RICH_WITH},
	{"without", RICH_WITHOUT},
	{"if", RICH_IF},
	{"unless", RICH_UNLESS},
};

static struct rich *rich_group(struct parser *ps);

static void skip_blanks(struct parser *ps)
{
	ps->p += strspn(ps->p, " \t\n");
}

/* Up to a blank or a parenthesis that the word did not open: "pkgconfig(zlib)" is one word. */
static size_t word_length(const char *p)
{
	unsigned open = 0;
	size_t n = 0;

	for (; p[n] && !strchr(" \t\n", p[n]); n++) {
		if (p[n] == '(')
			open++;
		else if (p[n] == ')' && open-- == 0)
			break;
	}
	return n;
}

static struct rich *refuse(struct parser *ps, const char *what)
{
	err_set(ps->err, -EINVAL, "%s at \"%.40s\"", what, ps->p);
	return NULL;
}

/* name [comparison version] */
static struct rich *rich_atom(struct parser *ps)
{
	struct rich *node = arena_alloc(ps->arena, sizeof(*node));
	size_t len = word_length(ps->p), signs;

	if (len == 0)
		return refuse(ps, "a name is missing");
	node->atom.name = arena_strndup(ps->arena, ps->p, len);
	node->atom.version = "";
	node->atom.soft = ps->soft;
	ps->p += len;
	skip_blanks(ps);
	signs = strspn(ps->p, "<>=");
	if (signs == 0)
		return node;
	node->atom.flags = capability_flags(ps->p, signs);
	ps->p += signs;
	skip_blanks(ps);
	len = word_length(ps->p);
	if (len == 0)
		return refuse(ps, "a version is missing");
	node->atom.version = arena_strndup(ps->arena, ps->p, len);
	ps->p += len;
	return node;
}

static struct rich *rich_operand(struct parser *ps)
{
	struct rich *node;

	skip_blanks(ps);
	node = *ps->p == '(' ? rich_group(ps) : rich_atom(ps);
	skip_blanks(ps);
	return node;
}

/* Takes the word if it is an operator. */
static bool take_operator(struct parser *ps, enum rich_op *ret_op)
{
	size_t len = word_length(ps->p);

	for (size_t i = 0; i < countof(operators); i++) {
		if (strlen(operators[i].word) == len && !memcmp(operators[i].word, ps->p, len)) {
			*ret_op = operators[i].op;
			ps->p += len;
			return true;
		}
	}
	return false;
}

static bool is_condition(enum rich_op op)
{
	return op == RICH_IF || op == RICH_UNLESS;
}

/* "left if condition [else other]", from the condition on. */
static struct rich *rich_condition(struct parser *ps, struct rich *node)
{
	struct rich *left = node->first;

	left->next = rich_operand(ps);
	if (!left->next)
		return NULL;
	if (word_length(ps->p) == 4 && !memcmp(ps->p, "else", 4)) {
		ps->p += 4;
		left->next->next = rich_operand(ps);
		if (!left->next->next)
			return NULL;
	}
	return node;
}

/* "left op b [op c]…", from b on: a chain has one operator. */
static struct rich *rich_chain(struct parser *ps, struct rich *node)
{
	struct rich *last = node->first;

	for (;;) {
		enum rich_op op;

		last->next = rich_operand(ps);
		if (!last->next)
			return NULL;
		last = last->next;
		if (*ps->p == ')')
			return node;
		if (!take_operator(ps, &op))
			return refuse(ps, "and, or, with, without or ) is missing");
		if (op != node->op)
			return refuse(ps, "two operators need parentheses");
	}
}

/* "(operand)" or "(operand op operand …)" */
static struct rich *rich_group(struct parser *ps)
{
	struct rich *node, *first;

	if (++ps->depth > RICH_DEPTH_MAX)
		return refuse(ps, "more than 32 parentheses inside each other");
	ps->p++;
	first = node = rich_operand(ps);
	if (!node)
		return NULL;
	if (*ps->p != ')') {
		node = arena_alloc(ps->arena, sizeof(*node));
		node->first = first;
		if (!take_operator(ps, &node->op))
			return refuse(ps, "and, or, with, without, if, unless or ) is missing");
		node = is_condition(node->op) ? rich_condition(ps, node) : rich_chain(ps, node);
		if (!node)
			return NULL;
	}
	if (*ps->p != ')')
		return refuse(ps, ") is missing");
	ps->p++;
	ps->depth--;
	return node;
}

struct rich *rich_parse(struct arena *arena, const struct capability *need, struct strbuf *err)
{
	struct parser ps = {.arena = arena, .p = need->name, .soft = need->soft, .err = err};
	struct rich *node = rich_group(&ps);

	if (node && *ps.p)
		return refuse(&ps, "text after the last parenthesis");
	return node;
}
