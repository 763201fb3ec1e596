"""From a credential to an identity, and whether it still stands."""

from collections.abc import Callable

from bestex.api.identity.identities import Identity
from bestex.api.identity.keys import is_of, key_id_of
from bestex.api.identity.registry import Registry
from bestex.api.identity.tokens import identity_of
from bestex.domain.errors import Unauthenticated
from bestex.ports import Clock


class Authentication:
    """Knows the identities of the newest registry."""

    def __init__(self, registry: Callable[[], Registry], wall: Clock) -> None:
        self._registry = registry
        self._wall = wall

    def identify(self, credential: str) -> Identity:
        """Whom an API key or a token stands for. Raises Unauthenticated, always in the same words."""
        registry, now_ns = self._registry(), self._wall.now_ns()
        key_id = key_id_of(credential)
        if key_id is None:
            if registry.tokens is None:
                raise Unauthenticated
            return identity_of(credential, registry.tokens, now_ns)
        key = registry.keys.get(key_id)
        if not is_of(key, credential) or key is None or key.is_revoked:
            raise Unauthenticated
        expires_ns = key.identity.expires_ns
        if expires_ns is not None and expires_ns <= now_ns:
            raise Unauthenticated
        return key.identity

    def still_stands(self, identity: Identity) -> bool:
        """False once it has run out, was revoked, or its key may now do something else."""
        registry, now_ns = self._registry(), self._wall.now_ns()
        if identity.expires_ns is not None and identity.expires_ns <= now_ns:
            return False
        if identity.by_token:
            return registry.tokens is not None and identity.credential not in registry.tokens.revoked
        key = registry.keys.get(identity.credential)
        return key is not None and not key.is_revoked and key.identity == identity
