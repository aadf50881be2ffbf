// SPDX-License-Identifier: MIT
#include "world.h"

#include <unistd.h>

/* Packages' files stacked over the host's, in the build root of one run. */

static void put_file(struct world *w, const char *layer, const char *path, const char *text)
{
	char *full = xasprintf("%s/%s", layer, path), *slash = strrchr(full, '/');
	struct strbuf err = STRBUF_INIT;

	*slash = '\0';
	CHECK(!dir_create(full, 0755, &err), "%s", err.buf);
	*slash = '/';
	CHECK(!file_write_atomic(full, text, strlen(text), 0755, &err), "%s", err.buf);
	strbuf_finish(&err);
	free(full);
}

static void with_layers(struct world *w, const char *const *layers, size_t count,
	const char *script, struct outcome *o)
{
	char *work = xasprintf("%s/layered", sandbox_slot_dir(w->sb, 1));
	const char *argv[] = {"sh", "-c", script, NULL};
	struct run_spec spec = {.slot = 1,
		.name = "layered",
		.argv = argv,
		.work = work,
		.layers = layers,
		.layer_count = count,
		.wipe = true};

	outcome_start(w, &spec, o);
	outcome_wait(o);
	free(work);
}

static void layers_lie_over_the_hosts_usr_and_etc(struct world *w)
{
	char *lower = xasprintf("%s/lower", w->data), *upper = xasprintf("%s/upper", w->data);
	const char *layers[] = {upper, lower};
	struct outcome o;

	put_file(w, lower, "usr/bin/from-layer", "#!/bin/sh\necho lower\n");
	put_file(w, lower, "usr/share/only-lower", "1\n");
	put_file(w, lower, "etc/rpm/macros.lower", "lower\n");
	put_file(w, lower, "etc/layered.conf", "lower\n");
	put_file(w, upper, "usr/bin/from-layer", "#!/bin/sh\necho upper\n");
	put_file(w, upper, "etc/layered.conf", "upper\n");
	put_file(w, upper, "etc/rpm/macros.upper", "upper\n");
	put_file(w, upper, "etc/passwd", "not this one\n");
	with_layers(w, layers, 2,
		"from-layer; cat /usr/share/only-lower /etc/layered.conf /etc/rpm/macros.lower "
		"/etc/rpm/macros.upper; grep -c build: /etc/passwd; ls /usr/bin/env "
		"/etc/alternatives/awk;"
		"echo $PKG_CONFIG_PATH; (echo x > /usr/x) 2>/dev/null || echo read-only;"
		"(echo x > /etc/rpm/x) 2>/dev/null || echo read-only",
		&o);
	CHECK(o.end == RUN_EXITED && !o.code, "end %d: %s", o.end, o.why);
	CHECK(!strcmp(o.output.buf,
		      "upper\n1\nupper\nlower\nupper\n1\n/etc/alternatives/awk\n/usr/bin/env\n"
		      "/usr/lib64/pkgconfig:/usr/share/pkgconfig\nread-only\nread-only\n"),
		"output: %s", o.output.buf);
	outcome_finish(&o);
	free(lower);
	free(upper);
}

static void a_library_of_a_layer_is_found_by_the_loader(struct world *w)
{
	static const char code[] = "int layered(void);\nint layered(void)\n{\n\treturn 42;\n}\n";
	char *layer = xasprintf("%s/layer", w->data);
	char *build = xasprintf("cd %s && mkdir -p usr/lib64 && "
				"cc -shared -fPIC -Wl,-soname,liblayered.so.1 -o "
				"usr/lib64/liblayered.so.1 lib.c && "
				"ln -s liblayered.so.1 usr/lib64/liblayered.so",
		layer);
	const char *layers[] = {layer};
	struct outcome o;

	put_file(w, layer, "lib.c", code);
	CHECK(!system(build), "no compiler");
	with_layers(w, layers, 1,
		"printf 'int layered(void); int main(void) { return layered() - 42; }' > m.c &&"
		"cc -o m m.c -L/usr/lib64 -llayered && ./m && echo found",
		&o);
	CHECK(!strcmp(o.output.buf, "found\n"), "output: %s", o.output.buf);
	outcome_finish(&o);
	free(build);
	free(layer);
}

static void as_many_layers_as_the_limit_says_are_stacked(struct world *w)
{
	static char *layers[RUN_LAYERS_MAX + 1];
	struct outcome o;

	for (int i = 0; i <= RUN_LAYERS_MAX; i++) {
		char name[64];

		layers[i] =
			xasprintf("%s/a-rather-long-name-for-the-folder-of-a-layer-%d", w->data, i);
		snprintf(name, sizeof(name), "usr/share/layered/%d", i);
		put_file(w, layers[i], name, "x");
	}
	with_layers(w, (const char *const *)layers, RUN_LAYERS_MAX, "ls /usr/share/layered | wc -l",
		&o);
	CHECK(o.end == RUN_EXITED && atoi(o.output.buf) == RUN_LAYERS_MAX, "%s %s", o.why,
		o.output.buf);
	outcome_finish(&o);
	with_layers(w, (const char *const *)layers, RUN_LAYERS_MAX + 1, "true", &o);
	CHECK(o.end == RUN_BROKEN && strstr(o.why, "500 packages in its root and 499 can be"),
		"why: %s", o.why);
	outcome_finish(&o);
	for (int i = 0; i <= RUN_LAYERS_MAX; i++)
		free(layers[i]);
}

static void a_layer_that_is_missing_is_named(struct world *w)
{
	const char *layers[] = {"/nonexistent/layer"};
	struct outcome o;

	with_layers(w, layers, 1, "true", &o);
	CHECK(o.end == RUN_BROKEN && strstr(o.why, "the layer /nonexistent/layer cannot"),
		"end %d: %s", o.end, o.why);
	outcome_finish(&o);
}

static void put_link(struct world *w, const char *text, const char *layer, const char *path)
{
	char *full = xasprintf("%s/%s", layer, path);
	struct strbuf err = STRBUF_INIT;

	CHECK(!dir_create(layer, 0755, &err), "%s", err.buf);
	CHECK(!symlink(text, full), "%s: %s", full, strerror(errno));
	strbuf_finish(&err);
	free(full);
}

/* Layers are put together where the host's files can be seen; what a package says there must stay its own. */
static void links_in_a_layer_do_not_lead_to_the_host(struct world *w)
{
	char *host = xasprintf("%s/host", w->data), *etc = xasprintf("%s/etc-is-a-link", w->data);
	char *below = xasprintf("%s/links-below", w->data),
	     *usr = xasprintf("%s/usr-link", w->data);
	const char *layers[] = {etc, below, usr};
	struct outcome o;

	put_file(w, host, "of-the-host", "x\n");
	put_file(w, host, "rpm/of-the-host", "x\n");
	put_file(w, host, "lib64/libhost.so", "x\n");
	put_link(w, host, etc, "etc");
	put_file(w, below, "etc/rpm/macros.layer", "layer\n");
	put_link(w, host, below, "etc/rpm/link");
	put_link(w, host, below, "etc/link");
	put_link(w, host, usr, "usr");
	with_layers(w, layers, countof(layers),
		"cat /etc/rpm/macros.layer; readlink /etc/link | grep -c host$;"
		"find /etc /usr/lib64/ -follow -name '*of-the-host' -o -follow -name libhost.so "
		"2>/dev/null;"
		"ls /etc/link/ /etc/rpm/link/ 2>/dev/null; readlink /etc/ld.so.cache",
		&o);
	CHECK(o.end == RUN_EXITED, "end %d: %s", o.end, o.why);
	CHECK(!strcmp(o.output.buf, "layer\n1\n"), "output: %s", o.output.buf);
	outcome_finish(&o);
	free(host);
	free(etc);
	free(below);
	free(usr);
}

static const struct scenario scenarios[] = {
	SCENARIO(layers_lie_over_the_hosts_usr_and_etc),
	SCENARIO(a_library_of_a_layer_is_found_by_the_loader),
	SCENARIO(as_many_layers_as_the_limit_says_are_stacked),
	SCENARIO(a_layer_that_is_missing_is_named),
	SCENARIO(links_in_a_layer_do_not_lead_to_the_host),
};

int main(void)
{
	return world_run_all(scenarios, countof(scenarios));
}
