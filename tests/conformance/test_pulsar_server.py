"""What the desk relies on in Pulsar, asked of a real server: one order, one consumer, in sequence, each number once."""

import time
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.servers import PulsarServer

pulsar = pytest.importorskip("pulsar", reason="pulsar-client has no wheel for this machine")


@pytest.fixture
def client(pulsar_server: PulsarServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator["pulsar.Client"]:
    log = tmp_path_factory.mktemp("pulsar") / "client.log"
    logger = pulsar.FileLogger(pulsar.LoggerLevel.Warn, str(log))
    client = pulsar.Client(pulsar_server.url, operation_timeout_seconds=15, logger=logger)
    yield client
    client.close()


@pytest.fixture
def topic(pulsar_server: PulsarServer, pulsar_namespace: str) -> str:
    """Four partitions."""
    pulsar_server.admin("PUT", f"/persistent/{pulsar_namespace}/orders/partitions", 4)
    return f"persistent://{pulsar_namespace}/orders"


def drain(consumer: "pulsar.Consumer", expected: int) -> "list[pulsar.Message]":
    """Acknowledge `expected` messages, with patience, and whatever else comes within half a second."""
    seen: list[pulsar.Message] = []
    while True:
        try:
            seen.append(consumer.receive(30_000 if len(seen) < expected else 500))
        except pulsar.Timeout:
            return seen
        consumer.acknowledge(seen[-1])


def test_pulsar_takes_each_sequence_number_of_a_producer_once(client: "pulsar.Client", topic: str) -> None:
    consumer = client.subscribe(topic, "ledger", initial_position=pulsar.InitialPosition.Earliest)
    producer = client.create_producer(topic, producer_name="outbox", batching_enabled=False)
    for number in (1, 2, 3, 2, 3, 4):
        producer.send(str(number).encode(), partition_key="order-1", sequence_id=number)
    producer.close()
    again = client.create_producer(topic, producer_name="outbox", batching_enabled=False)
    assert again.last_sequence_id() == 4, "a restarted relay learns from the broker where it stopped"
    again.send(b"4", partition_key="order-1", sequence_id=4)
    again.send(b"5", partition_key="order-1", sequence_id=5)
    assert [message.data() for message in drain(consumer, 5)] == [b"1", b"2", b"3", b"4", b"5"]


def test_pulsar_lets_one_producer_of_a_name_live(client: "pulsar.Client", topic: str) -> None:
    client.create_producer(topic, producer_name="outbox")
    with pytest.raises(pulsar.exceptions.ProducerBusy):
        client.create_producer(topic, producer_name="outbox")


@pytest.mark.parametrize("kind", ["KeyShared", "Failover"])
def test_pulsar_gives_an_order_to_one_consumer_in_its_sequence(client: "pulsar.Client", topic: str, kind: str) -> None:
    heard: dict[str, list[tuple[str, int]]] = defaultdict(list)

    def listen(consumer: "pulsar.Consumer", message: "pulsar.Message") -> None:
        heard[message.partition_key()].append((consumer.consumer_name(), int(message.data())))
        consumer.acknowledge(message)

    for name in ("first", "second"):
        client.subscribe(
            topic, "desk", consumer_type=getattr(pulsar.ConsumerType, kind), consumer_name=name, message_listener=listen
        )
    producer = client.create_producer(topic, batching_enabled=False)
    for number in range(600):
        producer.send_async(str(number).encode(), None, partition_key=f"order-{number % 30}")
    producer.flush()
    deadline = time.monotonic() + 60
    while sum(map(len, heard.values())) < 600 and time.monotonic() < deadline:
        time.sleep(0.05)
    for order, events in heard.items():
        assert len({consumer for consumer, _ in events}) == 1, f"{order} was worked by two consumers"
        assert [number for _, number in events] == list(range(int(order.split("-")[1]), 600, 30))
    assert len(heard) == 30
    assert len({events[0][0] for events in heard.values()}) == 2, "both consumers have work"


def test_pulsar_reads_again_from_a_message_and_from_a_time(
    client: "pulsar.Client", pulsar_server: PulsarServer, pulsar_namespace: str
) -> None:
    pulsar_server.admin(
        "POST", f"/namespaces/{pulsar_namespace}/retention", {"retentionTimeInMinutes": 60, "retentionSizeInMB": 4096}
    )
    pulsar_server.admin("PUT", f"/persistent/{pulsar_namespace}/history")
    topic = f"persistent://{pulsar_namespace}/history"
    consumer = client.subscribe(topic, "replay", initial_position=pulsar.InitialPosition.Earliest)
    producer = client.create_producer(topic, batching_enabled=False)
    for number in range(5):
        producer.send(str(number).encode())
    time.sleep(0.05)  # the broker's times are whole milliseconds
    middle = int(time.time() * 1000)
    time.sleep(0.05)
    for number in range(5, 8):
        producer.send(str(number).encode())
    read = drain(consumer, 8)
    assert [message.data() for message in read] == [str(number).encode() for number in range(8)]
    consumer.seek(pulsar.MessageId.deserialize(read[2].message_id().serialize()))
    assert drain(consumer, 5)[0].data() == b"3", "a seek goes on after the message"
    consumer.seek(middle)
    assert [message.data() for message in drain(consumer, 3)] == [b"5", b"6", b"7"]


def test_pulsar_says_who_is_behind_and_by_how_much(
    client: "pulsar.Client", pulsar_server: PulsarServer, topic: str
) -> None:
    client.subscribe(topic, "monitoring", initial_position=pulsar.InitialPosition.Earliest, receiver_queue_size=1)
    producer = client.create_producer(topic, batching_enabled=False)
    for number in range(12):
        producer.send(b"", partition_key=f"order-{number}")
    path = f"/persistent/{topic.removeprefix('persistent://')}"
    assert pulsar_server.admin("GET", f"{path}/subscriptions") == ["monitoring"]
    counted = pulsar_server.admin("GET", f"{path}/partitioned-stats?getPreciseBacklog=true")
    assert counted["subscriptions"]["monitoring"]["msgBacklog"] == 12
