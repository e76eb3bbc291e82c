"""The life of a consent: taken, filed, changed, restricted, looked after, taken back, ended."""
