// SPDX-License-Identifier: MIT
#include <errno.h>
#include <plumb.h>
#include <unistd.h>

#include "hamper.h"

#define ARCHIVE "hamper-lib-test.tmp"

static const char *const samples[] = {
	"prose.txt", "greetings.txt", "stations.csv", "numbers.txt", "zeros.bin", "noise.bin"};

enum {
	SAMPLES = sizeof(samples) / sizeof(*samples),
	MANY = 20000,
};

static struct grain_buf err;

static void read_sample(const char *name, struct grain_buf *b)
{
	const char *folder = getenv("SAMPLES");
	struct grain_buf path = GRAIN_BUF_INIT;

	grain_buf_addf(&path, "%s/%s", folder ? folder : "/usr/share/hamper/samples", name);
	grain_buf_reset(b);
	plumb_check(grain_file_read(path.data, b) == 0);
	grain_buf_finish(&path);
}

static void pack_samples(int level)
{
	struct grain_buf sample = GRAIN_BUF_INIT;
	struct hamper_packer p;

	plumb_check(hamper_packer_init(&p, level, &err) == 0);
	for (size_t i = 0; i < SAMPLES; i++) {
		read_sample(samples[i], &sample);
		plumb_check(hamper_packer_add(
				    &p, samples[i], 0640, sample.data, sample.len, &err) == 0);
	}
	plumb_check(hamper_packer_write(&p, ARCHIVE, &err) == 0);
	hamper_packer_finish(&p);
	grain_buf_finish(&sample);
}

static void samples_come_out_as_they_went_in(void)
{
	struct grain_buf sample = GRAIN_BUF_INIT, out = GRAIN_BUF_INIT;

	for (int level = 1; level <= 9; level++) {
		struct hamper h;

		pack_samples(level);
		plumb_check(hamper_open(ARCHIVE, &h, &err) == 0 && h.count == SAMPLES);
		for (size_t i = 0; i < SAMPLES; i++) {
			read_sample(samples[i], &sample);
			grain_buf_reset(&out);
			plumb_check(hamper_read(&h.entries[i], &out, &err) == 0);
			plumb_check_text(h.entries[i].name, samples[i]);
			plumb_check(h.entries[i].mode == 0640 && out.len == sample.len);
			plumb_check(memcmp(out.data, sample.data, out.len) == 0);
		}
		printf("      level %d: %zu bytes\n", level, h.bytes.len);
		fflush(stdout);
		hamper_close(&h);
	}
	grain_buf_finish(&sample);
	grain_buf_finish(&out);
}

static void many_files_fit(void)
{
	struct hamper_packer p;
	struct hamper h;

	plumb_check(hamper_packer_init(&p, 1, &err) == 0);
	for (uint64_t i = 1; i <= MANY; i++) {
		char name[64];

		snprintf(name, sizeof(name), "folder-%d/file-%d", (int)i % 100, (int)i);
		plumb_check(hamper_packer_add(&p, name, 0644, name, strlen(name), &err) == 0);
		plumb_progress(i, MANY, "files");
	}
	plumb_check(hamper_packer_write(&p, ARCHIVE, &err) == 0);
	hamper_packer_finish(&p);
	plumb_check(hamper_open(ARCHIVE, &h, &err) == 0 && h.count == MANY);
	for (size_t i = 0; i < h.count; i++) {
		struct grain_buf out = GRAIN_BUF_INIT;

		plumb_check(hamper_read(&h.entries[i], &out, &err) == 0);
		plumb_check_text(grain_buf_text(&out), h.entries[i].name);
		grain_buf_finish(&out);
	}
	hamper_close(&h);
}

static void check_name(const char *name, int expected)
{
	struct hamper_packer p;

	plumb_check(hamper_packer_init(&p, 5, &err) == 0);
	plumb_check(hamper_packer_add(&p, name, 0644, "x", 1, &err) == expected);
	if (expected == 0)
		plumb_check(hamper_packer_add(&p, name, 0644, "x", 1, &err) == -EEXIST);
	hamper_packer_finish(&p);
	grain_buf_reset(&err);
}

static void names_stay_below_the_folder(void)
{
	static const char *const good[] = {"a", "a/b", "..a", "a..", "...", ".a", "a b/\xc3\xa4"};
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..",
		"a/../b", "./a", "a\nb", "a\x7f"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		check_name(good[i], 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check_name(bad[i], -EINVAL);
}

/* Every bit of a small archive turned over once, and every way to cut it off. */
static void damage_is_refused(void)
{
	struct grain_buf bytes = GRAIN_BUF_INIT;
	struct hamper_packer p;
	struct hamper h;

	plumb_check(hamper_packer_init(&p, 9, &err) == 0);
	plumb_check(hamper_packer_add(&p, "a/b", 0600, "some text, some text", 20, &err) == 0);
	plumb_check(hamper_packer_write(&p, ARCHIVE, &err) == 0);
	hamper_packer_finish(&p);
	plumb_check(grain_file_read(ARCHIVE, &bytes) == 0);
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		bytes.data[bit / 8] ^= (char)(1 << bit % 8);
		plumb_check(grain_file_write(ARCHIVE, bytes.data, bytes.len, 0600) == 0);
		plumb_check(hamper_open(ARCHIVE, &h, &err) == -EBADMSG);
		bytes.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t len = 0; len < bytes.len; len++) {
		plumb_check(grain_file_write(ARCHIVE, bytes.data, len, 0600) == 0);
		plumb_check(hamper_open(ARCHIVE, &h, &err) == -EBADMSG);
	}
	printf("      %zu bits and %zu lengths\n", bytes.len * 8, bytes.len);
	plumb_check(unlink(ARCHIVE) == 0);
	plumb_check(hamper_open(ARCHIVE, &h, &err) == -ENOENT);
	grain_buf_finish(&bytes);
	grain_buf_finish(&err);
}

static const struct plumb_case cases[] = {
	{"the samples come out as they went in", samples_come_out_as_they_went_in},
	{"many files fit", many_files_fit},
	{"names stay below the folder", names_stay_below_the_folder},
	{"every flipped bit and every cut is refused", damage_is_refused},
};

PLUMB_MAIN("libhamper", cases)
