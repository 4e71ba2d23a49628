"""UltraAndChat: open a page and talk.

The folders stand in the order in which sound travels. To follow one turn, read:

1. `transport/`  sound and messages come in over one connection (`base.py` says what that is);
                 `rtp/` is the way of a WebRTC packet, from datagram to frame and back
2. `audio/`      frames become 16 kHz windows, free of DC
3. `turn/`       voice activity, the growing utterance, and who has the floor (`taking.py`)
4. `dialogue/`   what was said: history, and the reply's text cut into speakable clauses
5. `engines/`    the models, each behind a protocol of `base.py`
6. `playout/`    the reply's sound, paced in 20 ms frames, and the account of what was heard
7. `session.py`  the conversation that joins them; `reply.py` is one answer
8. `server/`     the process around it: routes, status, logs, metrics; `web/` is the page

`audio`, `turn`, `dialogue` and `playout` are the core: they are told the time and know no clock,
socket, thread or model. `docs/architecture.md` walks the same way in prose.
"""

__version__ = "0.1.0"
