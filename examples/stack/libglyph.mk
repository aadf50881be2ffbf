# SPDX-License-Identifier: MIT
NAME = glyph
OBJECTS = glyph-utf8.o glyph-property.o
HEADERS = glyph.h
TESTS = glyph-test

include library.mk

glyph-tables: glyph-tables.c
	$(CC) $(OUR_CFLAGS) -O1 -o $@ $<

glyph-tables.h: glyph-tables
	./glyph-tables > $@

glyph-property.o: glyph-tables.h
