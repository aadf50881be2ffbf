# SPDX-License-Identifier: MIT
NAME = hamper
OBJECTS = hamper-name.o hamper-packer.o hamper-archive.o
HEADERS = hamper.h
REQUIRES = strand cairn grain
TESTS = hamper-lib-test
TEST_REQUIRES = plumb

include library.mk
