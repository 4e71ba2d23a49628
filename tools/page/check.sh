#!/usr/bin/env bash
# The page's types. The type checker comes from the lock file; nothing of it is shipped.
set -eu
cd "$(dirname "$0")/../.."

lock=tools/page/package-lock.json
installed=tools/page/node_modules/.installed-lock.json
if ! cmp -s "$lock" "$installed"; then
  tools/node.sh npm --prefix tools/page ci --no-audit --no-fund --silent
  cp "$lock" "$installed"
fi
for project in src/ultraandchat/web src/ultraandchat/web/worklet; do
  tools/node.sh tools/page/node_modules/typescript/bin/tsc -p "$project/jsconfig.json"
done
