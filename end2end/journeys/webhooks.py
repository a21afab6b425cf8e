"""A merchant's receiver of webhooks in Python: every delivery verified by PyPI stripe and PyPI standardwebhooks, with one secret.

usage: PORTICO_URL=http://localhost:3000 PORTICO_KEY=sk_test_… python journeys/webhooks.py
The server must run with PORTICO_ALLOW_PRIVATE_WEBHOOKS=true.
"""

import os
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import stripe
from standardwebhooks import Webhook, WebhookVerificationError

from journey import connect

MANY = 10_000 if os.environ.get("PORTICO_TEST_SCALE") == "release" else 200
NAMES = ["Zoë", "名前", "שלום", '😀 "quoted" \\ /', "<b>&amp;</b>", "1.10"]


class Receiver(BaseHTTPRequestHandler):
    """Takes everything, and keeps it."""

    protocol_version = "HTTP/1.1"
    sent = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.sent.append((dict(self.headers.items()), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def read(headers, body, secret):
    """The event as each library reads it: the same."""
    low = {name.lower(): value for name, value in headers.items()}
    event = stripe.Webhook.construct_event(body, low["stripe-signature"], secret)
    other = Webhook(secret).verify(body, low)
    assert event.id == other["id"] == low["webhook-id"]
    return other


class Webhooks(unittest.TestCase):
    def test_every_delivery_is_verified(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        api = connect().v1
        url = f"http://127.0.0.1:{server.server_port}/hooks"
        endpoint = api.webhook_endpoints.create({"url": url, "enabled_events": ["customer.created"]})
        made = {api.customers.create({"name": NAMES[n % len(NAMES)]}).id for n in range(MANY)}
        seen, verified, end = {}, 0, time.monotonic() + 600
        while not made <= seen.keys():
            self.assertLess(time.monotonic(), end, "they did not come")
            for headers, body in Receiver.sent[verified:]:
                event = read(headers, body, endpoint.secret)
                seen[event["data"]["object"]["id"]] = event
                verified += 1
            time.sleep(0.05)
        self.assertEqual({event["type"] for event in seen.values()}, {"customer.created"})
        headers, body = Receiver.sent[0]
        low = {name.lower(): value for name, value in headers.items()}
        for bit in range(len(body) * 8):
            forged = bytearray(body)
            forged[bit >> 3] ^= 1 << (bit & 7)
            with self.assertRaises((stripe.SignatureVerificationError, ValueError)):
                stripe.Webhook.construct_event(bytes(forged), low["stripe-signature"], endpoint.secret)
            with self.assertRaises((WebhookVerificationError, ValueError)):
                Webhook(endpoint.secret).verify(bytes(forged), low)
        api.webhook_endpoints.delete(endpoint.id)
        server.shutdown()


if __name__ == "__main__":
    unittest.main()
