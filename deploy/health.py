"""The image's health check: status 0 when the server answers `/health` and is not stopping.

It runs with the standard library alone, next to the server, and needs no token: what `/health` tells
strangers is enough.
"""

import json
import os
import ssl
import sys
import urllib.error
import urllib.request

TIMEOUT_S = 4.0
"""Below the 5 s that the Dockerfile's HEALTHCHECK waits."""


def main() -> int:
    """0: it answers. 1: it does not, and one line says why."""
    port = os.environ.get("ULTRAANDCHAT_SERVER__PORT", "7860")
    why = ""
    for scheme in ("http", "https"):
        try:
            status = _status(f"{scheme}://127.0.0.1:{port}/health")
        except (OSError, ValueError) as error:
            why = why or str(error)
            continue
        print(status)
        return int(status == "stopping")
    print(f"no answer on port {port}: {why}")
    return 1


def _status(url: str) -> str:
    # This machine asks itself: a certificate that nobody signed does.
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    with urllib.request.urlopen(url, timeout=TIMEOUT_S / 2, context=trusting) as answer:
        return str(json.load(answer)["status"])


if __name__ == "__main__":
    sys.exit(main())
