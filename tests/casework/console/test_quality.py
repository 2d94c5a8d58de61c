"""Leads' pages about quality: scorecards, agreement, and rulings on rights."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from casework.console.app import create_app
from casework.store.engine import reading, transaction
from casework.store.people import add_person
from casework.store.policy import adopt_bundle
from casework.store.qa.rights import propose_pauses, right_by_id
from casework.store.vendors import add_vendor
from tests.casework.console.asking import post
from tests.casework.console.conftest import SignIn
from tests.factories.consoles import console_of
from tests.factories.qa import BY, LATER, NOW, decided, drawn, staffed
from tests.factories.rights import answered_known, minding_bundle

PAGES = ("/leads/vendors", "/leads/agreement", "/leads/rights")


@pytest.fixture
def engine(bare_engine: Engine) -> Engine:
    """Leads of ours, of acme and of bolt; ana of acme errs, ben of ours too; a round is drawn."""
    staffed(bare_engine)
    with transaction(bare_engine) as session:
        add_vendor(session, "bolt", by=BY, now=NOW)
        for who, vendor in (("lea", None), ("acl", "acme"), ("bol", "bolt")):
            given = {"name": who, "roles": ["lead"], "queues": ["*"], "vendor": vendor}
            add_person(session, who, by=BY, now=NOW, **given)
    decided(bare_engine, people=["ana", "ben"])
    drawn(bare_engine, "twice")
    for who in ("ana", "ben"):
        answered_known(bare_engine, who, 10, 20, NOW - timedelta(hours=1))
    bundle = minding_bundle()
    with transaction(bare_engine) as session:
        adopt_bundle(session, bundle, BY, NOW)
        propose_pauses(session, bundle, BY, NOW)
    return bare_engine


@pytest.fixture
def app(engine: Engine) -> Any:
    return create_app(console_of(engine, lambda: LATER, bundle=minding_bundle()))


@pytest.fixture
def now() -> Any:
    return LATER


def test_the_pages_are_for_leads_and_vendors_see_themselves(signed_in: SignIn) -> None:
    pages = {who: {p: signed_in(who).get(p) for p in PAGES} for who in ("lea", "acl", "ana")}
    assert [each.status_code for each in pages["lea"].values()] == [200, 200, 200]
    assert [each.status_code for each in pages["acl"].values()] == [200, 403, 200]
    assert {each.status_code for each in pages["ana"].values()} == {403}
    ours, theirs = (pages[who]["/leads/vendors"].text for who in ("lea", "acl"))
    assert all(name in ours for name in (">acme<", ">bolt<", ">Our own people<"))
    assert ">acme<" in theirs
    assert "bolt" not in theirs
    assert "Our own people" not in theirs
    assert "twice" in pages["lea"]["/leads/agreement"].text
    assert "ben: known" in pages["lea"]["/leads/rights"].text
    assert "ben" not in pages["acl"]["/leads/rights"].text
    assert "ana: known" in pages["acl"]["/leads/rights"].text


def test_a_lead_pauses_and_gives_back_only_after_training(
    signed_in: SignIn, engine: Engine
) -> None:
    lead = signed_in("lea")
    right = lead.get("/leads/rights").text.split("ben: known")[1].split("/leads/rights/")[1][:16]
    assert "a reason" in post(lead, f"/leads/rights/{right}", ruling="confirm").text
    other = post(signed_in("bol"), f"/leads/rights/{right}", ruling="confirm", reason="it is so")
    assert other.status_code == 403
    done = post(lead, f"/leads/rights/{right}", ruling="confirm", reason="it is so")
    assert (done.status_code, done.headers["location"]) == (303, "/leads/rights")
    assert "Training since: 0 items" in lead.get("/leads/rights").text
    refused = post(lead, f"/leads/rights/{right}", ruling="restore", reason="learnt")
    assert (refused.status_code, "0 training items since" in refused.text) == (403, True)
    with reading(engine) as session:
        found = right_by_id(session, right)
    assert (found.status, found.ruled_by) == ("paused", "lea")
