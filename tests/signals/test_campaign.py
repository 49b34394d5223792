import pytest

from contactor.errors import UsageError
from contactor.signals.campaign import Campaign, Claim, check_campaign

LOWEST = "Vehicle.Powertrain.TractionBattery.CellVoltage.Min"
CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
LAMP = "Vehicle.Contactor.IsWarningLampOn"


def campaign(**changed: object) -> Campaign:
    asked: dict[str, object] = {
        "id": "c",
        "name": "low",
        "signals": (CELLS,),
        "rate_hz": 10.0,
        "until": 1,
        "when": (Claim(LOWEST, below=3.0, rearm=3.1),),
        "before_s": 30.0,
    }
    return Campaign(**{**asked, **changed})


def test_campaign_of_the_guide_is_sound() -> None:
    check_campaign(campaign())
    check_campaign(campaign(when=(Claim(LAMP, equals=True),)))
    check_campaign(campaign(when=(), before_s=0.0))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"signals": ("Vehicle.Speedy",)}, "unknown signal 'Vehicle.Speedy'"),
        ({"signals": (CELLS, CELLS)}, "signals: a path stands twice"),
        ({"when": (Claim(LOWEST),)}, "when[0]: nothing given; allowed: one of below"),
        ({"when": (Claim(LOWEST, below=1.0, above=2.0),)}, "when[0]: below and above given"),
        ({"when": (Claim(CELLS, below=3.0),)}, "allowed: no arrays"),
        ({"when": (Claim(LAMP, below=1.0),)}, "below of a boolean; allowed: equals"),
        ({"when": (Claim(LAMP, equals="on"),)}, "'on' is no boolean"),
        ({"when": (Claim(LOWEST, below=3.0, rearm=2.9),)}, "rearm 2.9; allowed: at least below"),
        ({"when": (Claim(LOWEST, above=3.0, rearm=3.1),)}, "rearm 3.1; allowed: at most above"),
        ({"when": (Claim(LAMP, equals=True, rearm=1.0),)}, "allowed: none with equals"),
        ({"when": (Claim(LOWEST, below=float("nan")),)}, "finite numbers"),
        ({"rate_hz": float("nan")}, "finite numbers"),
        ({"when": ()}, "need a condition"),
    ],
)
def test_what_no_car_could_do_is_refused(changed: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_campaign(campaign(**changed))
    assert words in str(refused.value)
