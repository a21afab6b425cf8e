"""The rules of billing's arithmetic in fractions, written from the rules and not from the program they judge.

Amounts are integers in minor units, instants unix seconds, rates and unit amounts decimal text."""

import calendar
from datetime import datetime, timedelta, timezone
from fractions import Fraction

DAY = 86_400
# The largest amount of a line or a document.
MOST = 99_999_999


def near(exact):
    """The nearest integer, ties away from zero, by magnitude: a charge and its credit are mirror images."""
    exact = Fraction(exact)
    magnitude = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return magnitude if exact >= 0 else -magnitude


# --- Periods


def months_after(instant, months):
    """The same day and time `months` later, clamped to the month's last day."""
    at = datetime.fromtimestamp(instant, timezone.utc)
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return int(at.replace(year=year, month=month + 1, day=day).timestamp())


def boundary(anchor, interval, count, n):
    """Where period n begins: always counted from the anchor, so that a short month does not move the later ones."""
    n *= count
    if interval in ("day", "week"):
        return anchor + n * DAY * (7 if interval == "week" else 1)
    return months_after(anchor, n * (12 if interval == "year" else 1))


# --- What a quantity costs


def cost(price, quantity):
    if "tiers" in price:
        walk = volume if price["tiers_mode"] == "volume" else graduated
        return near(walk(price["tiers"], quantity))
    if price.get("divide_by"):
        whole, rest = divmod(quantity, price["divide_by"])
        quantity = whole + (1 if rest and price["round"] == "up" else 0)
    return near(Fraction(price["unit"]) * quantity)


def of_tier(tier, units):
    return units * Fraction(tier.get("unit") or 0) + Fraction(tier.get("flat") or 0)


def volume(tiers, quantity):
    """All units at the price of the tier that the quantity falls into."""
    if quantity == 0:
        return 0
    return of_tier(next(t for t in tiers if t.get("up_to") is None or quantity <= t["up_to"]), quantity)


def graduated(tiers, quantity):
    """Each unit at its own tier's price; a flat fee where at least one unit falls into its tier."""
    total, below = Fraction(0), 0
    for tier in tiers:
        top = quantity if tier.get("up_to") is None else min(quantity, tier["up_to"])
        if top > below:
            total, below = total + of_tier(tier, top - below), top
    return total


# --- Proration: half-open spans of seconds


def share(amount, start, end, now):
    left = max(0, min(end - now, end - start))
    return near(Fraction(amount * left, end - start))


def stepped(amount, step):
    """The nearest multiple that a processor takes."""
    return near(Fraction(amount, step)) * step


# --- Discounts


def discounted(lines, off):
    """What one discount takes off each line; `lines` are what earlier discounts left. Lines of 0 or less are left alone."""
    if "percent" in off:
        return [near(max(0, line) * Fraction(off["percent"]) / 100) for line in lines]
    room = [max(0, line) for line in lines]
    whole = sum(room)
    rest = min(off["amount"], whole)
    if whole == 0:
        return [0] * len(lines)
    taken = [rest * line // whole for line in room]
    rest -= sum(taken)
    for n in reversed(range(len(lines))):
        more = min(rest, room[n] - taken[n])
        taken[n], rest = taken[n] + more, rest - more
    return taken


def spread(lines, offs):
    """What each discount, in the order given, takes off each line: a list a discount."""
    left, every = list(lines), []
    for off in offs:
        taken = discounted(left, off)
        left = [line - part for line, part in zip(left, taken)]
        every.append(taken)
    return every


def redemption_end(duration, months, redeemed):
    return months_after(redeemed, months) if duration == "repeating" else None


def covers(end, period_start):
    return end is None or period_start < end


def uses_up(duration, amount, only_prorations):
    return duration == "once" and amount > 0 and not only_prorations


# --- Tax


def taxed(amount, rates):
    """(net, a tax for each rate) of a line after its discounts. What is inside comes out first, what is on top is
    reckoned on what remains."""
    inside = sum(Fraction(rate["percentage"]) for rate in rates if rate.get("inclusive"))
    taxes = [
        near(amount * Fraction(rate["percentage"]) / (100 + inside)) if rate.get("inclusive") else None for rate in rates
    ]
    net = amount - sum(tax for tax in taxes if tax is not None)
    on_top = lambda rate: near(net * Fraction(rate["percentage"]) / 100)
    return net, [on_top(rate) if tax is None else tax for rate, tax in zip(rates, taxes)]


def noted(line, credited, amount):
    """The tax that a credit note over `amount` gives back of a line (amount, tax), where notes before gave `credited`.
    The last note takes the remainder, and no note more than there is."""
    of, tax = line
    if credited[0] + amount == of:
        return tax - credited[1]
    return min(near(Fraction(amount * tax, of)), tax - credited[1])


MEMBER_STATES = set("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())


def untaxed(merchant, customer, exempt, vat_id):
    if exempt == "exempt":
        return "customer_exempt"
    abroad = vat_id in MEMBER_STATES and merchant in MEMBER_STATES and vat_id != merchant
    return "reverse_charge" if exempt == "reverse" or abroad else None
