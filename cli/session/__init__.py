"""One process that holds frames and models for another program, such as R, and does what that one asks line by line.

A request is a line of JSON, ``{"id": 7, "op": "predict", "args": {"model": {"model": "m"}, "frame": {"frame": "f"}}}``;
in arguments, ``{"frame": key}`` and ``{"model": key}`` stand for what the session holds. While it runs, lines with
``"event"`` may come; the last line is ``{"id": 7, "result": ...}`` or ``{"id": 7, "error": {"class", "message"}}``. The
line ``{"stop": true}`` ends a running training, which then gives the model so far. The process ends with its input.
"""
