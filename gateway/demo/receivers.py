"""Where the gateway sends to: the stand-in EHR, real receivers behind their lines, or one of each."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.demo.line import Exchange, Line, fhir_line, mllp_line
from gateway.demo.received import Arrived, StandIn, referrals_on_line
from gateway.demo.stage import Addresses, Stage, free_address


@dataclass(slots=True)
class Receivers:
    """The hospital's and the clinic's side, whoever plays them."""

    stage: Stage
    to: Addresses
    """Where the gateway sends."""
    stand_in: Addresses
    """Where the stand-in EHR listens."""
    lines: dict[str, Line] = field(default_factory=dict)
    """Lines to real receivers by channel."""

    @property
    def is_stand_in_needed(self) -> bool:
        """Tell whether the stand-in EHR plays anybody."""
        return len(self.lines) < 2

    def open(self) -> None:
        """Make every receiver reachable."""
        for line in self.lines.values():
            line.open()
        if self.is_stand_in_needed:
            self.stage.start_ehr(self.stand_in)

    def cut(self) -> None:
        """Make every receiver unreachable: the stand-in EHR is stopped, lines are cut."""
        for line in self.lines.values():
            line.cut()
        self.stage.stop_ehr()

    def referrals(self) -> list[Arrived]:
        """List the referrals that have arrived anywhere."""
        on_lines = [one for line in self.lines.values() for one in referrals_on_line(line.exchanges)]
        return [*(self._page().referrals() if self.is_stand_in_needed else []), *on_lines]

    def exchanges(self) -> list[Exchange]:
        """Return everything that was sent to anybody, byte for byte, and what it was answered."""
        on_lines = [exchange for line in self.lines.values() for exchange in line.exchanges]
        return [*(self._page().exchanges() if self.is_stand_in_needed else []), *on_lines]

    def _page(self) -> StandIn:
        return StandIn(self.stand_in.fhir.removesuffix("/fhir"))


def receivers_for(stage: Stage, ehr: str | None, ehr_mllp: tuple[str, int] | None) -> Receivers:
    """Choose free addresses, and a line for each receiver that is real."""
    stand_in = Addresses(f"http://{free_address()}/fhir", free_address())
    lines: dict[str, Line] = {}
    fhir = _led(lines, "fhir", lambda address: fhir_line(address, ehr)) if ehr else None
    mllp = _led(lines, "hl7v2", lambda address: mllp_line(address, ehr_mllp)) if ehr_mllp else None
    return Receivers(
        stage, Addresses(f"http://{fhir}/fhir" if fhir else stand_in.fhir, mllp or stand_in.mllp), stand_in, lines
    )


def _led(lines: dict[str, Line], channel: str, make: Callable[[tuple[str, int]], Line]) -> str:
    address = free_address()
    host, _, port = address.rpartition(":")
    lines[channel] = make((host, int(port)))
    return address
