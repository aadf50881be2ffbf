# SPDX-License-Identifier: MIT
NAME = cairnsum
OBJECTS = cairnsum.o
REQUIRES = cairn grain

include program.mk
