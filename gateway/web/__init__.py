"""The Flask application: login, errors, console."""
