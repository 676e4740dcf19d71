#!/usr/bin/env python3
"""Checks the dependencies against deny.toml: banned crates, licences, sources.

The part of cargo-deny that works without a network, in a second instead of the minutes its build takes.
Input: `cargo metadata` and `cargo tree` of the workspace, for the platforms that deny.toml names.
"""

import json
import re
import subprocess
import sys
import tomllib


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def version_key(version):
    return tuple(int(part) for part in re.match(r"(\d+)\.?(\d*)\.?(\d*)", version).groups(default="0") if part != "")


def is_banned(package, spec):
    """`name`, or `name@<version`, as in deny.toml."""
    name, _, limit = spec.partition("@")
    if package["name"] != name:
        return False
    return not limit or version_key(package["version"]) < version_key(limit.removeprefix("<"))


def is_licensed(expression, allowed):
    """SPDX expressions as crates write them: AND binds tighter than OR, WITH belongs to its licence."""
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def either():
        good = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            good = both() or good
        return good

    def both():
        good = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            good = one() and good
        return good

    def one():
        token = tokens.pop(0)
        if token == "(":
            good = either()
            tokens.pop(0)
            return good
        if tokens and tokens[0] == "WITH":
            token = f"{token} {tokens.pop(0)} {tokens.pop(0)}"
        return token in allowed

    return either()


def main():
    with open("deny.toml", "rb") as file:
        rules = tomllib.load(file)
    metadata = json.loads(cargo("metadata", "--format-version", "1", "--locked"))
    linked = set()
    for target in rules["graph"]["targets"]:
        # `cargo tree` resolves features; the graph of `cargo metadata` names optional crates nobody builds.
        tree = cargo("tree", "--workspace", "--locked", "--target", target, "--prefix", "none", "--format", "{p}")
        linked |= {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    problems = []
    packages = [package for package in metadata["packages"] if (package["name"], f"v{package['version']}") in linked]
    for package in packages:
        name = f"{package['name']} {package['version']}"
        for ban in rules["bans"]["deny"]:
            if is_banned(package, ban["crate"]):
                problems.append(f"{name} is banned: {ban['reason']}")
        licence = package["license"]
        if not licence or not is_licensed(licence, rules["licenses"]["allow"]):
            problems.append(f"{name}: licence {licence} is not on the list of deny.toml")
        source = package["source"]
        if source and not source.startswith("registry+"):
            problems.append(f"{name} comes from {source.split('+')[0]}, not from the registry")
    for problem in problems:
        print(problem)
    print(f"dependencies: {len(packages)} packages, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
