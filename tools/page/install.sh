#!/usr/bin/env bash
# The page's tools, as the lock file has them: the type checker, and axe-core for a test. Nothing of it is shipped.
set -eu
cd "$(dirname "$0")/../.."

lock=tools/page/package-lock.json
installed=tools/page/node_modules/.installed
if ! cmp -s "$lock" "$installed"; then
  tools/node.sh npm --prefix tools/page ci --no-audit --no-fund --silent
  cp "$lock" "$installed"
fi
