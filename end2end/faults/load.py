"""Many customers who buy, switch, cancel and write themselves notes, and remember each answer that they were given."""
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from installation import Gone, check
from shop import Shop, books_agree


class Buyer:
    """Does one thing after the other; what was not answered is asked again with its key."""

    def __init__(self, shop):
        self.shop, self.api = shop, shop.installation.client()
        self.customer = shop.customer()
        self.pending = self.refused = None
        self.notes = self.bought = self.switched = self.canceled = 0
        self.answered = []
        self.subscription = None

    def step(self):
        """Answers whether something was acknowledged."""
        self.pending = self.pending or (*self.choose(), f'faults-{uuid.uuid4()}')
        done, method, path, form, key = self.pending
        try:
            answer = self.api.ask(method, path, form, key)
        except Gone as gone:
            self.refused = gone
            return False
        if answer.status in (409, 500, 503):
            self.refused = answer
            return False
        check(answer.status == 200, f'{method} {path}: {answer}')
        self.answered.append((method, path, form, key, answer.text))
        self.pending = None
        done(answer.json)
        return True

    def choose(self):
        """Every other time a note; else whatever comes next in the life of a subscription."""
        if (self.notes + self.bought + self.switched + self.canceled) % 2 == 0 or not self.is_settled():
            form = {'metadata[n]': self.notes + 1}
            return self.noted, 'POST', f'/v1/customers/{self.customer}', form
        if not self.subscription:
            form = {'customer': self.customer, 'items[0][price]': self.shop.prices[0]}
            return self.begun, 'POST', '/v1/subscriptions', form
        path = f'/v1/subscriptions/{self.subscription["id"]}'
        item = self.subscription['items']['data'][0]
        if item['price']['id'] == self.shop.prices[0]:
            form = {'items[0][id]': item['id'], 'items[0][price]': self.shop.prices[1], 'proration_behavior': 'always_invoice'}
            return self.changed, 'POST', path, form
        return self.ended, 'DELETE', path, None

    def is_settled(self):
        """Whether a charge without an answer, as after a kill, is out of the way."""
        if self.subscription and self.subscription['status'] != 'active':
            try:
                self.subscription = self.api.get(f'/v1/subscriptions/{self.subscription["id"]}')
            except (Gone, AssertionError):
                return False
        return not self.subscription or self.subscription['status'] == 'active'

    def noted(self, _):
        self.notes += 1

    def begun(self, subscription):
        self.bought, self.subscription = self.bought + 1, subscription

    def changed(self, subscription):
        self.switched, self.subscription = self.switched + 1, subscription

    def ended(self, _):
        self.canceled, self.subscription = self.canceled + 1, None

    def lost(self):
        """What was acknowledged and is not there, or is there more often; `[]` where nothing is pending and all is well."""
        api = self.shop.installation.client()
        customer = api.ask('GET', f'/v1/customers/{self.customer}')
        if customer.status != 200:
            return [f'{self.customer} itself']
        entries = [(e['request']['idempotency_key'], e['action']) for e in api.all(f'/v1/audit_entries?customer={self.customer}')]
        subscriptions = api.all(f'/v1/subscriptions?customer={self.customer}&status=all')
        ended = sum(subscription['status'] == 'canceled' for subscription in subscriptions)
        keys = {answer[3] for answer in self.answered}
        notes = {answer[3] for answer in self.answered if answer[1].startswith('/v1/customers/')}
        noted = [key for key, action in entries if action == 'customer.updated' and key in notes]
        found = [
            ('notes', self.notes, int(customer.json['metadata'].get('n', 0))),
            ('notes in the audit log', self.notes, len(noted)),
            ('subscriptions', self.bought, len(subscriptions)),
            ('cancellations', self.canceled, ended),
            ('cancellations in the audit log', self.canceled, [a for _, a in entries].count('customer.subscription.deleted')),
            ('changes in the audit log', len(keys), len(keys & {key for key, _ in entries})),
        ]
        return [f'{self.customer}: {what}: {there}, acknowledged {said}' for what, said, there in found if said != there]

    def replayed(self):
        """The last answer again, byte for byte."""
        if self.answered:
            method, path, form, key, text = self.answered[-1]
            again = self.shop.installation.client().ask(method, path, form, key)
            check(again.text == text, f'{method} {path}: replayed as {again}, first {text[:300]}')


class Load:
    def __init__(self, installation, buyers):
        self.installation, self.shop = installation, Shop(installation)
        self.buyers = in_parallel(lambda _: Buyer(self.shop), range(buyers))
        self.stopping = threading.Event()
        self.threads, self.failed = [], []

    def begin(self):
        self.stopping.clear()
        self.threads = [threading.Thread(target=self.work, args=(buyer,), daemon=True) for buyer in self.buyers]
        for thread in self.threads:
            thread.start()

    def work(self, buyer):
        try:
            while not self.stopping.is_set():
                # Whom nobody serves waits a little, as clients do.
                if not buyer.step():
                    time.sleep(0.05)
        except Exception as error:  # noqa: BLE001 - reported by end()
            self.failed.append(error)

    def end(self):
        """Lets everybody hear their answer or hang up; nobody asks again."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if self.failed:
            raise self.failed[0]

    def acknowledged(self):
        return sum(len(buyer.answered) for buyer in self.buyers)

    def resolve(self):
        """Everybody asks again for what was not answered, until it is."""
        end = time.monotonic() + 30

        def until_answered(buyer):
            while buyer.pending and not buyer.step():
                check(time.monotonic() < end, f'{buyer.pending[1:]} is not done: {buyer.refused}')
                time.sleep(0.05)

        in_parallel(until_answered, self.buyers)

    def lost(self):
        """What was acknowledged and is not there, or was not told of in an event."""
        lost = [line for lines in in_parallel(lambda buyer: buyer.lost(), self.buyers) for line in lines]
        told = {event['request']['idempotency_key'] for event in self.shop.api.all('/v1/events')}
        keys = {answer[3] for buyer in self.buyers for answer in buyer.answered}
        return lost + [f'no event of {key}' for key in keys - told]

    def verify(self):
        self.resolve()
        lost = self.lost()
        check(not lost, f'{len(lost)} lost or doubled: {lost[:5]}')
        in_parallel(lambda buyer: buyer.replayed(), self.buyers)
        books_agree(self.installation)


def in_parallel(work, things, at_once=16):
    """Does it for all, so many at once; the first failure is raised."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(work, things))
