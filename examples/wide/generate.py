#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes packages.json beside this file: 185 small commands on five levels, the same every time."""

import json
import pathlib
import zlib

CORE = "alloc bytes clock hash json log math path queue text thread unit".split()
LIBRARIES = (
    "archive auth cache codec config cookie crypt csv dns event feed geo http image index "
    "ledger locale mail markup metric policy retry route schema search session template trace"
).split()
DOMAINS = (
    "account address agenda alert audit basket billing booking calendar catalog claim contact "
    "contract coupon courier customer delivery depot device dispute forecast freight invoice "
    "loyalty meter offer order parcel payment price quote refund report return route shift "
    "stock supplier survey tariff"
).split()
IMAGES = (
    "backoffice branch call-center carrier checkout cockpit counter customs dashboard demo desk "
    "dispatch driver export field finance fleet gateway handheld helpdesk import intake kiosk "
    "label lab mobile monitor night-run office partner picker portal reception returns sandbox "
    "scanner shop storefront terminal warehouse"
).split()
SERVICES = 65  # the first of the domains have a service, a tool and so on until there are 65

# What a command of each kind does; NAME, VERSION and N are filled in.
WORK = {
    "core": "echo 'NAME VERSION: making a table of N entries'; seq 1 N | cksum > NAME.table; "
    "echo \"NAME VERSION: table $(cut -d' ' -f1 NAME.table)\"",
    "lib": "echo 'NAME VERSION: sorting N symbols'; seq 1 N | sort -r > NAME.symbols; "
    "echo \"NAME VERSION: first $(head -n 1 NAME.symbols), last $(tail -n 1 NAME.symbols)\"",
    "domain": "echo 'NAME VERSION: checking N records'; seq 1 N | grep -c '[37]$' > NAME.count; "
    "echo \"NAME VERSION: $(cat NAME.count) records carry a mark\"",
    "service": "echo 'NAME VERSION: hashing N lines'; seq 1 N > NAME.lines; "
    "sha256sum NAME.lines > NAME.sha256; sha256sum -c NAME.sha256; "
    "echo \"NAME VERSION: $(cut -c 1-16 NAME.sha256)\"",
    "image": "echo 'NAME VERSION: packing N lines'; seq 1 N | gzip -n > NAME.gz; "
    "gzip -t NAME.gz; echo \"NAME VERSION: $(wc -c < NAME.gz) bytes\"",
}


def number(text, below):
    """A number from 0 up to below that depends on the text alone."""
    return zlib.crc32(text.encode()) % below


def choose(name, among, count):
    """So many of the others, in order, that depend on the name alone."""
    ranked = sorted(among, key=lambda other: zlib.crc32(f"{name} needs {other}".encode()))
    return sorted(ranked[:count])


def package(name, kind, requires):
    version = f"{1 + number(name, 4)}.{number(name + ' minor', 20)}"
    size = str(500 + 50 * number(name + " size", 60))
    script = WORK[kind].replace("NAME", name).replace("VERSION", version).replace("N", size)
    return {"name": name, "version": version, "requires": requires, "command": ["sh", "-c", script]}


def packages():
    core = [f"core-{word}" for word in CORE]
    libraries = [f"lib-{word}" for word in LIBRARIES]
    domains = [f"domain-{word}" for word in DOMAINS]
    kinds = [f"{word}-{kind}" for kind in ("service", "tool") for word in DOMAINS]
    services = kinds[:SERVICES]
    images = [f"image-{word}" for word in IMAGES]
    made = [package(name, "core", []) for name in core]
    for name in libraries:
        made.append(package(name, "lib", choose(name, core, 1 + number(name, 3))))
    for name in domains:
        made.append(package(name, "domain", choose(name, libraries, 2 + number(name, 3))))
    for name in services:
        own = "domain-" + name.rsplit("-", 1)[0]
        others = choose(name, [other for other in domains if other != own], number(name, 3))
        made.append(package(name, "service", sorted([own] + others)))
    for name in images:
        made.append(package(name, "image", choose(name, services, 2 + number(name, 4))))
    return made


def main():
    made = packages()
    assert len(made) == 185 and len({one["name"] for one in made}) == 185
    lines = ",\n".join(json.dumps(one) for one in made)
    target = pathlib.Path(__file__).with_name("packages.json")
    target.write_text(f'{{"packages":[\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
