"""Ways to one caller. A transport carries frames and messages; it decides nothing about speech."""
