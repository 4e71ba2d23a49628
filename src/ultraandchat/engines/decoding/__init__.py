"""What all models here that write token by token share: their keys and values, fixed passes, the choice.

Everything in it imports torch, so it runs in workers' processes only.
"""
