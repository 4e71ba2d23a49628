#!/usr/bin/env bash
# The page's types.
set -eu
cd "$(dirname "$0")/../.."

tools/page/install.sh
for project in src/ultraandchat/web src/ultraandchat/web/worklet; do
  tools/node.sh tools/page/node_modules/typescript/bin/tsc -p "$project/jsconfig.json"
done
