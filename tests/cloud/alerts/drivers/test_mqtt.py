"""MQTT, against the listener of a real broker."""

import subprocess
import sysconfig
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from contactor.cloud.alerts.channels import Mqtt
from contactor.cloud.alerts.drivers.mqtt import MqttDriver
from contactor.cloud.alerts.ports import NotDelivered
from tests.cloud.alerts.drivers.test_http_drivers import MESSAGE
from tests.cloud.alerts.receivers import free_port

pytestmark = pytest.mark.processes
LIMIT_S = 60.0


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    port = free_port()
    config = folder / "broker.conf"
    config.write_text(
        f'server_name: "test"\nlisten: "127.0.0.1:{free_port()}"\n'
        f'jetstream {{ store_dir: "{folder / "store"}" }}\n'
        f'mqtt {{ listen: "127.0.0.1:{port}" }}\n'
        'authorization { user: "car", password: "right" }\n'
    )
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    process = subprocess.Popen([binary, "-c", config], stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(LIMIT_S)


def listen(port: int) -> tuple[Client, list[MQTTMessage], threading.Event]:
    """A client that has subscribed to everything below `home`."""
    heard, subscribed, some = list[MQTTMessage](), threading.Event(), threading.Event()
    client = Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set("car", "right")
    client.on_connect = lambda *_: client.subscribe("home/#", qos=1)
    client.on_subscribe = lambda *_: subscribed.set()

    def on_message(_: Client, __: object, message: MQTTMessage) -> None:
        heard.append(message)
        some.set()

    client.on_message = on_message
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            client.connect("127.0.0.1", port)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            break
    client.loop_start()
    assert subscribed.wait(LIMIT_S)
    return client, heard, some


def test_mqtt_publishes_json_that_a_client_hears(tmp_path: Path) -> None:
    with broker(tmp_path) as port:
        client, heard, some = listen(port)
        channel = Mqtt("home", f"mqtt://127.0.0.1:{port}", "home/car/alerts", "car", "right")

        MqttDriver(channel).send(MESSAGE)

        assert some.wait(LIMIT_S)
        client.disconnect()
        client.loop_stop()
        with pytest.raises(NotDelivered, match="refused the connection") as caught:
            MqttDriver(Mqtt("home", channel.url, channel.topic, "car", "wr0ng")).send(MESSAGE)

    [message] = heard
    assert (message.topic, message.qos) == ("home/car/alerts", 1)
    assert message.payload == MESSAGE.json()
    assert "wr0ng" not in str(caught.value)


def test_mqtt_broker_that_is_not_there_is_tried_again() -> None:
    channel = Mqtt("home", f"mqtt://127.0.0.1:{free_port()}", "home/car/alerts")
    with pytest.raises(NotDelivered, match="Connection refused") as caught:
        MqttDriver(channel).send(MESSAGE)

    assert not caught.value.is_final
