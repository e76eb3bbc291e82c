"""Read and write each exchange format; every format lives in one module, both directions."""
