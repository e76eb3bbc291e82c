"""The `gateway` command: one module of this package for each group of sub-commands.

Exit status: 0 fine, 1 a finding or refusal, 2 wrong use. Data goes to stdout, errors to stderr.
"""

import errno
import os
import sys
from importlib import import_module
from typing import Any

import click

from gateway import __version__
from gateway.wiring.logs import log_to_stderr

# Sub-command -> the module that defines it and the name there. Loaded only when called, so that `gateway token`
# does not pay for the profile checker's imports.
COMMANDS: dict[str, tuple[str, str]] = {
    "consent": ("gateway.cli.consent", "consent"),
    "redact": ("gateway.cli.consent", "redact"),
    "demo": ("gateway.cli.demo", "demo"),
    "init": ("gateway.cli.installation", "init"),
    "serve": ("gateway.cli.serve", "serve"),
    "worker": ("gateway.cli.serve", "worker"),
    "doctor": ("gateway.cli.doctor", "doctor"),
    "convert": ("gateway.cli.convert", "convert"),
    "hl7v2": ("gateway.cli.hl7v2", "hl7v2"),
    "mapping": ("gateway.cli.mapping", "mapping"),
    "bench": ("gateway.cli.bench", "bench"),
    "validate": ("gateway.cli.validate", "validate"),
    "staff": ("gateway.cli.staff", "staff"),
    "token": ("gateway.cli.token", "token"),
    "dead-letters": ("gateway.cli.operations", "dead_letters"),
    "replay": ("gateway.cli.operations", "replay"),
    "audit": ("gateway.cli.audit", "audit"),
    "accounting": ("gateway.cli.accounting", "accounting_command"),
    "db": ("gateway.cli.operations", "db"),
    "backup": ("gateway.cli.operations", "backup"),
    "restore": ("gateway.cli.operations", "restore"),
    "keys": ("gateway.cli.keys", "keys"),
}

# What writing to a full disk says; of an open file Python does not tell which one it was.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LazyGroup(click.Group):
    """A click group that imports the module of a sub-command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command that exists, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the sub-command; a file or folder that it is told to use and cannot is wrong use, not a stack trace."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.errno == errno.EPIPE or (error.filename is None and error.errno not in _FULL):
                raise
            place = error.filename
            if place is None:
                place = "standard output"
                _discard_output()
            click.echo(f"gateway {ctx.invoked_subcommand}: {place}: {error.strerror}", err=True)
            sys.exit(2)


def _discard_output() -> None:
    """Send nowhere what could not be written: Python tries once more at its end, and that would be its exit status."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gateway")
def main() -> None:
    """Warm Handoff: a gateway from police and crisis encounters into care, with 42 CFR Part 2 consent enforced."""
    log_to_stderr()
