// SPDX-License-Identifier: MIT
/* cairnsum: prints checksums of files, or checks a list of them. */
#include <cairn.h>
#include <errno.h>
#include <getopt.h>
#include <grain.h>
#include <stdio.h>
#include <string.h>

static void sum_crc32(const struct grain_buf *b, char *ret_hex)
{
	sprintf(ret_hex, "%08x", cairn_crc32(CAIRN_CRC_START, b->data, b->len));
}

static void sum_crc32c(const struct grain_buf *b, char *ret_hex)
{
	sprintf(ret_hex, "%08x", cairn_crc32c(CAIRN_CRC_START, b->data, b->len));
}

static void sum_adler32(const struct grain_buf *b, char *ret_hex)
{
	sprintf(ret_hex, "%08x", cairn_adler32(CAIRN_ADLER_START, b->data, b->len));
}

static void sum_sha256(const struct grain_buf *b, char *ret_hex)
{
	unsigned char digest[CAIRN_SHA256_SIZE];

	cairn_sha256(b->data, b->len, digest);
	cairn_hex(digest, sizeof(digest), ret_hex);
}

struct algorithm {
	const char *name;
	void (*sum)(const struct grain_buf *b, char *ret_hex);
};

static const struct algorithm algorithms[] = {
	{"sha256", sum_sha256},
	{"crc32", sum_crc32},
	{"crc32c", sum_crc32c},
	{"adler32", sum_adler32},
};

static const struct algorithm *algorithm_find(const char *name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

static int file_sum(const struct algorithm *a, const char *path, char *ret_hex)
{
	struct grain_buf bytes = GRAIN_BUF_INIT;
	int r = grain_file_read(path, &bytes);

	if (r == 0)
		a->sum(&bytes, ret_hex);
	else
		fprintf(stderr, "cairnsum: %s: %s\n", path, strerror(-r));
	grain_buf_finish(&bytes);
	return r;
}

static int print_sum(const struct algorithm *a, const char *path)
{
	char hex[2 * CAIRN_SHA256_SIZE + 1];
	int r = file_sum(a, path, hex);

	if (r == 0)
		printf("%s  %s\n", hex, path);
	return r;
}

/* A line is a sum, two spaces (or a space and a star) and a path. */
static int check_line(const struct algorithm *a, char *line)
{
	char *path = strchr(line, ' '), hex[2 * CAIRN_SHA256_SIZE + 1];

	if (!path || (path[1] != ' ' && path[1] != '*')) {
		fprintf(stderr, "cairnsum: this is not a sum and a path: %s\n", line);
		return -EBADMSG;
	}
	*path = '\0';
	path += 2;
	if (file_sum(a, path, hex) < 0)
		return -ENOENT;
	printf("%s: %s\n", path, strcmp(hex, line) == 0 ? "OK" : "FAILED");
	return strcmp(hex, line) == 0 ? 0 : -EBADMSG;
}

static int check_list(const struct algorithm *a, const char *path)
{
	struct grain_buf list = GRAIN_BUF_INIT;
	int r = grain_file_read(path, &list), failed = 0;
	char *rest = list.data, *line;

	if (r < 0)
		fprintf(stderr, "cairnsum: %s: %s\n", path, strerror(-r));
	while (r == 0 && (line = strsep(&rest, "\n")))
		if (*line && check_line(a, line) < 0)
			failed++;
	if (failed > 0)
		fprintf(stderr, "cairnsum: %d of the files in %s are wrong\n", failed, path);
	grain_buf_finish(&list);
	return failed > 0 ? -EBADMSG : r;
}

static int usage(FILE *to, int status)
{
	fputs("usage: cairnsum [-a ALGORITHM] FILE...\n"
	      "       cairnsum [-a ALGORITHM] -c LIST...\n"
	      "\n"
	      "Prints the checksums of files, or checks the lists that it printed.\n"
	      "  -a, --algorithm   sha256 (default), crc32, crc32c or adler32\n"
	      "  -c, --check       check the files that the lists name\n"
	      "      --version     print the version\n",
		to);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"algorithm", required_argument, NULL, 'a'},
		{"check", no_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'}, {0}};
	const struct algorithm *algorithm = &algorithms[0];
	int (*act)(const struct algorithm *a, const char *path) = print_sum;
	int option, status = 0;

	while ((option = getopt_long(argc, argv, "a:ch", options, NULL)) != -1) {
		if (option == 'a' && !(algorithm = algorithm_find(optarg))) {
			fprintf(stderr, "cairnsum: there is no algorithm \"%s\"\n", optarg);
			return 2;
		}
		if (option == 'c')
			act = check_list;
		if (option == 'h')
			return usage(stdout, 0);
		if (option == 'v')
			return printf("cairnsum %s\n", VERSION) < 0;
		if (option == '?')
			return usage(stderr, 2);
	}
	if (optind == argc)
		return usage(stderr, 2);
	for (; optind < argc; optind++)
		if (act(algorithm, argv[optind]) < 0)
			status = 1;
	return status;
}
