# SPDX-License-Identifier: MIT
NAME = hamper
OBJECTS = hamper-main.o hamper-report.o
REQUIRES = hamper cairn ledger wick grain

include program.mk
