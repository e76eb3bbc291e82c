"""What a gateway says of itself to whoever may send it work."""

from gateway.flow.gateway import Gateway
from tests.support.flow_house import a_world


def test_each_part_that_work_needs_is_named() -> None:
    gateway = Gateway(a_world().house, workers_alive=lambda: True, schema_is_current=lambda: False)

    assert gateway.ready() == {"database": True, "workers": True, "migrations": False}
