# SPDX-License-Identifier: MIT
NAME = tabula
OBJECTS = tabula.o
REQUIRES = ledger

include program.mk
