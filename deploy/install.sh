#!/usr/bin/env bash
# Puts the server in place, step by step. The image (Dockerfile) and a pod (runpod/start.sh) take the same steps:
#   install.sh system                            a Python that fits, and flite: with apt, where they are missing
#   install.sh packages FOLDER PYPROJECT EXTRAS  a virtual environment with what the server stands on
#   install.sh server FOLDER FROM EXTRAS         the server in it; FROM is a checkout, a wheel, or an address pip takes
# With `gpu` among the EXTRAS the versions are those of constraints-gpu.txt, and Chatterbox comes on top as
# chatterbox-requirements.txt says. Both lie here or in the checkout around.
# A step that was done before takes less than a second. Nothing here starts anything or reads a secret.
set -euo pipefail

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$@" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

fits() { # PYTHON
  have "$1" && "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

makes_environments() { # PYTHON: Debian and Ubuntu keep this part in a package of its own
  "$1" -c 'import ensurepip, venv' 2>/dev/null
}

python_that() { # TEST…: the first Python for which every TEST holds
  local candidate test
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    for test in "$@"; do
      "$test" "$candidate" || continue 2
    done
    printf '%s' "$candidate"
    return
  done
  return 1
}

apt_packages() { # PACKAGES…: true when they were installed; else the end of apt's words is shown
  [ "$(id -u)" = 0 ] && have apt-get || return 1
  say "Installing $* with apt …"
  local log
  log=$(mktemp)
  # An index fetched before may do; where it does not, it is fetched anew.
  if ! apt_install "$@" >"$log" 2>&1; then
    { timeout 300 apt-get update -qq && apt_install "$@"; } >"$log" 2>&1 || { tail -n 5 "$log" >&2; rm -f "$log"; return 1; }
  fi
  rm -f "$log"
}

apt_install() { DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -y -qq --no-install-recommends "$@"; }

system_python() {
  python_that fits makes_environments >/dev/null && return
  local python minor
  if python=$(python_that fits); then
    minor=$("$python" -c 'import sys; print(sys.version_info[1])')
    apt_packages "python3.$minor-venv" && python_that fits makes_environments >/dev/null && return
  fi
  for minor in 12 13 11; do # Ubuntu 24.04, Debian 13, Debian 12 and Ubuntu 22.04
    apt_knows "python3.$minor-venv" && apt_packages "python3.$minor" "python3.$minor-venv" && return
  done
  die "UltraAndChat needs Python 3.11, 3.12 or 3.13 with its venv module; found: $(python3 --version 2>/dev/null || echo none)." \
    "apt could not install one here. Install it, or name one: PYTHON=/path/to/python3.12"
}

apt_knows() { # PACKAGE
  have apt-cache || return 1
  [ -n "$(apt-cache show "$1" 2>/dev/null)" ] && return
  [ "$(id -u)" = 0 ] && timeout 300 apt-get update -qq >/dev/null 2>&1
  [ -n "$(apt-cache show "$1" 2>/dev/null)" ]
}

system_voice() { # never a reason not to start: espeak-ng comes with the demo extra
  have flite || apt_packages flite || say "flite could not be installed; espeak-ng speaks instead."
}

environment() { # FOLDER: as it is when its Python still runs, else made anew
  "$1/bin/python" -m pip --version >/dev/null 2>&1 && return
  local python
  python=$(python_that fits makes_environments) || die "There is no Python that fits; run first: $0 system"
  if [ -e "$1" ] && [ ! -f "$1/pyvenv.cfg" ] && [ -n "$(ls -A "$1")" ]; then
    die "$1 is no virtual environment and not empty; nothing was changed. Choose another folder."
  fi
  say "Making an environment in $1 ($("$python" --version)) …"
  "$python" -m venv --clear "$1" || die "$python cannot make an environment in $1."
}

pip_install() { # FOLDER WHAT…: progress for a person and a log alike: one line for each download of a megabyte or more
  local folder=$1
  shift
  # pep517: docopt comes as source
  "$folder/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off --use-pep517 "$@" |
    sed -nu 's/^ *Downloading \([^ ]*\.whl\) (\([0-9.]* [MG]B\)).*/  \1, \2/p; s/^ *\(Building wheel for .*\): started/  \1/p'
}

constraints() { # EXTRAS: sets CONSTRAINTS and CHATTERBOX, pip's options; both are empty without `gpu`
  local here folder
  here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  CONSTRAINTS=() CHATTERBOX=()
  case ",$1," in *,gpu,*) ;; *) return ;; esac
  for folder in "$here" "$here/.."; do
    [ -f "$folder/constraints-gpu.txt" ] && [ -f "$folder/chatterbox-requirements.txt" ] || continue
    CONSTRAINTS=(-c "$folder/constraints-gpu.txt")
    CHATTERBOX=(--no-deps -r "$folder/chatterbox-requirements.txt")
    return
  done
  die "constraints-gpu.txt and chatterbox-requirements.txt are neither in $here nor above it; without them pip would" \
    "take versions that nobody tried."
}

chatterbox() { # FOLDER: without its dependencies, because its pins are not ours; the extra has what it needs
  [ ${#CHATTERBOX[@]} = 0 ] || pip_install "$1" "${CHATTERBOX[@]}"
}

packages() { # FOLDER PYPROJECT EXTRAS
  constraints "$3"
  environment "$1"
  local wanted
  readarray -t wanted <<<"$("$1/bin/python" - "$2" "$3" <<'PYTHON'
import sys, tomllib
project = tomllib.load(open(sys.argv[1], "rb"))["project"]
extras = [name for name in sys.argv[2].split(",") if name]
print(*project["dependencies"], *(line for name in extras for line in project["optional-dependencies"][name]), sep="\n")
PYTHON
  )"
  say "Installing what the server stands on into $1 …"
  pip_install "$1" ${CONSTRAINTS[@]+"${CONSTRAINTS[@]}"} "${wanted[@]}"
  chatterbox "$1"
}

server() { # FOLDER FROM EXTRAS
  local mark wanted
  mark="$1/.installed"
  constraints "$3"
  environment "$1"
  wanted="$(fingerprint "$2") $3"
  [ ${#CONSTRAINTS[@]} = 0 ] || wanted="$wanted $(cat "${CONSTRAINTS[1]}" "${CHATTERBOX[2]}" | sha256sum | cut -c 1-64)"
  if [ -f "$mark" ] && [ "$(cat "$mark")" = "$wanted" ]; then
    return
  fi
  rm -f "$mark"
  # pip leaves alone what has the same version number, however different it is
  "$1/bin/python" -m pip uninstall -q -y ultraandchat 2>/dev/null
  say "Installing UltraAndChat from $(without_credentials "$2") into $1 (the first time takes a minute or two) …"
  case $2 in
    *://*) pip_install "$1" ${CONSTRAINTS[@]+"${CONSTRAINTS[@]}"} "ultraandchat[$3] @ $2" ;;
    *) pip_install "$1" ${CONSTRAINTS[@]+"${CONSTRAINTS[@]}"} "$2[$3]" ;;
  esac
  chatterbox "$1"
  printf '%s' "$wanted" >"$mark"
}

fingerprint() { # FROM: changes when what would be installed does
  if [ -d "$1" ]; then
    (cd "$1" && find pyproject.toml src -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum) | sha256sum
  elif [ -f "$1" ]; then
    sha256sum <"$1"
  else
    printf '%s' "$1" | sha256sum # hashed, because an address may hold credentials
  fi | cut -c 1-64
}

without_credentials() { printf '%s' "$1" | sed 's#//[^/@]*@#//#'; }

case "${1:-}.$#" in
  system.1) system_python && system_voice ;;
  packages.4) packages "$2" "$3" "$4" ;;
  server.4) server "$2" "$3" "$4" ;;
  *) die "usage: install.sh system | packages FOLDER PYPROJECT EXTRAS | server FOLDER FROM EXTRAS" ;;
esac
