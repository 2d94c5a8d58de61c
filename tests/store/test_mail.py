"""Mail in the store: messages become cases, and a broken one waits until it has been mended."""

from sqlalchemy import Engine

from casework.cases import case_id
from casework.intake import Counts
from casework.mapping import load_mapping
from casework.resources import resource
from casework.store.engine import reading, transaction
from casework.store.quarantine import list_rows
from casework.store.retrying import Correction, retry_row
from casework.store.tables import Case
from tests.factories.intake import BY, NOW, taken_in

INBOX = resource("samples/mail/inbox.mbox")
MAPPING = load_mapping(resource("samples/mappings/mail.yaml"))


def test_a_mailbox_opens_a_case_for_each_message_once(engine: Engine) -> None:
    read = Counts(received=8, opened=4, quarantined=4)
    assert taken_in(engine, INBOX, "i1", mapping=MAPPING, source="mail") == read
    again = Counts(received=8, duplicates=4, quarantined=4)
    assert taken_in(engine, INBOX, "i2", mapping=MAPPING, source="mail") == again
    alone = taken_in(
        engine, resource("samples/mail/impostor.eml"), "i3", mapping=MAPPING, source="mail"
    )
    assert alone == Counts(received=1, duplicates=1)


def test_a_broken_message_is_kept_as_it_came_and_opens_its_case_when_mended(
    engine: Engine,
) -> None:
    taken_in(engine, INBOX, "i1", mapping=MAPPING, source="mail")
    with reading(engine) as session:
        [row] = list_rows(session, reason="bad_time")
        raw = row.raw
    assert raw in INBOX.read_bytes()
    mended = raw.replace(b"Fri, 31 Feb 2026 25:61:00", b"Sat, 28 Feb 2026 23:59:00")
    with transaction(engine) as session:
        done = retry_row(session, row.id, Correction(raw=mended), BY, NOW)
    assert done.outcome == "opened"
    with reading(engine) as session:
        case = session.get_one(Case, case_id("mail", "31@clock.example"))
    assert case.received_at.isoformat() == "2026-02-28T23:59:00+00:00"
