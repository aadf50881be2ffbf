# SPDX-License-Identifier: MIT
NAME = wick
OBJECTS = wick-filter.o wick-render.o
HEADERS = wick.h
REQUIRES = grain glyph
TESTS = wick-test
TEST_REQUIRES = plumb

include library.mk
