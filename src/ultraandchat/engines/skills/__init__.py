"""A small rule-based responder: the phrases it knows, and a true answer to each."""
