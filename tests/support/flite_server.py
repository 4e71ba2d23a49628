"""`ultraandchat serve` whose Chatterbox is flite's (`flite_chatterbox.py`): `python -m tests.support.flite_server serve …`."""

from functools import partial

from ultraandchat.engines.chatterbox import engine

FACTORY = "tests.support.flite_chatterbox:open_model"

if __name__ == "__main__":
    from ultraandchat.cli import main

    engine.open_chatterbox = partial(engine.open_chatterbox, factory=FACTORY)
    raise SystemExit(main())
