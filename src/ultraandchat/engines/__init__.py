"""The models, each behind a protocol of `base.py`. Concrete engines are imported by `open.py` only."""
