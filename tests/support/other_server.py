"""`ultraandchat serve` of another version: its page is the folder `OTHER_PAGE`, its protocol `OTHER_PROTOCOL`."""

import os
from functools import partial
from pathlib import Path

from ultraandchat.cli import main
from ultraandchat.server import app, lobby, status
from ultraandchat.server.page import Page

vars(app)["Page"] = partial(Page, Path(os.environ["OTHER_PAGE"]))
for module in (lobby, status):
    vars(module)["PROTOCOL_VERSION"] = int(os.environ["OTHER_PROTOCOL"])
raise SystemExit(main())
