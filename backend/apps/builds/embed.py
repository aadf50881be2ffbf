#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""embed.py NAME INPUT OUTPUT: a C source whose array NAME holds the file, with NAME_len beside it."""
import sys

name, source, target = sys.argv[1:]
with open(source, 'rb') as f:
    data = f.read()
rows = [', '.join(str(b) for b in data[i:i + 24]) for i in range(0, len(data), 24)]
with open(target, 'w') as f:
    f.write('#include <stddef.h>\n')
    f.write(f'extern const char {name}[];\nextern const size_t {name}_len;\n')
    f.write(f'const char {name}[] = {{\n' + ',\n'.join(rows) + ',\n0};\n')
    f.write(f'const size_t {name}_len = {len(data)};\n')
