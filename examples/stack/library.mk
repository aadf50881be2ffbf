# SPDX-License-Identifier: MIT
# How a shared library is built, tested and installed. The library's own .mk sets
#   NAME           grain makes libgrain.so
#   OBJECTS        what it is linked from
#   HEADERS        what it installs
#   REQUIRES       the pkg-config names that it needs, if any
#   TESTS          its test programs, TEST_REQUIRES what only they need
# and the spec gives VERSION, CFLAGS, LDFLAGS and the folders.

PREFIX ?= /usr
LIBDIR ?= $(PREFIX)/lib64
INCLUDEDIR ?= $(PREFIX)/include
INSTALL ?= install -p
PKG_CONFIG ?= pkg-config
CC = gcc
CFLAGS ?= -O2 -g

SONAME = lib$(NAME).so.$(firstword $(subst ., ,$(VERSION)))
LIBRARY = lib$(NAME).so.$(VERSION)
OUR_CFLAGS = -std=c11 -D_GNU_SOURCE -Wall -Wextra -fPIC -fvisibility=default -I.

# $(call ask,FLAG,NAMES) is what pkg-config says; what it does not know ends the build.
ask = $(if $(strip $2),$(if $(shell $(PKG_CONFIG) --exists --print-errors $2 || echo no),\
	$(error one of "$(strip $2)" is missing),$(shell $(PKG_CONFIG) $1 $2)))
NEED_CFLAGS := $(call ask,--cflags,$(REQUIRES))
NEED_LIBS := $(call ask,--libs,$(REQUIRES))

all: $(LIBRARY) $(NAME).pc

%.o: %.c $(wildcard *.h)
	$(CC) $(OUR_CFLAGS) $(NEED_CFLAGS) $(CFLAGS) -c -o $@ $<

$(LIBRARY): $(OBJECTS)
	$(CC) -shared -Wl,-soname,$(SONAME) -Wl,-z,defs $(CFLAGS) $(LDFLAGS) -o $@ $^ $(NEED_LIBS)
	ln -sf $(LIBRARY) $(SONAME)
	ln -sf $(LIBRARY) lib$(NAME).so

$(NAME).pc: $(NAME).pc.in
	sed -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
		-e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' $< > $@

$(TESTS): %: %.c $(LIBRARY)
	$(CC) $(OUR_CFLAGS) $(NEED_CFLAGS) $(call ask,--cflags,$(TEST_REQUIRES)) $(CFLAGS) $(LDFLAGS) \
		-o $@ $< -L. -l$(NAME) $(NEED_LIBS) $(call ask,--libs,$(TEST_REQUIRES))

check: $(TESTS)
	@set -e; for test in $(TESTS); do \
		LD_LIBRARY_PATH=.$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH} ./$$test; done

install: all
	$(INSTALL) -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)
	$(INSTALL) -m 0755 $(LIBRARY) $(DESTDIR)$(LIBDIR)
	ln -s $(LIBRARY) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -s $(LIBRARY) $(DESTDIR)$(LIBDIR)/lib$(NAME).so
	$(INSTALL) -m 0644 $(NAME).pc $(DESTDIR)$(LIBDIR)/pkgconfig
	$(INSTALL) -m 0644 $(HEADERS) $(DESTDIR)$(INCLUDEDIR)

.PHONY: all check install
.DELETE_ON_ERROR:
