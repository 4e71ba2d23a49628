"""What is said: text to speakable clauses, and the history cut to what was heard. Core."""
