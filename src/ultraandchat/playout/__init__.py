"""Sound goes out: samples by turn become 20 ms frames by clock, with an account of what was heard."""
