"""Chatterbox: text to speech in the voice of a reference clip, streamed.

On the server's side `engine.py` and what it imports; everything that imports torch runs in the worker's process.
"""
