"""D14: the clock jumps while the program runs: an hour back, a day and ten years on, and it runs at another speed."""
from browser import page, sign_in
from cluster import installed
from installation import check, faketime, until
from shop import Shop

DAY = 86_400
YEARS = 10 * 366 * DAY


class Clock:
    """The program's wall clock, moved while it runs."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / 'clock'
        self.set(0)

    def set(self, seconds, speed=''):
        # Read at every look at the clock, so never half written.
        next_one = self.file.with_suffix('.next')
        next_one.write_text(f'{seconds:+d}{speed}\n')
        next_one.rename(self.file)


def run(folder, database):
    clock = Clock(folder)
    installation = installed(folder, database)
    installation.environment |= faketime() | {'FAKETIME_TIMESTAMP_FILE': str(clock.file), 'FAKETIME_NO_CACHE': '1'}
    installation.start()
    shop = Shop(installation)
    daily, yearly = (subscribed(shop, interval) for interval in ('day', 'year'))
    cookie = sign_in(installation, daily['customer'])
    check(page(installation, cookie) == 200, 'the session does not live')

    clock.set(-3600)
    check(page(installation, cookie) == 200, 'an hour back, the session is over')
    subscribed(shop, 'day')
    check(periods(shop, daily) == 1, 'an hour back, something was billed')

    # A renewal has its own minute within the hour after the period's end.
    clock.set(DAY + 3700)
    until(lambda: periods(shop, daily) == 2, 'a day on, it was not renewed')
    check(page(installation, cookie) == 401, 'a day on, the session still lives')

    clock.set(0)
    check(page(installation, cookie) == 401, 'the clock went back, and the session came back to life')
    subscribed(shop, 'day')
    clock.set(DAY + 3700)
    until(lambda: everything_renewed(shop, DAY + 3700), 'the day that came again was not billed')
    until(lambda: periods(shop, daily) == 2, lambda: f'the day that came again: {periods(shop, daily)} periods billed')

    for subscription in shop.api.all('/v1/subscriptions'):
        if subscription['id'] != yearly['id']:
            shop.api.ask('DELETE', f'/v1/subscriptions/{subscription["id"]}', {}).ok()
    clock.set(DAY + 3700, ' x1.5')
    subscribed(shop, 'year')
    clock.set(YEARS + DAY)
    until(lambda: everything_renewed(shop, YEARS), 'ten years on, not all was renewed', 60)
    until(lambda: periods(shop, yearly) == 11, lambda: f'ten years on: {periods(shop, yearly)} periods billed')
    check(page(installation, cookie) == 401, 'ten years on, the session still lives')
    installation.end()
    return 'an hour back, a day on, back and on again, half as fast again, ten years on: each period billed once, no session revived'


def subscribed(shop, interval):
    """A customer on the wall's clock."""
    form = {'payment_method': 'pm_card_visa', 'invoice_settings[default_payment_method]': 'pm_card_visa'}
    customer = shop.api.post('/v1/customers', form)['id']
    return shop.api.post('/v1/subscriptions', {'customer': customer, 'items[0][price]': shop.price(500, interval)})


def periods(shop, subscription):
    """How many periods were billed and paid, each once."""
    # In this order, since the workers go on meanwhile.
    charges = shop.api.all(f'/v1/charges?customer={subscription["customer"]}')
    invoices = shop.api.all(f'/v1/invoices?subscription={subscription["id"]}')
    starts = [invoice['lines']['data'][0]['period']['start'] for invoice in invoices]
    check(len(set(starts)) == len(starts), f'a period was billed twice: {sorted(starts)}')
    check(len(charges) <= len(invoices), f'{len(charges)} charges for {len(invoices)} invoices')
    return sum(invoice['status'] == 'paid' for invoice in invoices)


def everything_renewed(shop, seconds):
    """Whether every subscription is paid until a time so far from now."""
    by = shop.frozen + seconds
    return all(s['items']['data'][0]['current_period_end'] > by for s in shop.api.all('/v1/subscriptions'))
