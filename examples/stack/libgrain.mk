# SPDX-License-Identifier: MIT
NAME = grain
OBJECTS = grain-buf.o grain-num.o grain-map.o grain-file.o
HEADERS = grain.h
TESTS = grain-test

include library.mk
