"""A message of JSON to a topic at QoS 1, MQTT 3.1.1: returns once the broker has taken it."""

import threading
from urllib.parse import urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from contactor.cloud.alerts.channels import Mqtt
from contactor.cloud.alerts.message import Message
from contactor.cloud.alerts.ports import NotDelivered

PORT, SECURE_PORT = 1883, 8883
TIMEOUT_S = 20.0


class MqttDriver:
    """Sends to one topic of a broker; connects for each message, for they are few."""

    def __init__(self, channel: Mqtt) -> None:
        self._channel = channel

    def send(self, message: Message) -> None:
        parts = urlsplit(self._channel.url)
        is_secure = parts.scheme == "mqtts"
        host, port = parts.hostname or "", parts.port or (SECURE_PORT if is_secure else PORT)
        client = Client(
            CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311, clean_session=True
        )
        client.connect_timeout = TIMEOUT_S
        if is_secure:
            client.tls_set()
        if self._channel.user:
            client.username_pw_set(self._channel.user, self._channel.password)
        self._deliver(client, host, port, message.json())

    def _deliver(self, client: Client, host: str, port: int, body: bytes) -> None:
        answered, answers = threading.Event(), list[str]()

        def on_connect(*arguments: object) -> None:
            code = arguments[3]
            if getattr(code, "is_failure", False):
                answers.append(str(code))
            answered.set()

        client.on_connect = on_connect
        try:
            client.connect(host, port, keepalive=30)
            client.loop_start()
            if not answered.wait(TIMEOUT_S):
                raise self._failed(host, f"no answer within {TIMEOUT_S:g} s")
            if answers:
                raise self._failed(host, f"refused the connection: {answers[0]}")
            sent = client.publish(self._channel.topic, body, qos=1)
            if sent.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise self._failed(host, "lost the connection")
            sent.wait_for_publish(TIMEOUT_S)
            if not sent.is_published():
                raise self._failed(host, f"not taken within {TIMEOUT_S:g} s")
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise self._failed(host, str(reason)) from None
        finally:
            client.disconnect()
            client.loop_stop()

    def _failed(self, host: str, reason: str) -> NotDelivered:
        return NotDelivered(f"{host}: {reason}")
