# SPDX-License-Identifier: MIT
NAME = ledger
OBJECTS = ledger-parse.o ledger-write.o ledger-query.o
HEADERS = ledger.h
REQUIRES = grain glyph
TESTS = ledger-test
TEST_REQUIRES = plumb

include library.mk
