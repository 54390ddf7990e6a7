"""Runs a network: OpenVINO, ONNX Runtime or torch behind one protocol."""
