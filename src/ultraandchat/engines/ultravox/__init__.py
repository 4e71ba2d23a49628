"""Ultravox, which hears speech and writes the answer: what the gateway needs of it, and its worker.

In the worker, `checkpoint` and `tensors` read what lies on the disk without torch; `mel`, `encoder` and
`projector` turn sound into embeddings, and `load` puts the weights on the device.
"""
