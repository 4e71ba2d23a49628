"""Sound becomes what a model hears: frames, resampling, windows, levels. Core: no clock, no I/O."""
