"""The exceptions of the gateway: what cannot go on, sorted by what a caller would do about it.

    GatewayError
    ├── TryLater         the same step may work later: back off and repeat
    ├── WillNeverWork    repeating cannot help: a person has to look
    └── ConfigurationError   the installation is not usable as it is configured: do not start

Expected outcomes (a refusal, a finding, a quarantined record) are values, never exceptions.
"""


class GatewayError(Exception):
    """Something the gateway cannot go on from; its text never holds a patient's value."""


class TryLater(GatewayError):
    """The partner or a resource is not available now; nothing is known to be wrong with the content.

    `after_s` is how many seconds the partner asked to be left alone, 0 where it said nothing of it.
    """

    def __init__(self, reason: str, after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.after_s = after_s


class WillNeverWork(GatewayError):
    """The partner refused the content, or it cannot be sent at all; a person has to decide."""


class ConfigurationError(GatewayError):
    """A configuration file is missing, unreadable or says something impossible; the text names file and line."""
