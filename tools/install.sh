#!/usr/bin/env bash
# What `make` needs, put in place: tools/install.sh demo | gpu | dev | models | browser | roots
#   demo     .venv with the server and its demo engines; flite for a better voice where apt can
#   gpu      the same with what speech models on a GPU need; weights are fetched at the first start
#   dev      demo with the tools of development
#   models   .venv-models with everything, for the tests of the models
#   browser  Chromium, Firefox and what makes networks, for the tests of the page
#   roots    debootstrap, for Debian roots in which the image is tried
# Each leaves a stamp, so that make runs it again only when there is a reason to.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$@" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

GPU_DISK_GB=16 # torch 2.13 with CUDA and the rest, some 9 unpacked (estimated), and pip's downloads meanwhile

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

environment() { # FOLDER
  [ -x "$1/bin/python" ] && "$1/bin/python" -m pip --version >/dev/null 2>&1 && return
  local python
  python=$(python_that_fits)
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    die "$python cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv"
  "$python" -m venv "$1"
}

packages() { # FOLDER EXTRAS WHAT PIP-OPTIONS…
  local folder=$1 extras=$2
  environment "$folder"
  say "Installing $3 into $folder (the first time takes a minute or two) …"
  shift 3
  # A person sees pip's progress; a log gets only what goes wrong. (pep517: docopt comes as source.)
  local quiet=-q
  [ -t 1 ] && quiet=
  "$folder/bin/python" -m pip install $quiet --disable-pip-version-check --use-pep517 "$@" -e ".[$extras]"
}

chatterbox() { # FOLDER: on top of the extra gpu
  # Its pins are of 2025 and not ours; what it needs of them is installed already, and tests/models run with it.
  "$1/bin/python" -m pip install -q --disable-pip-version-check --no-deps -r chatterbox-requirements.txt
}

without_cuda() { # FOLDER: torchaudio for a torch that is built for the processor
  "$1/bin/python" -c 'import sys, torch; sys.exit(torch.version.cuda is not None)' || return 0
  # Its wheel from PyPI holds libraries that are linked to CUDA's, and `import torchaudio` fails where those are not
  # there. Chatterbox resamples with it and makes Kaldi's filter banks: its Python part does both.
  rm -f "$1"/lib/python3.*/site-packages/torchaudio/lib/*.so
}

graphics() { # before gigabytes are fetched for nothing; sets captions
  local free
  free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024 / 1024) }')
  if [ ! -f .venv/.installed-gpu ] && [ "$free" -lt "$GPU_DISK_GB" ]; then
    die "What models on a GPU need takes $GPU_DISK_GB GB of disk here, and $free GB are free. Weights come on top: docs/deploy/gpu.md"
  fi
  if have nvidia-smi && nvidia-smi -L >/dev/null 2>&1; then
    captions=,gpu-captions
  else
    say "No NVIDIA driver answers here (nvidia-smi): what is installed now will run once one does."
  fi
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

relay() { # for one test of the page. Its package starts a server: not where something would start it for good
  have turnserver || [ -d /run/systemd/system ] || debian coturn || say "Without coturn the test of TURN is left out."
}

browser() { # what only the tests run. libatomic: Playwright's own node is linked to it, and a minimal Debian has none
  local packages="chromium espeak-ng libatomic1 iproute2 nftables"
  if ! { { have chromium || have google-chrome; } && have espeak-ng && ldconfig -p | grep -q libatomic.so.1 &&
    have ip && PATH=$PATH:/usr/sbin have nft; }; then
    # shellcheck disable=SC2086 # a list of words
    debian $packages ||
      say "The tests of the page need Chromium and more. On Debian: sudo apt-get install $packages" \
        "Elsewhere set CHROMIUM to its path, or leave them out: make test PYTEST_ARGS='-m \"not browser and not network\"'"
  fi
  have firefox-esr || debian firefox-esr || # Debian's; Ubuntu has none
    say "Some tests of the page are for Firefox. On Debian: sudo apt-get install firefox-esr"
}

roots() {
  [ "$(id -u)" = 0 ] || die "make test-image makes Debian roots and enters them, which only root can."
  have debootstrap || debian debootstrap || die "make test-image needs debootstrap. On Debian: apt-get install debootstrap"
}

case "${1:-}" in
  demo)
    packages .venv demo "UltraAndChat with its demo engines"
    voice
    touch .venv/.installed-demo
    ;;
  dev)
    packages .venv demo,dev "UltraAndChat with the tools of development"
    voice
    touch .venv/.installed-demo .venv/.installed-dev
    ;;
  gpu)
    captions=
    graphics
    packages .venv "demo,gpu$captions" "UltraAndChat with what its models need, some gigabytes," -c constraints-gpu.txt
    chatterbox .venv
    voice
    touch .venv/.installed-demo .venv/.installed-gpu
    ;;
  models)
    packages .venv-models demo,dev,gpu "torch and the rest for the tests of the models" -c constraints-gpu.txt
    chatterbox .venv-models
    without_cuda .venv-models
    touch .venv-models/.installed
    ;;
  browser)
    browser
    relay
    touch .venv/.browser
    ;;
  roots) roots ;;
  *) die "usage: tools/install.sh demo | gpu | dev | models | browser | roots" ;;
esac
