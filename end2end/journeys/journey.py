"""A merchant's backend in Python, with PyPI stripe.

usage: PORTICO_URL=http://localhost:3000 PORTICO_KEY=sk_test_… python journeys/journey.py
"""

import os
import time
import unittest
from decimal import Decimal

import stripe

URL = os.environ["PORTICO_URL"]
KEY = os.environ["PORTICO_KEY"]
DAY = 86_400


def connect(key=KEY):
    return stripe.StripeClient(key, base_addresses={"api": URL}, max_network_retries=0)


def unique(prefix):
    return f"{prefix}-{time.time_ns():x}-{os.getpid()}"


def ids(items):
    return [item.id for item in items]


def owners(thing):
    """Its own id and its customer's."""
    return thing.id, getattr(thing, "customer", None)


class Journey(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stripe.enable_telemetry = False
        cls.api = connect().v1
        cls.price = cls.api.prices.create(
            {
                "currency": "usd",
                "unit_amount": 1900,
                "recurring": {"interval": "month"},
                "product_data": {"name": "Team"},
            }
        )

    def customer_with(self, method, **more):
        """A customer whose default method is one of the test methods."""
        customer = self.api.customers.create({"name": "Maya Lindqvist", **more})
        attached = self.api.payment_methods.attach(method, {"customer": customer.id})
        return self.api.customers.update(customer.id, {"invoice_settings": {"default_payment_method": attached.id}})

    def subscribe(self, customer, **more):
        return self.api.subscriptions.create({"customer": customer.id, "items": [{"price": self.price.id}], **more})

    def refused(self, kind, call, **expected):
        """The call raises `kind`, whose attributes are as `expected`."""
        with self.assertRaises(kind) as caught:
            call()
        for name, value in expected.items():
            self.assertEqual(getattr(caught.exception, name), value, str(caught.exception))
        self.assertRegex(caught.exception.request_id, r"^req_\w+$")
        self.assertIn(caught.exception.headers["stripe-should-retry"], ("true", "false"))
        return caught.exception

    def test_account(self):
        account = self.api.accounts.retrieve_current()
        self.assertRegex(account.id, "^acct_")
        self.assertEqual(account.settings.dashboard.display_name, account.business_profile.name)
        self.assertRegex(account.last_response.request_id, "^req_")
        self.assertEqual(account.last_response.headers["stripe-version"], stripe.api_version)

    def test_products_and_prices(self):
        product = self.api.products.create({"name": "Notebook", "description": "Ruled", "metadata": {"shelf": "4"}})
        changed = self.api.products.update(product.id, {"name": "Notebook A5", "description": "", "metadata": {"shelf": ""}})
        self.assertEqual((changed.name, changed.description, changed.metadata.to_dict()), ("Notebook A5", None, {}))
        price = self.api.prices.create(
            {
                "product": product.id,
                "currency": "eur",
                "unit_amount": 12000,
                "recurring": {"interval": "year"},
                "lookup_key": unique("notebook"),
            }
        )
        self.assertEqual((price.type, price.recurring.interval), ("recurring", "year"))
        self.assertEqual(price.unit_amount_decimal, Decimal(12000))
        self.assertEqual(ids(self.api.prices.list({"product": product.id}).data), [price.id])
        self.assertEqual(ids(self.api.prices.list({"lookup_keys": [price.lookup_key]}).data), [price.id])
        self.assertEqual(self.api.prices.retrieve(price.id, {"expand": ["product"]}).product.name, "Notebook A5")
        self.assertFalse(self.api.prices.update(price.id, {"active": False}).active)
        self.refused(stripe.InvalidRequestError, lambda: self.api.products.delete(product.id), http_status=400)
        other = self.api.products.create({"name": "Pencil"})
        self.assertTrue(self.api.products.delete(other.id).deleted)
        self.refused(stripe.InvalidRequestError, lambda: self.api.products.retrieve(other.id), code="resource_missing")

    def test_customer_fields(self):
        address = {"line1": "Storgatan 1", "city": "Umeå", "postal_code": "903 26", "country": "SE"}
        made = self.api.customers.create(
            {
                "name": "Maya Lindqvist",
                "email": "maya+a@example.com",
                "phone": "+46 70 1",
                "address": address,
                "shipping": {"name": "Maya", "address": address},
                "preferred_locales": ["sv", "en"],
                "metadata": {"plan": "team", "seat": "3"},
            }
        )
        self.assertEqual((made.address.city, made.address.line2, made.email), ("Umeå", None, "maya+a@example.com"))
        self.assertEqual(made.preferred_locales, ["sv", "en"])
        cleared = self.api.customers.update(made.id, {"phone": "", "address": "", "shipping": "", "preferred_locales": ""})
        self.assertEqual((cleared.phone, cleared.address, cleared.shipping), (None, None, None))
        self.assertEqual((cleared.name, cleared.preferred_locales), ("Maya Lindqvist", []))
        self.assertEqual(self.api.customers.retrieve(made.id).to_dict(), cleared.to_dict())

    def test_metadata(self):
        customer = self.api.customers.create({"metadata": {"a": "1", "b": "2", "key with + and é": "ö"}})
        merged = self.api.customers.update(customer.id, {"metadata": {"b": "3", "a": ""}})
        self.assertEqual(merged.metadata.to_dict(), {"b": "3", "key with + and é": "ö"})
        self.assertEqual(self.api.customers.update(customer.id, {"metadata": ""}).metadata.to_dict(), {})

    def test_paging(self):
        email = f"{unique('page')}@example.com"
        made = [self.api.customers.create({"email": email, "name": f"Customer {n}"}).id for n in range(25)]
        newest = made[::-1]
        first = self.api.customers.list({"email": email, "limit": 10})
        self.assertEqual((first.url, first.has_more, ids(first.data)), ("/v1/customers", True, newest[:10]))
        self.assertEqual(ids(first.auto_paging_iter()), newest)
        backwards = self.api.customers.list({"email": email, "limit": 10, "ending_before": made[0]})
        self.assertEqual(ids(backwards.auto_paging_iter()), made[1:])
        recent = self.api.customers.list({"email": email, "created": {"gte": int(time.time()) - DAY, "lt": 4_000_000_000}})
        self.assertEqual(len(recent.data), 10)
        self.refused(stripe.InvalidRequestError, lambda: self.api.customers.list({"limit": 0}), param="limit")

    def test_payment_methods(self):
        customer = self.customer_with("pm_card_visa")
        expanded = self.api.customers.retrieve(customer.id, {"expand": ["invoice_settings.default_payment_method"]})
        method = expanded.invoice_settings.default_payment_method
        self.assertEqual((method.card.brand, method.card.last4, method.customer), ("visa", "4242", customer.id))
        sepa = self.api.payment_methods.attach("pm_sepaDebit", {"customer": customer.id})
        self.assertEqual(sepa.sepa_debit.last4, "3000")
        self.assertEqual(ids(self.api.customers.payment_methods.list(customer.id).data), [sepa.id, method.id])
        self.assertIsNone(self.api.payment_methods.detach(method.id).customer)

    def test_paid_subscription_and_its_invoice(self):
        customer = self.customer_with("pm_card_visa", email="maya@example.com")
        subscription = self.subscribe(customer, expand=["latest_invoice.payment_intent", "items.data.price.product"])
        self.assertEqual(subscription.status, "active")
        item = subscription.items.data[0]
        self.assertEqual((item.price.product.name, item.plan.amount), ("Team", 1900))
        self.assertEqual(item.current_period_end, subscription.current_period_end)
        invoice = subscription.latest_invoice
        self.assertEqual((invoice.status, invoice.total, invoice.amount_remaining), ("paid", 1900, 0))
        self.assertEqual((invoice.paid, invoice.subscription, invoice.tax), (True, subscription.id, 0))
        self.assertEqual(invoice.payment_intent.status, "succeeded")
        self.assertEqual(invoice.parent.subscription_details.subscription, subscription.id)
        self.assertEqual(ids(self.api.invoices.list({"customer": customer.id}).data), [invoice.id])
        line = self.api.invoices.line_items.list(invoice.id).data[0]
        self.assertEqual((line.amount, line.pricing.price_details.price), (1900, self.price.id))
        self.assertEqual(line.parent.subscription_item_details.subscription_item, item.id)
        self.assertEqual(self.api.invoices.retrieve(invoice.id).number, invoice.number)

    def test_trial(self):
        subscription = self.subscribe(self.api.customers.create(), trial_period_days=14, expand=["latest_invoice"])
        self.assertEqual((subscription.status, subscription.trial_end - subscription.trial_start), ("trialing", 14 * DAY))
        self.assertEqual((subscription.latest_invoice.total, subscription.latest_invoice.status), (0, "paid"))

    def test_declined_card(self):
        customer = self.customer_with("pm_card_chargeCustomerFail")
        subscription = self.subscribe(customer, expand=["latest_invoice.payment_intent"])
        self.assertEqual((subscription.status, subscription.latest_invoice.status), ("incomplete", "open"))
        error = subscription.latest_invoice.payment_intent.last_payment_error
        self.assertEqual((error.code, error.decline_code), ("card_declined", "generic_decline"))

    def test_cancel_and_undo(self):
        id = self.subscribe(self.customer_with("pm_card_visa")).id
        leaving = self.api.subscriptions.update(
            id, {"cancel_at_period_end": True, "cancellation_details": {"feedback": "unused"}}
        )
        self.assertEqual((leaving.status, leaving.cancel_at), ("active", leaving.items.data[0].current_period_end))
        self.assertEqual(leaving.cancellation_details.feedback, "unused")
        staying = self.api.subscriptions.update(id, {"cancel_at_period_end": False})
        self.assertEqual((staying.cancel_at, staying.cancellation_details.reason), (None, None))
        gone = self.api.subscriptions.cancel(id)
        self.assertEqual((gone.status, gone.ended_at), ("canceled", gone.canceled_at))
        self.assertEqual(self.api.subscriptions.list({"customer": gone.customer}).data, [])
        self.assertEqual(ids(self.api.subscriptions.list({"customer": gone.customer, "status": "all"}).data), [id])

    def test_portal_configuration(self):
        configurations = self.api.billing_portal.configurations
        usual = configurations.list({"is_default": True}).data[0]
        self.assertEqual(configurations.retrieve("default").id, usual.id)
        made = configurations.create(
            {
                "business_profile": {"headline": "Your plan"},
                "features": {
                    "customer_update": {"enabled": True, "allowed_updates": ["email", "address"]},
                    "subscription_cancel": {"enabled": True, "mode": "immediately"},
                },
            }
        )
        self.assertEqual(made.features.customer_update.allowed_updates, ["email", "address"])
        self.assertEqual((made.features.subscription_cancel.mode, made.is_default), ("immediately", False))
        changed = configurations.update(made.id, {"features": {"customer_update": {"enabled": False}}, "active": False})
        self.assertEqual((changed.features.customer_update.enabled, changed.active), (False, False))

    def test_tax_ids_setup_intents_and_webhook_endpoints(self):
        customer = self.api.customers.create()
        vat = self.api.customers.tax_ids.create(customer.id, {"type": "eu_vat", "value": "DE123456789"})
        self.assertEqual((vat.country, vat.owner.customer), ("DE", customer.id))
        self.assertEqual(ids(self.api.customers.tax_ids.list(customer.id).data), [vat.id])
        self.assertTrue(self.api.customers.tax_ids.delete(customer.id, vat.id).deleted)
        intent = self.api.setup_intents.create({"customer": customer.id})
        done = self.api.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
        self.assertEqual(done.status, "succeeded")
        declined = {"customer": customer.id, "payment_method": "pm_card_chargeDeclined", "confirm": True}
        self.refused(stripe.CardError, lambda: self.api.setup_intents.create(declined), http_status=402, code="card_declined")
        hook = self.api.webhook_endpoints.create({"url": "https://example.com/hooks", "enabled_events": ["*"]})
        self.assertTrue(hook.secret.startswith("whsec_"))
        self.assertTrue(self.api.webhook_endpoints.delete(hook.id).deleted)

    def test_portal_session_with_parameters_of_ours(self):
        client = connect()
        customer = self.api.customers.create()
        params = {"customer": customer.id, "return_url": "https://example.com/a", "cancel_url": "https://example.com/b"}
        session = self.api.billing_portal.sessions.create(params)
        self.assertRegex(session.url, r"^https?://.+/session/[\w-]{43}$")
        self.assertEqual((session.cancel_url, session.return_url), ("https://example.com/b", "https://example.com/a"))
        self.assertEqual(session.expires_at - session.created, 30 * 60)
        raw = client.raw_request("post", "/v1/billing_portal/sessions", **params)
        again = client.deserialize(raw, api_mode="V1")
        self.assertEqual((again.object, again.cancel_url), ("billing_portal.session", "https://example.com/b"))
        bad = {"customer": customer.id, "return_url": "javascript:alert(1)"}
        self.refused(
            stripe.InvalidRequestError,
            lambda: self.api.billing_portal.sessions.create(bad),
            code="url_invalid",
            param="return_url",
        )

    def test_deleted_customer_and_events(self):
        customer = self.customer_with("pm_card_visa")
        subscription = self.subscribe(customer)
        self.assertTrue(self.api.customers.delete(customer.id).deleted)
        self.assertTrue(self.api.customers.retrieve(customer.id).deleted)
        self.assertEqual(self.api.subscriptions.retrieve(subscription.id).status, "canceled")
        self.refused(
            stripe.InvalidRequestError,
            lambda: self.api.customers.update(customer.id, {"name": "x"}),
            http_status=404,
            code="resource_missing",
        )
        recent = self.api.events.list({"created": {"gte": customer.created}, "limit": 100}).auto_paging_iter()
        ours = [event for event in recent if customer.id in owners(event.data.object)]
        self.assertEqual(
            [event.type for event in reversed(ours)],
            [
                "customer.created",
                "payment_method.attached",
                "customer.updated",
                "invoice.created",
                "customer.updated",  # the first invoice fixes the currency
                "invoice.finalized",
                "customer.subscription.created",
                "payment_intent.created",
                "payment_intent.succeeded",
                "invoice.paid",
                "customer.subscription.updated",
                "customer.subscription.deleted",
                "customer.deleted",
            ],
        )
        first = ours[-1]
        self.assertEqual((first.api_version, first.origin), ("2026-10-28.endive", "api"))
        self.assertRegex(first.request.id, "^req_")

    def test_idempotency(self):
        options = {"idempotency_key": unique("once")}
        first = self.api.customers.create({"name": "Once"}, options)
        again = self.api.customers.create({"name": "Once"}, options)
        self.assertEqual(again.to_dict(), first.to_dict())
        self.assertNotIn("idempotent-replayed", first.last_response.headers)
        self.assertEqual(again.last_response.headers["idempotent-replayed"], "true")
        self.refused(
            stripe.IdempotencyError, lambda: self.api.customers.create({"name": "Twice"}, options), http_status=400
        )

    def test_refusals(self):
        invalid, customers = stripe.InvalidRequestError, self.api.customers
        self.refused(invalid, lambda: customers.create({"email": "nonsense"}), code="email_invalid", param="email")
        self.refused(invalid, lambda: customers.create({"colour": "red"}), code="parameter_unknown", param="colour")
        self.refused(invalid, lambda: customers.create({"source": "tok_visa"}), code="parameter_unsupported", param="source")
        self.refused(invalid, lambda: customers.retrieve("cus_none"), http_status=404, code="resource_missing", param="id")
        self.refused(invalid, lambda: customers.list({"expand": ["data.nothing"]}), http_status=400, param="expand")
        self.refused(stripe.AuthenticationError, lambda: connect("sk_test_nobody").v1.customers.list(), http_status=401)
        self.refused(
            stripe.PermissionError, lambda: customers.list({}, {"stripe_account": "acct_other"}), http_status=403
        )

    def test_envelopes(self):
        """What no SDK would send is still answered so that an SDK reads it."""
        raw, invalid = connect(KEY).raw_request, stripe.InvalidRequestError
        self.refused(invalid, lambda: raw("post", "/v1/nothing"), http_status=404)
        # The SDK has no class of its own for what Stripe never answers.
        self.refused(stripe.APIError, lambda: raw("delete", "/v1/customers"), http_status=405)
        long = {"description": "x" * 1024 * 1024}
        self.refused(stripe.APIError, lambda: self.api.customers.create(long), http_status=413)

    def test_module_style(self):
        """What much code in the world does: settings and classes of the module."""
        stripe.api_key, stripe.api_base, stripe.max_network_retries = KEY, URL, 0
        customer = stripe.Customer.create(name="Module", metadata={"a": "1"})
        self.assertEqual(stripe.Customer.retrieve(customer.id).name, "Module")
        self.assertEqual(stripe.Customer.modify(customer.id, name="Changed").name, "Changed")
        self.assertTrue(customer.delete().deleted)


if __name__ == "__main__":
    unittest.main()
