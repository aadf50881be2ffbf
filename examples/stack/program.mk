# SPDX-License-Identifier: MIT
# How a program is built, tested and installed. The program's own .mk sets NAME, OBJECTS and
# REQUIRES (pkg-config names); NAME-test.sh is its test. The spec gives VERSION, CFLAGS, LDFLAGS
# and the folders.

PREFIX ?= /usr
BINDIR ?= $(PREFIX)/bin
INSTALL ?= install -p
PKG_CONFIG ?= pkg-config
CC = gcc
CFLAGS ?= -O2 -g

OUR_CFLAGS = -std=c11 -D_GNU_SOURCE -Wall -Wextra -DVERSION='"$(VERSION)"'

# $(call ask,FLAG,NAMES) is what pkg-config says; what it does not know ends the build.
ask = $(if $(strip $2),$(if $(shell $(PKG_CONFIG) --exists --print-errors $2 || echo no),\
	$(error one of "$(strip $2)" is missing),$(shell $(PKG_CONFIG) $1 $2)))
NEED_CFLAGS := $(call ask,--cflags,$(REQUIRES))
NEED_LIBS := $(call ask,--libs,$(REQUIRES))

all: $(NAME)

%.o: %.c $(wildcard *.h)
	$(CC) $(OUR_CFLAGS) $(NEED_CFLAGS) $(CFLAGS) -c -o $@ $<

$(NAME): $(OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(NEED_LIBS)

check: $(NAME)
	@PATH=$(CURDIR):$$PATH sh $(NAME)-test.sh

install: all
	$(INSTALL) -d $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 0755 $(NAME) $(DESTDIR)$(BINDIR)

.PHONY: all check install
.DELETE_ON_ERROR:
