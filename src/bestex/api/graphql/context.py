"""What a resolver is given: the desk as whoever asks may see it."""

import strawberry
from strawberry.fastapi import BaseContext

from bestex.api.access import Access, Desk


class Context(BaseContext):
    """`access` comes from where the REST routes take theirs."""

    def __init__(self, access: Access) -> None:
        super().__init__()
        self.access = access


async def context(access: Desk) -> Context:
    return Context(access)


Info = strawberry.Info[Context, None]
