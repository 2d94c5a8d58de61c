"""Policy bundles of record: every bundle that has decided something, whole."""

from collections.abc import MutableMapping
from datetime import datetime
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlmodel import Session

from casework.errors import NotFound
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.policy.bundle import bundle_from_files
from casework.policy.model import Bundle
from casework.store.ledger import append
from casework.store.tables import PolicyBundle

#: Bundles that have been read, by store and digest: what a digest names never changes, and to read
#: and compare the files anew takes longer than most of what is asked of a bundle.
_READ: Final[MutableMapping[Any, dict[str, Bundle]]] = WeakKeyDictionary()

#: Bundles of one store that are kept so.
_MOST: Final = 64


def adopt_bundle(session: Session, bundle: Bundle, by: Provenance, now: datetime) -> bool:
    """Keep a bundle before it decides; False if it is kept already."""
    if session.get(PolicyBundle, bundle.digest):
        return False
    session.add(
        PolicyBundle(
            digest=bundle.digest,
            name=bundle.name,
            version=bundle.version,
            files=dict(bundle.files),
            adopted_at=now,
        )
    )
    data = {"name": bundle.name, "version": bundle.version, "files": len(bundle.files)}
    draft = Draft(SYSTEM, Action.POLICY_ADOPTED, data, policy_digest=bundle.digest)
    append(session, [draft], by, now)
    return True


def stored_files(session: Session, policy_digest: str) -> dict[str, str]:
    """The files of a stored bundle, path to text.

    Raises:
        NotFound: no bundle with this digest has decided anything.
    """
    kept = session.get(PolicyBundle, policy_digest)
    if kept is None:
        raise NotFound(f"no policy bundle {policy_digest[:12]} is kept in this store")
    return dict(kept.files)


def stored_bundle(session: Session, policy_digest: str) -> Bundle:
    """The bundle with this digest, as the store keeps it.

    Raises:
        NotFound: no bundle with this digest has decided anything.
    """
    read = _READ.setdefault(session.get_bind(), {})
    if policy_digest not in read:
        if len(read) >= _MOST:
            read.clear()
        read[policy_digest] = bundle_from_files(stored_files(session, policy_digest))
    return read[policy_digest]
