"""Plain NumPy/SciPy statements of the kernels; nothing here imports forensix."""
