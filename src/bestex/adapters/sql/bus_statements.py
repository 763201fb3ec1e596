"""What the SQL bus asks of its database: each function is one transaction's work on a connection."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, func, select, true, update

from bestex.adapters.memory.bus import check_number, no_longer_kept, no_subscription
from bestex.adapters.sql.bus_tables import BUS_RECORDS, CURSORS, PRODUCERS, SHARDS
from bestex.ports import Delivery, Outgoing, Subscription

Place = tuple[str, int]  # topic and shard


@dataclass(frozen=True, kw_only=True)
class Publication:
    """Records of one producer for one shard."""

    place: Place
    producer: str
    records: Sequence[Outgoing]


@dataclass(frozen=True, kw_only=True)
class Statements:
    """The statements in one dialect. `insert` knows ON CONFLICT; `now_ns` is the database's clock, as SQL."""

    insert: Callable[[Any], Any]
    now_ns: Callable[[], Any]
    channel: str | None  # of NOTIFY; None where there is none

    def publish(self, publications: Sequence[Publication], connection: Connection) -> set[Place]:
        """Number and keep what is new; the shards that have more now."""
        grown = set()
        # In order of their places: two processes that lock several shards can then never wait for each other.
        for place in sorted({item.place for item in publications}):
            here = [item for item in publications if item.place == place]
            newest, newest_ns, now_ns = self._lock(place, connection)
            heard = self._heard(place, {item.producer for item in here}, connection)
            rows: list[dict[str, Any]] = []
            published_ns = max(newest_ns, now_ns)
            for item in here:
                for record in item.records:
                    if record.sequence <= heard[item.producer]:
                        continue
                    heard[item.producer] = record.sequence
                    rows.append(
                        {
                            "topic": place[0],
                            "shard": place[1],
                            "number": newest + len(rows) + 1,
                            "key": record.key,
                            "headers": msgspec.json.encode(record.headers).decode(),
                            "body": record.body,
                            "published_ns": published_ns,
                        }
                    )
            if rows:
                connection.execute(BUS_RECORDS.insert(), rows)
                connection.execute(
                    update(SHARDS).where(_at(SHARDS, place)).values(newest=rows[-1]["number"], newest_ns=published_ns)
                )
                self._keep_heard(place, {item.producer: heard[item.producer] for item in here}, connection)
                if self.channel is not None:
                    connection.execute(select(func.pg_notify(self.channel, f"{place[0]}/{place[1]}")))
                grown.add(place)
        return grown

    def check_position(self, place: Place, after: str | None, connection: Connection) -> int:
        """The number after which a reader goes on. Raises NotFound."""
        row = connection.execute(select(SHARDS.c.removed, SHARDS.c.newest).where(_at(SHARDS, place))).first()
        removed, newest = row or (0, 0)
        return removed if after is None else check_number(after, removed, newest)

    def read(self, place: Place, number: int, limit: int, connection: Connection) -> Sequence[Delivery]:
        """Raises NotFound if what follows the number was removed since the reader came there."""
        rows = connection.execute(
            select(BUS_RECORDS)
            .where(_at(BUS_RECORDS, place), BUS_RECORDS.c.number > number)
            .order_by(BUS_RECORDS.c.number)
            .limit(limit)
        ).all()
        if rows and rows[0].number != number + 1:
            raise no_longer_kept(str(number))
        return [
            Delivery(
                position=str(row.number),
                key=row.key,
                body=bytes(row.body),
                headers=msgspec.json.decode(row.headers, type=dict[str, str]),
                published_ns=row.published_ns,
            )
            for row in rows
        ]

    def end(self, place: Place, connection: Connection) -> str | None:
        row = connection.execute(select(SHARDS.c.removed, SHARDS.c.newest).where(_at(SHARDS, place))).first()
        return str(row.newest) if row is not None and row.newest > row.removed else None

    def topics(self, connection: Connection) -> Sequence[str]:
        return sorted(connection.scalars(select(SHARDS.c.topic).distinct()))

    def subscribe(self, topic: str, name: str, shards: int, from_start: bool, connection: Connection) -> None:
        for shard in range(shards):
            self._lock((topic, shard), connection)
            end = SHARDS.c.removed if from_start else SHARDS.c.newest
            done = connection.scalar(select(end).where(_at(SHARDS, (topic, shard))))
            cursor = {"topic": topic, "shard": shard, "name": name, "done": done, "is_paused": False}
            connection.execute(self.insert(CURSORS).values(cursor).on_conflict_do_nothing())

    def unsubscribe(self, topic: str, name: str, connection: Connection) -> None:
        if not connection.execute(delete(CURSORS).where(_named(topic, name))).rowcount:
            raise no_subscription(topic, name)

    def subscriptions(self, topic: str, connection: Connection) -> Sequence[Subscription]:
        rows = connection.execute(
            select(CURSORS, SHARDS.c.newest)
            .join(SHARDS, and_(SHARDS.c.topic == CURSORS.c.topic, SHARDS.c.shard == CURSORS.c.shard))
            .where(CURSORS.c.topic == topic)
        ).all()
        return [
            Subscription(
                name=row.name,
                topic=topic,
                shard=row.shard,
                position=str(row.done) if row.done else None,
                lag=row.newest - row.done,
                is_paused=row.is_paused,
            )
            for row in sorted(rows, key=lambda row: (row.name, row.shard))
        ]

    def receive(self, place: Place, name: str, limit: int, connection: Connection) -> Sequence[Delivery]:
        cursor = connection.execute(select(CURSORS).where(_at(CURSORS, place), CURSORS.c.name == name)).first()
        if cursor is None:
            raise no_subscription(place[0], name)
        return () if cursor.is_paused else self.read(place, cursor.done, limit, connection)

    def acknowledge(self, place: Place, name: str, position: str, connection: Connection) -> None:
        newest = connection.scalar(select(SHARDS.c.newest).where(_at(SHARDS, place))) or 0
        number = check_number(position, 0, newest)
        here = and_(_at(CURSORS, place), CURSORS.c.name == name)
        connection.execute(update(CURSORS).where(here, CURSORS.c.done < number).values(done=number))
        if connection.scalar(select(CURSORS.c.done).where(here)) is None:
            raise no_subscription(place[0], name)

    def seek(
        self, topic: str, name: str, time_ns: int | None, sequence: int | None, connection: Connection
    ) -> set[Place]:
        """Move every shard's cursor; the places that may have more now."""
        found = connection.scalars(select(CURSORS.c.shard).where(_named(topic, name))).all()
        if not found:
            raise no_subscription(topic, name)
        for shard in sorted(found):
            place = (topic, shard)
            self._lock(place, connection)
            removed, newest = connection.execute(
                select(SHARDS.c.removed, SHARDS.c.newest).where(_at(SHARDS, place))
            ).one()
            if time_ns is None:
                done = min(removed + (sequence or 0), newest)
            else:
                earlier = and_(_at(BUS_RECORDS, place), BUS_RECORDS.c.published_ns < time_ns)
                done = connection.scalar(select(func.max(BUS_RECORDS.c.number)).where(earlier)) or removed
            connection.execute(update(CURSORS).where(_at(CURSORS, place), CURSORS.c.name == name).values(done=done))
        return {(topic, shard) for shard in found}

    def pause(self, topic: str, name: str, paused: bool, connection: Connection) -> set[Place]:
        connection.execute(update(CURSORS).where(_named(topic, name)).values(is_paused=paused))
        found = connection.scalars(select(CURSORS.c.shard).where(_named(topic, name))).all()
        if not found:
            raise no_subscription(topic, name)
        return {(topic, shard) for shard in found}

    def remove(self, topic: str, connection: Connection) -> None:
        for table in (CURSORS, PRODUCERS, BUS_RECORDS, SHARDS):
            connection.execute(delete(table).where(table.c.topic == topic))

    def retain(self, older_than_seconds: float, topic: str | None, connection: Connection) -> None:
        """Remove what is older and acknowledged by every subscription."""
        which = true() if topic is None else SHARDS.c.topic == topic
        for place in connection.execute(select(SHARDS.c.topic, SHARDS.c.shard).where(which)).all():
            _, _, now_ns = self._lock((place.topic, place.shard), connection)
            here = (place.topic, place.shard)
            before = BUS_RECORDS.c.published_ns < now_ns - int(older_than_seconds * 1e9)
            old = connection.scalar(select(func.max(BUS_RECORDS.c.number)).where(_at(BUS_RECORDS, here), before))
            done = connection.scalar(select(func.min(CURSORS.c.done)).where(_at(CURSORS, here)))
            if old is None or done == 0:
                continue
            last = old if done is None else min(old, done)
            connection.execute(delete(BUS_RECORDS).where(_at(BUS_RECORDS, here), BUS_RECORDS.c.number <= last))
            connection.execute(update(SHARDS).where(_at(SHARDS, here), SHARDS.c.removed < last).values(removed=last))

    def _lock(self, place: Place, connection: Connection) -> tuple[int, int, int]:
        """The shard's newest number and its time, and the time now; nobody else writes the shard until the commit."""
        shard = {"topic": place[0], "shard": place[1], "newest": 0, "removed": 0, "newest_ns": 0}
        connection.execute(self.insert(SHARDS).values(shard).on_conflict_do_nothing())
        row = connection.execute(
            select(SHARDS.c.newest, SHARDS.c.newest_ns, self.now_ns()).where(_at(SHARDS, place)).with_for_update()
        ).one()
        return row[0], row[1], int(row[2])

    def _heard(self, place: Place, producers: set[str], connection: Connection) -> defaultdict[str, int]:
        rows = connection.execute(
            select(PRODUCERS.c.producer, PRODUCERS.c.newest).where(
                _at(PRODUCERS, place), PRODUCERS.c.producer.in_(sorted(producers))
            )
        ).all()
        return defaultdict(lambda: -1, {row.producer: row.newest for row in rows})

    def _keep_heard(self, place: Place, heard: dict[str, int], connection: Connection) -> None:
        statement = self.insert(PRODUCERS)
        statement = statement.on_conflict_do_update(
            index_elements=["topic", "shard", "producer"], set_={"newest": statement.excluded.newest}
        )
        rows = [
            {"topic": place[0], "shard": place[1], "producer": producer, "newest": newest}
            for producer, newest in sorted(heard.items())
        ]
        connection.execute(statement, rows)


def _at(table: Any, place: Place) -> Any:
    return and_(table.c.topic == place[0], table.c.shard == place[1])


def _named(topic: str, name: str) -> Any:
    return and_(CURSORS.c.topic == topic, CURSORS.c.name == name)
