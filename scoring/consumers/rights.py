"""What a visitor needs for a route: the scopes that REST asks for the same."""

from collections.abc import Sequence
from typing import Final

from perf.realtime.closing import FORBIDDEN, UNKNOWN, SocketClosedError
from perf.realtime.entry import Visitor
from riskplatform.api.keys.holders import ANYBODY, Identity
from riskplatform.api.keys.models import Organisation, Scope

# Alternatives: all scopes of one of them are needed.
Needed = Sequence[frozenset[str]]
ALERTS: Final = (frozenset({Scope.SCORES_READ.value}),)
JOBS: Final = (
    frozenset({Scope.PORTFOLIOS_READ.value}),
    frozenset({Scope.MODELS_WRITE.value}),
)
PORTFOLIOS: Final = (frozenset({Scope.PORTFOLIOS_READ.value, Scope.SCORES_READ.value}),)


def acts_for(identity: Identity, organisation_id: int, needed: Needed) -> bool:
    """Return whether somebody acts for an organisation, with the scopes needed."""
    principal = identity.principal
    if principal is None or principal.organisation.pk != organisation_id:
        return False
    return any(scopes <= principal.scopes for scopes in needed)


def organisation_of(visitor: Visitor, needed: Needed) -> Organisation:
    """Give the organisation a visitor acts for, if it may do this there."""
    principal = visitor.identity.principal
    if principal is None:
        if visitor.holder == ANYBODY:
            raise SocketClosedError(UNKNOWN, "a ticket, a key or a session is needed")
        raise SocketClosedError(FORBIDDEN, "name an organisation of yours")
    if not acts_for(visitor.identity, principal.organisation.pk, needed):
        names = " and ".join(sorted(needed[0]))
        raise SocketClosedError(FORBIDDEN, f"this needs the scope {names}")
    return principal.organisation
