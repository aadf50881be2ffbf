// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "strand-impl.h"

/* 0 to 3 stand for themselves; above, two buckets for each power of two. */
struct bucket bucket_of_value(uint32_t value)
{
	unsigned int power = 1;

	if (value < 4)
		return (struct bucket){value, value, 0};
	while (value >> power > 1)
		power++;
	return bucket_of_number(2 * power + (value >> (power - 1) & 1));
}

struct bucket bucket_of_number(unsigned int number)
{
	if (number < 4)
		return (struct bucket){number, number, 0};
	return (struct bucket){number, (2 | (number & 1)) << (number / 2 - 1), number / 2 - 1};
}

struct node {
	uint32_t weight;
	uint16_t symbol;
	uint16_t parent;
};

static int lighter_first(const void *a, const void *b)
{
	const struct node *one = a, *other = b;

	if (one->weight != other->weight)
		return one->weight < other->weight ? -1 : 1;
	return (int)one->symbol - (int)other->symbol;
}

/* The lightest node without a parent, from the leaves or from the joined ones. */
static size_t take_lightest(
	const struct node *nodes, size_t leaves, size_t end, size_t *leaf, size_t *joined)
{
	if (*joined >= end || (*leaf < leaves && nodes[*leaf].weight <= nodes[*joined].weight))
		return (*leaf)++;
	return (*joined)++;
}

/* Joins the two lightest until one is left, which is the last of the nodes; returns how many. */
static size_t join_nodes(struct node *nodes, size_t leaves)
{
	size_t leaf = 0, joined = leaves, end = leaves;

	while (end < 2 * leaves - 1) {
		size_t a = take_lightest(nodes, leaves, end, &leaf, &joined);
		size_t b = take_lightest(nodes, leaves, end, &leaf, &joined);

		nodes[end].weight = nodes[a].weight + nodes[b].weight;
		nodes[a].parent = nodes[b].parent = (uint16_t)end;
		end++;
	}
	return end;
}

static unsigned int set_depths(
	const struct node *nodes, size_t leaves, size_t end, unsigned char *ret_lengths)
{
	unsigned int depth[2 * SYMBOLS], deepest = 0;

	depth[end - 1] = 0;
	for (size_t i = end - 1; i-- > 0;) {
		depth[i] = depth[nodes[i].parent] + 1;
		if (i >= leaves)
			continue;
		ret_lengths[nodes[i].symbol] = (unsigned char)depth[i];
		if (depth[i] > deepest)
			deepest = depth[i];
	}
	return deepest;
}

void code_lengths(const uint32_t *frequency, size_t count, unsigned char *ret_lengths)
{
	struct node nodes[2 * SYMBOLS];
	unsigned int flatten = 0, deepest;

	do {
		size_t leaves = 0;

		for (size_t i = 0; i < count; i++)
			if (frequency[i] > 0)
				nodes[leaves++] = (struct node){
					(frequency[i] >> flatten) + 1, (uint16_t)i, 0};
		memset(ret_lengths, 0, count);
		if (leaves < 2) {
			if (leaves == 1)
				ret_lengths[nodes[0].symbol] = 1;
			return;
		}
		qsort(nodes, leaves, sizeof(*nodes), lighter_first);
		deepest = set_depths(nodes, leaves, join_nodes(nodes, leaves), ret_lengths);
		flatten++;
	} while (deepest > CODE_MAX);
}

void code_words(const unsigned char *lengths, size_t count, uint16_t *ret_words)
{
	uint16_t word = 0;

	for (unsigned int length = 1; length <= CODE_MAX; length++) {
		for (size_t i = 0; i < count; i++)
			if (lengths[i] == length)
				ret_words[i] = word++;
		word = (uint16_t)(word << 1);
	}
}

int decoder_init(struct decoder *d, const unsigned char *lengths, size_t count)
{
	uint32_t next = 0;
	uint16_t known = 0;

	for (unsigned int length = 1; length <= CODE_MAX; length++) {
		d->first[length] = next;
		d->offset[length] = known;
		for (size_t i = 0; i < count; i++) {
			if (lengths[i] != length)
				continue;
			d->symbols[known++] = (uint16_t)i;
			next += 1u << (CODE_MAX - length);
		}
		if (next > 1u << CODE_MAX)
			return -EBADMSG;
		d->limit[length] = next;
	}
	return 0;
}
