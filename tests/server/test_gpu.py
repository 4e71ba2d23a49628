"""GPU facts from the driver, where there is one."""

from ultraandchat.server.gpu import Gpu


def test_without_a_driver_there_is_none() -> None:
    assert Gpu().facts() == {
        "available": False,
        "device_name": None,
        "memory_total": None,
        "memory_used": None,
        "count": 0,
    }


def test_what_is_found_is_whole() -> None:
    facts = Gpu.found().facts()
    assert facts["available"] is (facts["device_name"] is not None)
    assert facts["available"] is (facts["memory_total"] is not None)
