"""`python -m ultraandchat` is the command line."""

from ultraandchat.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
