"""Staff passwords: what is accepted as one, and argon2 for keeping and checking it."""

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 256
"""Characters. Length is the only demand (NIST SP 800-63B section 5.1.1.2)."""

_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)

# One check takes 64 MiB; more at once than this would let a burst of logins push the process over its memory.
_at_once = BoundedSemaphore(2)

# Of a value nobody knows: an unknown name must take as long as a wrong password.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$MBeCBar1zXMzrGAW4TdV/A$XkAYkGamINX41jt6RSFZRi1i3LcHy/xrQpNnRyyEU5s"


def fault_of(password: str, name: str) -> str | None:
    """Say what is wrong with a new password, or None."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"Choose a password of {SHORTEST} to {LONGEST} characters."
    if name.casefold() in password.casefold():
        return "Choose a password that does not contain your name."
    return None


def hashed(password: str) -> str:
    """Return the argon2id hash that is kept."""
    with _at_once:
        return _hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Tell whether the password is right; without a hash the answer is no, after the same work."""
    if len(password) > LONGEST:
        return False
    with _at_once:
        try:
            _hasher.verify(password_hash or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None
