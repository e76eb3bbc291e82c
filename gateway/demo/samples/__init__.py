"""The sample records of the demonstration: who is in them, how each source writes them, and what is to become of them.

`python -m gateway.demo.samples` writes the files in `gateway/demo/records`; a test keeps both in step.
"""
