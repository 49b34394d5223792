from contactor.can.readers.interfaces import InterfaceNumbers
from contactor.can.readers.lines import cut_lines


def numbers(interfaces: InterfaceNumbers, *names: str) -> list[int]:
    lines = cut_lines("\n".join(names).encode())
    return [int(number) for number in interfaces.numbers(lines.text, lines.spans)]


def test_interface_has_the_number_in_its_name() -> None:
    assert numbers(InterfaceNumbers(), "can0", "can3", "can0", "vcan12") == [0, 3, 0, 12]


def test_interface_without_a_number_gets_the_lowest_free_one() -> None:
    assert numbers(InterfaceNumbers(), "can0", "slcan", "lin") == [0, 1, 2]


def test_two_interfaces_with_one_number_are_kept_apart() -> None:
    assert numbers(InterfaceNumbers(), "can1", "vcan1") == [1, 0]


def test_interface_keeps_its_number_from_block_to_block() -> None:
    interfaces = InterfaceNumbers()
    assert numbers(interfaces, "powertrain", "body") == [0, 1]
    assert numbers(interfaces, "body", "powertrain") == [1, 0]


def test_interfaces_past_the_last_bus_get_none() -> None:
    result = numbers(InterfaceNumbers(), *(f"bus{number}x" for number in range(300)))
    assert result[:256] == list(range(256))
    assert min(result[256:]) == 256
