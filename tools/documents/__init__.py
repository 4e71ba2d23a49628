"""One module for each kind of generated file; `source.py` reads docstrings, those of fields too."""

NOTE = "Made by `make docs` from the source; edit it there."
