"""How this installation runs: one frozen `Settings` from `gateway.toml`, the environment and the secrets folder.

Nobody else reads the environment. A setting of the file can be overridden by an environment variable named after
its path, e.g. `GATEWAY_DATABASE__URL`. Secrets are files under `secrets/` (mode 0600) and never stand in the file.
"""

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, IPvAnyNetwork, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from gateway.model.caller import is_scope
from gateway.model.errors import ConfigurationError
from gateway.model.zones import zone_named

FILE_NAME = "gateway.toml"
_TOML_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


def _known_zone(name: str) -> str:
    if zone_named(name) is None:
        raise PydanticCustomError("zone", "expected an IANA time zone, found another word")
    return name


def _known_scope(scope: str) -> str:
    if not is_scope(scope):
        raise PydanticCustomError(
            "scope", "expected intake, lookup or a scope like system/Task.rus, found another word"
        )
    return scope


Zone = Annotated[str, AfterValidator(_known_zone)]
"""Name of an IANA time zone."""

Scope = Annotated[str, AfterValidator(_known_scope)]
"""What a client may do, in the words of docs/http.md."""

Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$")]
"""SHA-256 of a certificate in hex, with or without colons."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Installation(_Section):
    """Who runs this gateway and where."""

    name: str = "Warm Handoff"
    base_url: str = Field("http://127.0.0.1:8080", description="Address under which partners reach this gateway")
    state: str = Field("WA", pattern=r"^[A-Z]{2}$", description="Two letters: whose law overlays apply")
    timezone: Zone = Field("America/Los_Angeles", description="Zone of local times of agencies that state none")
    operator: str = Field("org:operator", description="Registry id of whoever runs this gateway")


class DatabaseSection(_Section):
    """Where records are kept."""

    url: str = Field(
        "sqlite:///gateway.db", description="sqlite:///FILE (relative to this folder) or postgresql+psycopg://..."
    )


class HttpSection(_Section):
    """The HTTP listener."""

    bind: str = Field("127.0.0.1:8080", pattern=r"^.+:\d+$")
    threads: int = Field(32, ge=1, le=256)
    max_body_mib: int = Field(64, ge=1, le=4096, description="Larger requests are refused with 413")
    proxies: tuple[IPvAnyNetwork, ...] = Field(
        (), description="Networks of the proxies in front, whose X-Forwarded-For is believed"
    )
    metrics_key: bool = Field(False, description="Open /metrics to whoever shows secrets/metrics.key, wherever from")


class MllpSection(_Section):
    """The HL7v2 listener."""

    bind: str = Field("127.0.0.1:2575", pattern=r"^.+:\d+$")
    application: str = Field("WARMHANDOFF", description="MSH-3 of what we send, MSH-5 of what we take")
    facility: str = Field("GATEWAY", description="MSH-4 of what we send")
    processing_id: Literal["P", "T", "D"] = Field("P", description="MSH-11 of what we send")
    max_message_mib: int = Field(64, ge=1, le=1024)
    tls_certificate: str | None = Field(None, description="PEM file of our certificate: the listener then speaks TLS")
    tls_key: str | None = Field(None, description="PEM file of its key, mode 0600")
    client_authority: str | None = Field(
        None, description="PEM file of authorities that clients' certificates come from"
    )
    allowed_certificates: tuple[Fingerprint, ...] = Field(
        (), description="SHA-256 fingerprints of the clients that may connect; none: all of client_authority"
    )
    release_2_peers: tuple[IPvAnyNetwork, ...] = Field(
        (), description="Networks of peers that speak MLLP release 2: each block is committed before it is answered"
    )
    plain_allowed: bool = Field(False, description="Listen without TLS beyond loopback: a VPN or tunnel must encrypt")


class DeliverySection(_Section):
    """How deliveries are tried."""

    workers: int = Field(2, ge=1, le=64)
    timeout_s: float = Field(30, gt=0, le=600)
    back_off_base_s: float = Field(2, gt=0)
    back_off_cap_s: float = Field(900, gt=0)
    certificates: str | None = Field(None, description="PEM file of authorities partners' TLS certificates come from")
    client_certificate: str | None = Field(None, description="PEM file that we show to mllps:// partners")
    client_key: str | None = Field(None, description="PEM file of its key, mode 0600")
    answer_within_h: float = Field(24, gt=0, description="After CA, how long a receiver's application may take")
    max_tries: int = Field(20, ge=1, description="After so many failed tries a delivery is a dead letter")


class ConsentsSection(_Section):
    """What is done about consents besides deciding on them."""

    reminder_days: int = Field(30, ge=0, le=365, description="How long before its end staff are reminded of a consent")


class Program(_Section):
    """Which organizations of the registry stand behind the records of one mapping."""

    agency: str = Field(description="Registry id of the author of the police or program part")
    clinician: str | None = Field(None, description="Registry id of the author of the clinical part, if any")


class Client(_Section):
    """A registered client: what it may call and on whose behalf."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    organization: str
    scopes: tuple[Scope, ...]
    purpose: tuple[str, ...] = ("TREAT",)
    submits_for: tuple[str, ...] = Field((), description="Registry ids of further agencies whose records it hands in")
    person_role: str = Field("staff", description="Role under which its reads are decided, see docs/consent-engine.md")


def _ids_of_their_own(clients: tuple[Client, ...]) -> tuple[Client, ...]:
    """Refuse two clients of one id: whose token would prove them?"""
    ids = [client.id for client in clients]
    repeated = sorted({one for one in ids if ids.count(one) > 1})
    if repeated:
        raise PydanticCustomError(
            "id", "expected ids of their own, found one twice: {ids}", {"ids": ", ".join(repeated)}
        )
    return clients


class Settings(BaseSettings):
    """The whole of `gateway.toml`, checked; unknown names are errors."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix="GATEWAY_", env_nested_delimiter="__")

    installation: Installation = Installation()
    database: DatabaseSection = DatabaseSection()
    http: HttpSection = HttpSection()
    mllp: MllpSection = MllpSection()
    delivery: DeliverySection = DeliverySection()
    consents: ConsentsSection = ConsentsSection()
    programs: dict[str, Program] = Field(default_factory=dict)
    clients: Annotated[tuple[Client, ...], AfterValidator(_ids_of_their_own)] = ()
    switches: dict[str, Any] = Field(default_factory=dict, description="Site switches of the consent engine")
    directory: Path = Field(Path("."), exclude=True, description="Set by the reader, not in the file")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file; no other source is read."""
        return env_settings, init_settings

    def client(self, client_id: str) -> Client | None:
        """Return the registered client of this id."""
        return next((client for client in self.clients if client.id == client_id), None)

    @property
    def database_url(self) -> str:
        """Return the database URL with a relative SQLite file placed inside the configuration directory."""
        match = re.fullmatch(r"sqlite:///(?!/)(.+)", self.database.url)
        return f"sqlite:///{(self.directory / match[1]).resolve()}" if match else self.database.url

    def secret(self, name: str) -> bytes:
        """Return the bytes of `secrets/NAME.key`; refuse a missing file or one that others can read."""
        path = self.directory / "secrets" / f"{name}.key"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{path}: expected a secret key of at least 32 bytes, found none ({type(error).__name__}); "
                "`gateway init` writes one"
            ) from error
        return _key_bytes(self.private_file(f"secrets/{name}.key"), content)

    def private_file(self, name: str) -> Path:
        """Return the path of a key file (relative to the configuration directory); refuse one that others can read."""
        path = self.directory / name
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError as error:
            raise ConfigurationError(f"{path}: expected a key file, found none ({type(error).__name__})") from error
        if mode & 0o077:
            raise ConfigurationError(f"{path}: expected mode 0600, found {mode:04o}; run chmod 600 on it")
        return path


def _key_bytes(path: Path, content: bytes) -> bytes:
    text = content.strip()
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except (UnicodeDecodeError, ValueError):
        raise ConfigurationError(f"{path}: expected a key in hexadecimal, found something else") from None
    if len(key) < 32:
        raise ConfigurationError(f"{path}: expected at least 32 bytes in hexadecimal, found {len(key)}")
    return key


def read_settings(directory: Path) -> Settings:
    """Read `gateway.toml` of a configuration directory; an absent file means every default.

    Raises:
        ConfigurationError: with file:line, what was expected and what kind of thing was found.
    """
    path = directory / FILE_NAME
    text = _text_of(path)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))  # none where the file ends too soon
        where = f"{place[1]}:{place[2]}" if place else f"{len(text.splitlines())}"
        message = _TOML_PLACE.sub("", str(error))
        raise ConfigurationError(f"{path}:{where}: not readable as TOML: {message}") from error
    try:
        return Settings(**content, directory=directory)
    except SettingsError as error:  # a list or table in an environment variable is written as JSON
        raise ConfigurationError(f"environment: {error}") from error
    except ValidationError as error:
        problems = [
            f"{_where(path, text, problem['loc'])}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError("\n".join(problems)) from error


def place_of(directory: Path, *location: str | int) -> str:
    """Return `file:line` of a setting, or the environment variable that sets it, for a complaint about its value."""
    path = directory / FILE_NAME
    return _where(path, _text_of(path), location)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: expected UTF-8, found another byte at offset {error.start}") from error


def _where(path: Path, text: str, location: tuple[int | str, ...]) -> str:
    variable = "GATEWAY_" + "__".join(map(str, location)).upper()
    set_outside = next((name for name in os.environ if name.upper() == variable), None)
    return f"environment variable {set_outside}" if set_outside else f"{path}:{_line_of(text, location)}"


def _line_of(text: str, location: tuple[int | str, ...]) -> int:
    """Find the line that a validation problem speaks of; tomllib keeps no positions, so the names are looked up."""
    lines = text.splitlines()
    names = [part for part in location if isinstance(part, str)]
    index = next((part for part in location if isinstance(part, int)), 0)
    headers = [n for n, line in enumerate(lines) if names and re.match(rf"\s*\[+{re.escape(names[0])}\b", line)]
    start = headers[min(index, len(headers) - 1)] if headers else 0
    if len(names) > 1:
        nested = rf"\s*\[{re.escape('.'.join(names[:2]))}\]"
        start = next((n for n, line in enumerate(lines) if re.match(nested, line)), start)
    for n in range(start, len(lines)):
        if names and re.match(rf"\s*\"?{re.escape(names[-1])}\"?\s*=", lines[n]):
            return n + 1
    return start + 1


def write_secret(directory: Path, name: str, content: bytes) -> None:
    """Write `secrets/NAME.key` in hexadecimal with mode 0600; an existing key is never overwritten."""
    folder = directory / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(folder / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(content.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())


def replace_secret(directory: Path, name: str, content: bytes) -> None:
    """Put another key in the place of `secrets/NAME.key`: whoever reads it finds the old one or the new one, whole."""
    folder = directory / "secrets"
    new = folder / f"{name}.new.key"
    new.unlink(missing_ok=True)  # of a rotation that broke off: nothing was ever made with it
    write_secret(directory, f"{name}.new", content)
    new.replace(folder / f"{name}.key")
