#!/usr/bin/env bash
# What `make` needs, put in place: tools/install.sh demo | dev | browser
#   demo     .venv with the server and its demo engines; flite for a better voice where apt can
#   dev      the same with the tools of development
#   browser  Chromium for the tests of the page
# Each leaves a stamp in .venv, so that make runs it again only when there is a reason to.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$@" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

python_that_fits() {
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if have "$candidate" && "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      printf '%s' "$candidate"
      return
    fi
  done
  die "UltraAndChat needs Python 3.11, 3.12 or 3.13; found: $(python3 --version 2>/dev/null || echo none)." \
    "On Debian 12 or Ubuntu 24.04: apt-get install python3 python3-venv. Else: make PYTHON=/path/to/python3.12 run"
}

environment() {
  [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1 && return
  local python
  python=$(python_that_fits)
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    die "$python cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv"
  "$python" -m venv .venv
}

packages() { # EXTRAS WHAT
  say "Installing $2 into .venv (the first time takes a minute or two) …"
  # A person sees pip's progress; a log gets only what goes wrong. (pep517: docopt comes as source.)
  local quiet=-q
  [ -t 1 ] && quiet=
  .venv/bin/python -m pip install $quiet --disable-pip-version-check --use-pep517 -e ".[$1]"
}

debian() { # PACKAGES…: true when they were installed
  [ "$(id -u)" = 0 ] && have apt-get || return 1
  say "Installing $* (Debian packages) …"
  { timeout 300 apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -y -qq --no-install-recommends "$@"; } >.venv/apt.log 2>&1
}

voice() { # never a reason not to start: espeak-ng comes with the demo extra
  have flite && return
  debian flite || say "Speaking with espeak-ng. For a better voice: sudo apt-get install flite"
}

browser() { # what only the tests run. libatomic: Playwright's own node is linked to it, and a minimal Debian has none
  if { have chromium || have google-chrome; } && have espeak-ng && ldconfig -p | grep -q libatomic.so.1; then
    return
  fi
  debian chromium espeak-ng libatomic1 ||
    say "The tests of the page need Chromium. On Debian: sudo apt-get install chromium espeak-ng libatomic1" \
      "Elsewhere set CHROMIUM to its path, or leave them out: make test PYTEST_ARGS='-m \"not browser\"'"
}

case "${1:-}" in
  demo)
    environment
    packages demo "UltraAndChat with its demo engines"
    voice
    touch .venv/.installed-demo
    ;;
  dev)
    environment
    packages demo,dev "UltraAndChat with the tools of development"
    voice
    touch .venv/.installed-demo .venv/.installed-dev
    ;;
  browser)
    browser
    touch .venv/.browser
    ;;
  *) die "usage: tools/install.sh demo | dev | browser" ;;
esac
