# SPDX-License-Identifier: MIT
NAME = strand
OBJECTS = strand-match.o strand-code.o strand-pack.o strand-unpack.o
HEADERS = strand.h
REQUIRES = grain cairn
TESTS = strand-test
TEST_REQUIRES = plumb

include library.mk
