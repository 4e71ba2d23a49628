"""Who has the floor: voice activity, the growing utterance, the turn machine. Core: told the time."""
