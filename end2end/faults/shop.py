"""A merchant whose customers are billed on test clocks, what is done to them, and everything that then is to be seen."""
import contextlib
import itertools
import shutil
import sqlite3
import tempfile
import threading
import uuid
from pathlib import Path

from installation import Gone, check, until

CLOCKS = '/v1/test_helpers/test_clocks'
MONTH = 32 * 86_400


class Shop:
    def __init__(self, installation):
        self.installation = installation
        self.clients = threading.local()
        self.frozen = installation.now()
        self.clock = self.api.post(CLOCKS, {'frozen_time': self.frozen})['id']
        self.prices = [self.price(amount) for amount in (1000, 3000)]

    @property
    def api(self):
        """A connection of each thread's own."""
        if not hasattr(self.clients, 'own'):
            self.clients.own = self.installation.client()
        return self.clients.own

    def price(self, amount, interval='month'):
        form = {'currency': 'usd', 'unit_amount': amount, 'recurring[interval]': interval, 'product_data[name]': 'Plan'}
        return self.api.post('/v1/prices', form)['id']

    def customer(self, method='pm_card_visa', clock=None):
        form = {'payment_method': method, 'invoice_settings[default_payment_method]': method}
        return self.api.post('/v1/customers', form | {'test_clock': clock or self.clock})['id']

    def subscribe(self, customer, **more):
        return self.api.post('/v1/subscriptions', {'customer': customer, 'items[0][price]': self.prices[0], **more})


class Operation:
    """One request to one customer's things. `prepare` makes them; `request` is its method, path and form."""

    status = 200
    # What a subscription is begun with.
    begun_with = {}

    def __init__(self, shop):
        self.shop, self.api = shop, shop.installation.client()
        self.key = f'faults-{uuid.uuid4()}'
        self.customer = self.make_customer()
        self.subscription = shop.subscribe(self.customer, **self.begun_with)
        self.request = self.prepare()

    def make_customer(self):
        return self.shop.customer()

    def ask(self):
        """Sends the request; `None` where no whole answer came."""
        method, path, form = self.request
        try:
            return self.api.ask(method, path, form, self.key)
        except Gone:
            return None

    def repeat(self):
        """Sends it again, as a client does that heard nothing, until it is answered for good."""
        return until(lambda: self.heard(self.ask()), lambda: f'{self.request}: {self.ask()}')

    @staticmethod
    def heard(answer):
        return None if answer is None or answer.status in (409, 500, 503) else answer

    def settle(self, seconds=30):
        """Waits until whatever the request has set off has been done."""

    def seen(self):
        """All that there is of the customer: the same after every run of the same operation."""
        customer = f'customer={self.customer}'
        subscription = self.api.get(f'/v1/subscriptions/{self.subscription["id"]}')
        card = self.api.get(f'/v1/customers/{self.customer}?expand[]=invoice_settings.default_payment_method')
        invoices = self.api.all(f'/v1/invoices?{customer}')
        charges = self.api.all(f'/v1/charges?{customer}')
        captured = captures(self.shop.installation)
        return {
            'subscription': [subscription[name] for name in ('status', 'current_period_start', 'cancel_at_period_end')],
            'price': [item['price']['id'] for item in subscription['items']['data']],
            'card': (card['invoice_settings']['default_payment_method'] or {}).get('card', {}).get('brand'),
            'invoices': sorted([i['billing_reason'], i['status'], i['total'], i['amount_paid']] for i in invoices),
            'charges': sorted([c['status'], c['amount']] for c in charges),
            'captured': sorted(amount for key, amount in captured if any(f'/{i["id"]}/' in key for i in invoices)),
            'events': sorted(event['type'] for event in self.events()),
            # A charge whose answer was lost is settled twice: as unknown, and as what became of it.
            'audit': sorted(e['action'] for e in self.api.all(f'/v1/audit_entries?{customer}') if e['action'] != 'payment.settled'),
        }

    def events(self):
        """The customer's events: all those since it was made that speak of it."""
        since = []
        for page in itertools.count():
            after = f'&starting_after={since[-1]["id"]}' if page else ''
            found = self.api.get(f'/v1/events?limit=100{after}')
            since += found['data']
            made = [e for e in since if e['type'] == 'customer.created' and e['data']['object']['id'] == self.customer]
            if made or not found['has_more']:
                break
        return [event for event in since if self.customer in str(event['data']['object'])]


class Switch(Operation):
    """To a dearer plan, charged at once."""

    def prepare(self):
        item = self.subscription['items']['data'][0]['id']
        form = {'items[0][id]': item, 'items[0][price]': self.shop.prices[1], 'proration_behavior': 'always_invoice'}
        return 'POST', f'/v1/subscriptions/{self.subscription["id"]}', form


class Pay(Operation):
    begun_with = {'payment_behavior': 'default_incomplete'}

    def prepare(self):
        return 'POST', f'/v1/invoices/{self.subscription["latest_invoice"]}/pay', {}


class PayInVain(Pay):
    """With a card that is declined: a refusal that is kept like any other answer."""

    status = 402

    def make_customer(self):
        return self.shop.customer('pm_card_chargeDeclinedInsufficientFunds')


class Cancel(Operation):
    def prepare(self):
        return 'DELETE', f'/v1/subscriptions/{self.subscription["id"]}', {}


class ChangeMethod(Operation):
    def prepare(self):
        method = self.api.post('/v1/payment_methods/pm_card_mastercard/attach', {'customer': self.customer})['id']
        return 'POST', f'/v1/customers/{self.customer}', {'invoice_settings[default_payment_method]': method}


class Renew(Operation):
    """A month goes by on a clock of the customer's own; the workers do the rest."""

    def make_customer(self):
        self.clock = self.api.post(CLOCKS, {'frozen_time': self.shop.frozen})['id']
        return self.shop.customer(clock=self.clock)

    def prepare(self):
        return 'POST', f'{CLOCKS}/{self.clock}/advance', {'frozen_time': self.shop.frozen + MONTH}

    def settle(self, seconds=30):
        until(lambda: self.api.get(f'{CLOCKS}/{self.clock}')['status'] == 'ready', 'the clock did not come to rest', seconds)


OPERATIONS = [Switch, Pay, PayInVain, Cancel, ChangeMethod, Renew]


def captures(installation):
    """Key and amount of everything that the test processor captured, from a copy of its ledger."""
    with tempfile.TemporaryDirectory() as folder:
        for ending in ('', '-wal'):
            ledger = installation.folder / f'sandbox.db{ending}'
            if ledger.exists():
                shutil.copy(ledger, Path(folder) / f'ledger.db{ending}')
        with contextlib.closing(sqlite3.connect(f'{folder}/ledger.db')) as ledger:
            return ledger.execute("select key, amount from charge where outcome = 'succeeded'").fetchall()


def books_agree(installation):
    """Every capture is one charge in the books, of the same amount, and the other way round; none is left open."""
    api = installation.client()

    def open_charges():
        return [charge for charge in api.all('/v1/charges') if charge['status'] == 'pending']

    until(lambda: not open_charges(), lambda: f'left without an end: {open_charges()}')
    written = sorted(c['amount'] for c in api.all('/v1/charges') if c['status'] == 'succeeded')
    captured = sorted(amount for _, amount in captures(installation))
    check(written == captured, f'{len(written)} charges of {sum(written)} in the books, {len(captured)} of {sum(captured)} captured')
    twice = [i['id'] for i in api.all('/v1/invoices') if i['amount_paid'] > i['amount_due'] or i['amount_remaining'] < 0]
    check(not twice, f'paid more than was due: {twice}')
