// SPDX-License-Identifier: MIT
#include <ctype.h>
#include "apps/packages/resolve.h"

/* Turns the text between the parentheses into (a part of) a name; false: not this way. */
typedef bool spell_fn(const char *text, size_t len, struct strbuf *out);

static bool spell_as_is(const char *text, size_t len, struct strbuf *out)
{
	strbuf_add(out, text, len);
	return true;
}

static bool spell_lower(const char *text, size_t len, struct strbuf *out)
{
	for (size_t i = 0; i < len; i++)
		strbuf_addch(out, (char)tolower((unsigned char)text[i]));
	return true;
}

/* "zope.interface[test]" as distributions spell it: "zope-interface". */
static bool spell_python(const char *text, size_t len, struct strbuf *out)
{
	for (size_t i = 0; i < len && text[i] != '['; i++)
		strbuf_addch(
			out, strchr("._", text[i]) ? '-' : (char)tolower((unsigned char)text[i]));
	return true;
}

/* "File::Temp": "File-Temp" */
static bool spell_perl(const char *text, size_t len, struct strbuf *out)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == ':' && i + 1 < len && text[i + 1] == ':') {
			strbuf_addch(out, '-');
			i++;
		} else {
			strbuf_addch(out, text[i]);
		}
	}
	return true;
}

/* Where the "-2.0" of "glib-2.0" starts; len when there is none. */
static size_t api_version(const char *text, size_t len)
{
	size_t i = len;

	while (i > 0 && (isdigit((unsigned char)text[i - 1]) || text[i - 1] == '.'))
		i--;
	return i > 1 && i < len && text[i - 1] == '-' ? i - 1 : len;
}

static void add_stem(const char *text, size_t len, struct strbuf *out)
{
	while (len > 1 && text[len - 1] == '+')
		len--;
	strbuf_add(out, text, len);
}

/* "gtk+-3.0": "gtk3" */
static bool spell_with_major(const char *text, size_t len, struct strbuf *out)
{
	size_t at = api_version(text, len);

	if (at == len)
		return false;
	add_stem(text, at, out);
	for (size_t i = at + 1; i < len && text[i] != '.'; i++)
		strbuf_addch(out, text[i]);
	return true;
}

/* "gtk+-3.0": "gtk" */
static bool spell_without_version(const char *text, size_t len, struct strbuf *out)
{
	size_t at = api_version(text, len);

	if (at == len)
		return false;
	add_stem(text, at, out);
	return true;
}

/* Up to the slash of a feature: "serde/derive". */
static bool spell_crate(const char *text, size_t len, struct strbuf *out)
{
	const char *slash = memchr(text, '/', len);

	strbuf_add(out, text, slash ? (size_t)(slash - text) : len);
	return true;
}

/* In the order in which they are tried; what `*` stands for is what spell makes of the text. */
static const struct guess {
	const char *kind; /* before the parenthesis; "python#dist": with any version in it */
	spell_fn *spell;
	const char *name;
} guesses[] = {
	{"pkgconfig", spell_as_is, "*-devel"},
	{"pkgconfig", spell_as_is, "lib*-devel"},
	{"pkgconfig", spell_with_major, "*-devel"},
	{"pkgconfig", spell_without_version, "*-devel"},
	{"pkgconfig", spell_without_version, "lib*-devel"},
	{"pkgconfig", spell_as_is, "*"},
	{"cmake", spell_as_is, "*-devel"},
	{"cmake", spell_lower, "*-devel"},
	{"cmake", spell_lower, "lib*-devel"},
	{"cmake", spell_as_is, "*"},
	{"cmake", spell_lower, "*"},
	{"python#dist", spell_python, "python3-*"},
	{"python#dist", spell_python, "python-*"},
	{"python#dist", spell_python, "*"},
	{"perl", spell_perl, "perl-*"},
	{"rubygem", spell_as_is, "rubygem-*"},
	{"npm", spell_as_is, "nodejs-*"},
	{"crate", spell_crate, "rust-*-devel"},
	{"crate", spell_crate, "rust-*"},
};

static bool kind_matches(const char *kind, const char *name, size_t len)
{
	size_t before = strcspn(kind, "#");
	const char *after = kind + before + (kind[before] == '#');

	if (kind[before] != '#')
		return before == len && !memcmp(kind, name, len);
	return len >= before + strlen(after) && !memcmp(kind, name, before) &&
	       strspn(name + before, "0123456789.") == len - before - strlen(after) &&
	       !memcmp(name + len - strlen(after), after, strlen(after));
}

bool wellknown_name(const char *name, unsigned i, struct strbuf *ret_name)
{
	const char *open = strchr(name, '('), *close = open ? strchr(open, ')') : NULL;

	if (!close || close == open + 1)
		return false;
	for (size_t g = 0; g < countof(guesses); g++) {
		struct strbuf spelt = STRBUF_INIT;
		bool fits = kind_matches(guesses[g].kind, name, (size_t)(open - name)) &&
			    guesses[g].spell(open + 1, (size_t)(close - open - 1), &spelt);

		if (fits && i-- == 0) {
			const char *star = strchr(guesses[g].name, '*');

			strbuf_reset(ret_name);
			strbuf_add(ret_name, guesses[g].name, (size_t)(star - guesses[g].name));
			strbuf_addstr(ret_name, spelt.buf);
			strbuf_addstr(ret_name, star + 1);
			strbuf_finish(&spelt);
			return true;
		}
		strbuf_finish(&spelt);
	}
	return false;
}
