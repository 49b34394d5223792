"""What a third party is told of a trip or a charge: each field is given or kept back on purpose."""

import pytest

from contactor.cloud.access.consent_scope import ConsentScope, HistoryKind, paths_of
from contactor.cloud.history.documents import Document, charge_document, trip_document
from contactor.faces.web.narrowed import TOLD, WHERE, document_for
from contactor.history.geofence import Circle
from contactor.history.journal import Told, Words
from contactor.history.places import Place
from tests.cloud.journal.facts import HOME, a_charge, a_trip

T0 = 1_772_535_600 * 10**9
SAID = {"purpose", "driver", "tags", "note"}
KEPT_BACK = {
    HistoryKind.TRIPS: SAID | {"start_place", "end_place"},
    HistoryKind.CHARGES: SAID | {"place", "cost", "currency"},
}


def documents() -> dict[HistoryKind, Document]:
    told = Told(words=Words(driver="Mia", tags=("secret",), note="to the lake"))
    home = Place(id="p1", name="Home", fence=Circle(HOME, 50.0))
    return {
        HistoryKind.TRIPS: trip_document("leaf", a_trip(T0, 1.0), told, (home, home)),
        HistoryKind.CHARGES: charge_document(
            "leaf", a_charge(T0, 1.0, 10.0), told, cost=3.5, currency="EUR", place=home
        ),
    }


@pytest.mark.parametrize("has_where", [True, False])
@pytest.mark.parametrize("kind", [HistoryKind.TRIPS, HistoryKind.CHARGES])
def test_each_field_is_given_or_kept_back(kind: HistoryKind, has_where: bool) -> None:
    branch = "Vehicle.CurrentLocation" if has_where else "Vehicle"
    scope = ConsentScope(
        "c1", frozenset({"leaf"}), paths_of((branch,)), frozenset(HistoryKind), 0, T0
    )
    document = documents()[kind]
    assert set(document) == TOLD[kind] | WHERE[kind] | KEPT_BACK[kind]
    told = document_for(scope, kind, document)
    assert set(told) == TOLD[kind] | (WHERE[kind] if has_where else set())
    text = str(told)
    assert not any(word in text for word in ("Mia", "secret", "lake", "Home", "EUR"))
    assert (str(HOME.latitude_deg) in text) is has_where
