import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import MalformedRecord
from contactor.link.campaign_messages import (
    MAX_BYTES,
    CampaignList,
    CampaignReport,
    decode_campaign_report,
    decode_campaigns,
    encode_campaign_report,
    encode_campaigns,
)
from contactor.signals.campaign import (
    MAX_CLAIMS,
    MAX_PER_VEHICLE,
    MAX_SIGNALS,
    Campaign,
    CampaignState,
    Claim,
    Progress,
    Upload,
)

NUMBERS = st.floats(-1e6, 1e6)
CLAIMS = st.builds(Claim, st.just("Vehicle.Speed"), below=NUMBERS | st.none(), equals=st.booleans())
CAMPAIGNS = st.builds(
    Campaign,
    id=st.sampled_from(["a", "b-1"]),
    name=st.text(min_size=1, max_size=100),
    signals=st.just(("Vehicle.Speed",)),
    rate_hz=st.floats(0.01, 50),
    until=st.integers(0, 2**63 - 1),
    when=st.lists(CLAIMS, max_size=MAX_CLAIMS).map(tuple),
    before_s=st.floats(0, 300),
    upload=st.sampled_from(Upload),
)


@given(CAMPAIGNS, st.integers(0, 2**63 - 1))
def test_list_comes_back_as_it_was_sent(campaign: Campaign, revision: int) -> None:
    campaigns = CampaignList("leaf", revision, (campaign,))
    assert decode_campaigns(encode_campaigns(campaigns)) == campaigns


@given(st.sampled_from(CampaignState), st.none() | st.text(max_size=400), st.integers(0, 2**62))
def test_report_comes_back_as_it_was_sent(
    state: CampaignState, reason: str | None, count: int
) -> None:
    progress = Progress("c", state, reason, count, count, count, count)
    report = CampaignReport("leaf", 1, (progress,))
    assert decode_campaign_report(encode_campaign_report(report)) == report


@given(payload=st.binary(max_size=200))
def test_bytes_that_are_neither_are_refused(payload: bytes) -> None:
    for decode in (decode_campaigns, decode_campaign_report):
        with pytest.raises(MalformedRecord):
            decode(payload)


def test_longest_list_is_within_the_limit() -> None:
    path = "V" * 256
    claim = Claim(path, below=1.5, rearm=2.5)
    campaign = Campaign(
        id="c" * 64,
        name="n" * 100,
        signals=(path,) * MAX_SIGNALS,
        rate_hz=1.5,
        until=2**63 - 1,
        when=(claim,) * MAX_CLAIMS,
    )
    payload = encode_campaigns(CampaignList("v" * 64, 2**63 - 1, (campaign,) * MAX_PER_VEHICLE))
    assert len(payload) <= MAX_BYTES
    decode_campaigns(payload)
    with pytest.raises(MalformedRecord, match="the limit is"):
        decode_campaigns(bytes(MAX_BYTES + 1))
