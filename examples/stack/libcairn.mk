# SPDX-License-Identifier: MIT
NAME = cairn
OBJECTS = cairn-crc.o cairn-adler.o cairn-sha256.o
HEADERS = cairn.h
TESTS = cairn-test

include library.mk

cairn-tables: cairn-tables.c
	$(CC) $(OUR_CFLAGS) -O1 -o $@ $<

cairn-tables.h: cairn-tables
	./cairn-tables > $@

cairn-crc.o: cairn-tables.h
