// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stands in for libFuzzer: gives every file of the folders in argv to the target once. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *read_whole(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long size;

	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0) {
		rewind(file);
		data = malloc(size ? (size_t)size
				   : 1); /* no byte to spare, so that ASan sees a step past */
		*ret_size = data ? fread(data, 1, (size_t)size, file) : 0;
	}
	fclose(file);
	return data;
}

/* The number of files that were given, or -1. */
static int replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir))) {
		char path[4096];
		uint8_t *data;
		size_t size;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		data = read_whole(path, &size);
		if (!data) {
			fprintf(stderr, "%s cannot be read\n", path);
			return -1;
		}
		fprintf(stderr, "%s, %zu bytes\n", path, size);
		LLVMFuzzerTestOneInput(data, size);
		free(data);
		count++;
	}
	if (dir)
		closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (replay_folder(argv[i]) <= 0) {
			fprintf(stderr, "%s holds no inputs\n", argv[i]);
			return 1;
		}
	}
	return argc > 1 ? 0 : 1;
}
