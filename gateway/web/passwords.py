"""Staff passwords: what is accepted as one, and argon2 for keeping and checking it."""

import secrets
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 256
"""Characters. Length is the only demand (NIST SP 800-63B section 5.1.1.2)."""


def fault_of(password: str, name: str) -> str | None:
    """Say what is wrong with a new password, or None."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"Choose a password of {SHORTEST} to {LONGEST} characters."
    if name.casefold() in password.casefold():
        return "Choose a password that does not contain your name."
    return None


class Passwords:
    """Hashes and checks with argon2id; the defaults cost about 100 ms and 64 MiB a password (RFC 9106 section 4)."""

    def __init__(self, *, rounds: int = 3, memory_kib: int = 64 * 1024) -> None:
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=4)
        # More at once would let a burst of logins push the process over its memory.
        self._at_once = BoundedSemaphore(2)
        # Of a value nobody knows: an unknown name must take as long as a wrong password.
        self._nobody = self._hasher.hash(secrets.token_hex(32))

    def hashed(self, password: str) -> str:
        """Return the hash that is kept."""
        with self._at_once:
            return self._hasher.hash(password)

    def match(self, password_hash: str | None, password: str) -> bool:
        """Tell whether the password is right; without a hash the answer is no, after the same work."""
        if len(password) > LONGEST:
            return False
        with self._at_once:
            try:
                self._hasher.verify(password_hash or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return password_hash is not None
