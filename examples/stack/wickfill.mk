# SPDX-License-Identifier: MIT
NAME = wickfill
OBJECTS = wickfill.o
REQUIRES = wick ledger

include program.mk
