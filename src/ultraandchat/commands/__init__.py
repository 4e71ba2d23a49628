"""The commands, one file each: `run(config, options)` does it and gives the exit status."""
