"""What every test may use."""

from hypothesis import settings

# No deadline for one example: the machine may be busy, and pytest-timeout bounds the whole test.
settings.register_profile("here", deadline=None)
settings.load_profile("here")
