"""Policy bundles of record: every bundle that has decided something, whole."""

from datetime import datetime

from sqlmodel import Session

from casework.errors import NotFound
from casework.ledger.entries import SYSTEM, Action, Draft, Provenance
from casework.policy.bundle import bundle_from_files
from casework.policy.model import Bundle
from casework.store.ledger import append
from casework.store.tables import PolicyBundle


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
    return bundle_from_files(stored_files(session, policy_digest))
