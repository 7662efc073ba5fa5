"""Models in files: our own, MOJO and ONNX."""
