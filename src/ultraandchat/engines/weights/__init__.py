"""Weights of models: a folder on this machine, or a repository of the model hub."""
