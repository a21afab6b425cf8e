"""One customer's books, kept by the rules: what a log of actions must have written on every invoice.

Where the rules leave something open, it is taken to be so:
- A `once` is taken only off an invoice that uses it up (its lines before discounts are more than nothing, and not all
  are prorations). From then on it stands for that period: what is changed in it is reckoned with it. Before, it waits.
- A `repeating` that covers a period covers it to its end, unless it is taken away before its own. So does what is
  prorated. A new period that begins within asks anew.
- The share of an amount off that an item's price bears is that of the items as they are after the change.
- A line that gives back shows the quantity that was billed; one in place of another shows it too, if it gives back.
- Credit settles first what is owed on the same subscription, oldest invoice first; what is too little to charge then
  waits on the balance. Only what is left is the customer's.
- Where more waits to be given back than asked for when a subscription is canceled, and something is owed on it, the last
  invoice is made at once, so that it settles that.
- A change that counts from before what was last billed of an item is refused; so is one that leaves nothing, or a price
  twice, or another interval while paused, or another anchor on trial or while paused.
"""

import arithmetic as a


class Refused(Exception):
    """Nothing of the action was done."""


# What cannot be done to a subscription that has ended.
OF_A_LIVE_ONE = ("change", "cancel_at_period_end", "discount", "pause", "resume")


class Books:
    """Replays a log: `prices`, `coupons` and `rates` by name, and `actions` in the order of time."""

    def __init__(self, log):
        self.log = log
        self.balance = 0
        self.invoices = []
        self.waiting = []  # lines for the next invoice
        self.discounts = []
        self.items = {}
        self.status = None
        self.refused = []  # actions, by their place in the log
        for n, action in enumerate(log["actions"]):
            self.pass_until(action["at"])
            try:
                if self.status == "canceled" and action["do"] in OF_A_LIVE_ONE and not self.says_nothing(action):
                    raise Refused
                getattr(self, action["do"])(action, action["at"])
            except Refused:
                self.refused.append(n)

    def says_nothing(self, action):
        return action["do"] == "change" and not action["items"] and "anchor" not in action

    # --- Invoices

    def line(self, amount, start, end, item=None, rates=None, proration=False, discountable=True, quantity=1):
        return {
            "amount": amount, "start": start, "end": end, "item": item and item["name"], "quantity": quantity,
            "rates": self.rates_of(item) if item and rates is None else rates,
            "proration": proration, "discountable": discountable, "discounts": {}, "taxes": {},
        }

    def rates_of(self, item):
        return item["rates"] or self.rates

    def invoice(self, reason, lines, start, now):
        """A finalised invoice over `lines`; each discount that covers a period from `start` on takes its part."""
        offered = [line for line in lines if line["discountable"]]
        subtotal = sum(line["amount"] for line in lines)
        offers = self.offers(start, subtotal, all(line["proration"] for line in lines))
        parts = a.spread([line["amount"] for line in offered], [self.off(offer) for offer in offers])
        for offer, part in zip(offers, parts):
            for line, taken in zip(offered, part):
                if taken:
                    line["discounts"][offer["coupon"]] = line["discounts"].get(offer["coupon"], 0) + taken
        total = 0
        for line in lines:
            self.tax(line)
            total += line["net"] + sum(line["taxes"].values())
        made = {
            "reason": reason, "start": start, "created": now, "lines": lines, "subtotal": subtotal, "total": total,
            "discount": sum(sum(line["discounts"].values()) for line in lines),
            "tax": sum(sum(line["taxes"].values()) for line in lines),
            "number": len(self.invoices) + 1, "starting": self.balance,
        }
        self.apply_balance(made)
        made["paid"] = made["due"] == 0 or self.pays
        self.invoices.append(made)
        for offer in offers:
            taken = any(offer["coupon"] in line["discounts"] or line["amount"] > 0 for line in offered)
            if self.coupon(offer)["duration"] == "once" and taken:
                offer["used"] = start
        self.settle(-max(made["total"], made["ending"]))
        return made

    def settle(self, credit):
        for owed in self.invoices:
            if credit <= 0:
                return
            if owed["paid"]:
                continue
            left = owed["due"] - credit
            used = min(credit, owed["due"])
            carried = left if 0 < left < self.log["least"] else 0
            owed["due"] = 0 if carried else max(0, left)
            owed["paid"] = owed["due"] == 0
            self.balance += used + carried
            credit -= used

    def tax(self, line):
        rates = [self.log["rates"][name] for name in line["rates"]]
        line["net"], taxes = a.taxed(line["amount"] - sum(line["discounts"].values()), rates)
        line["taxes"] = dict(zip(line["rates"], taxes))

    def apply_balance(self, made):
        """A negative total becomes credit; credit is used up to the total, and a debt is asked for with it. What the
        processor would not charge waits on the balance."""
        both = made["total"] + self.balance
        if made["total"] <= 0:
            made["due"], self.balance = 0, both
        elif both < self.log["least"]:
            made["due"], self.balance = 0, both
        else:
            made["due"], self.balance = both, 0
        made["ending"] = self.balance

    # --- Discounts

    def coupon(self, offer):
        return self.log["coupons"][offer["coupon"]]

    def off(self, offer):
        return self.coupon(offer)

    def redeem(self, names, now):
        for position, name in enumerate(names):
            coupon = self.log["coupons"][name]
            end = a.redemption_end(coupon["duration"], coupon.get("months"), now)
            self.discounts.append({"coupon": name, "end": end, "used": None, "gone": None, "position": position})

    def discount(self, action, now):
        """Other ones take the place of those there are. What is used up or over is there no more."""
        for d in self.discounts:
            if d["used"] is None and d["gone"] is None:
                d["gone"] = now
        self.redeem(action["coupons"], now)

    def offers(self, start, amount, only_prorations):
        """Those for an invoice of the period that starts then."""
        free = [d for d in self.in_order() if d["used"] is None and d["gone"] is None and a.covers(d["end"], start)]
        fits = lambda d: a.uses_up("once", amount, only_prorations) or self.coupon(d)["duration"] != "once"
        return [d for d in free if fits(d)]

    def standing(self, start):
        """Those for what is left of the period that started then."""
        once = lambda d: self.coupon(d)["duration"] == "once"
        stays = lambda d: d["gone"] is None or (d["end"] is not None and d["end"] <= d["gone"])
        fits = lambda d: d["used"] == start if once(d) else stays(d) and a.covers(d["end"], start)
        return [d for d in self.in_order() if fits(d)]

    def in_order(self):
        return sorted(self.discounts, key=lambda d: d["position"])

    # --- The subscription

    def subscribe(self, action, now):
        self.rates, self.pays = action.get("rates", []), action["pays"]
        for item in action["items"]:
            self.put(item)
        self.redeem(action.get("discounts", []), now)
        end = action.get("trial_end")
        if end:
            self.status, self.anchor, self.cycle, self.start, self.end = "trialing", end, -1, now, end
            lines = [self.line(0, now, end, item, quantity=item["quantity"]) for item in self.items.values()]
            return self.invoice("subscription_create", lines, now, now)
        self.begin(now)
        self.bill_period("subscription_create", now)

    def put(self, given):
        new = {"name": given["item"], "quantity": 1, "rates": [], "debit": None}
        item = self.items.setdefault(given["item"], new)
        for field in ("price", "quantity", "rates"):
            item[field] = given.get(field, item.get(field))

    def price(self, item):
        return self.log["prices"][item["price"]]

    def recurring(self):
        price = self.price(next(iter(self.items.values())))
        return price["interval"], price["count"]

    def begin(self, anchor):
        """A new count of periods from `anchor`."""
        self.status, self.anchor, self.cycle = "active", anchor, 0
        self.start, self.end = anchor, a.boundary(anchor, *self.recurring(), 1)

    def full_lines(self):
        cost = lambda item: a.cost(self.price(item), item["quantity"])
        return [self.line(cost(i), self.start, self.end, i, quantity=i["quantity"]) for i in self.items.values()]

    def bill_period(self, reason, now, order=None, credits=None):
        full = {line["item"]: line for line in self.full_lines()}
        lines = [line for name in order or full for line in ((credits or {}).get(name), full.get(name)) if line]
        made = self.invoice(reason, [*self.waiting, *lines], self.start, now)
        self.stand(made)
        self.waiting = []
        for name, line in full.items():
            self.debit(self.items[name], line, made)

    def debit(self, item, line, made):
        """What a later credit of the item goes by: what was asked for it, over what time, with which tax."""
        item["debit"] = {**line, "amount": line["amount"] - sum(line["discounts"].values()), "on": made}

    def pass_until(self, now):
        while self.status in ("trialing", "active", "paused") and self.end <= now:
            if self.ends_with_period:
                if self.waiting:
                    self.invoice_waiting(self.end)
                self.status = "canceled"
                return
            if self.status == "paused":
                return
            if self.status == "trialing":
                self.begin(self.end)
            else:
                self.cycle += 1
                self.start, self.end = self.end, a.boundary(self.anchor, *self.recurring(), self.cycle + 1)
            self.bill_period("subscription_cycle", self.start)

    ends_with_period = False

    # --- Changes

    def change(self, action, now):
        at, behavior = action.get("proration_date", now), action.get("behavior", "create_prorations")
        old, was = {name: dict(item) for name, item in self.items.items()}, self.recurring()
        self.items = {name: dict(item) for name, item in old.items()}
        try:
            self.change_items(action, old, was, at, now)
        except Refused:
            self.items = old
            raise
        if self.status in ("trialing", "canceled") or (self.status == "paused" and self.recurring() == was):
            return  # no money, and the trial ends when it ends
        order = [*self.items, *(name for name in old if name not in self.items)]
        if self.begins(action, was):
            return self.change_interval(order, old, behavior, at, now)
        if behavior == "none":
            return
        nets = self.nets()
        made = []
        for name in self.changed(order, old):
            prorate = self.full_difference if behavior == "full_difference" else self.prorate
            made += prorate(old.get(name), self.items.get(name), nets.get(name, 0), at)
        self.waiting += made
        if behavior != "create_prorations" and made:
            self.invoice_waiting(now)

    def begins(self, action, was):
        return self.recurring() != was or action.get("anchor") == "now"

    def changed(self, order, old):
        for name in order:
            before, after = old.get(name), self.items.get(name)
            if not before or not after or any(before[field] != after[field] for field in ("price", "quantity")):
                yield name

    def change_items(self, action, old, was, at, now):
        for item in action["items"]:
            if item["item"] not in self.items and (item.get("deleted") or "price" not in item):
                raise Refused
            if item.get("deleted"):
                del self.items[item["item"]]
                continue
            self.put(item)
            prices = [other["price"] for other in self.items.values()]
            if len(set(prices)) < len(prices):
                raise Refused
        rhythms = {(self.price(item)["interval"], self.price(item)["count"]) for item in self.items.values()}
        if len(rhythms) != 1 or not self.start <= at <= now:
            raise Refused
        if self.status == "paused" and (action.get("anchor") or self.recurring() != was):
            raise Refused
        if self.status == "trialing" and action.get("anchor"):
            raise Refused
        names = [*self.items, *old] if self.begins(action, was) else self.changed([*self.items, *old], old)
        billed = [old[name]["debit"] for name in names if name in old]
        if self.status == "active" and any(debit and debit["start"] > at for debit in billed):
            raise Refused

    def prorate(self, old, new, net, at):
        """Back comes the rest of what was asked for, and the rest of the period is asked for at the new price."""
        lines = [self.credit_line(old, at)] if old else []
        amount = a.share(net, self.start, self.end, at)
        debit = new and self.proration(amount, at, self.end, new)
        lines = [line for line in (*lines, debit) if line and line["amount"]]
        if new and lines:
            new["debit"] = {**debit, "on": None} if amount else None
        return lines

    def full_difference(self, old, new, net, at):
        """The new in place of the old, over the time that the old was asked for, whatever the date."""
        before = old and old["debit"]
        start, end = (before["start"], before["end"]) if before else (self.start, self.end)
        net = a.share(net, self.start, self.end, start)
        amount = net - (before["amount"] if before else 0)
        if not amount:
            return []
        line = self.proration(amount, start, end, (old if amount < 0 else None) or new or old)
        if amount < 0 and before:
            line["rates"] = before["rates"]
        if new:
            new["debit"] = {**line, "amount": net, "on": None} if net else None
        return [line]

    def proration(self, amount, start, end, item):
        return self.line(amount, start, end, item, proration=True, discountable=False, quantity=item["quantity"])

    def credit_line(self, item, at):
        """What is given back of what was last asked for, with the tax it bore; never of a price that was not billed."""
        debit = item["debit"]
        if not debit or debit["amount"] <= 0:
            return None
        amount = -a.share(debit["amount"], debit["start"], debit["end"], at)
        line = self.line(amount, max(at, debit["start"]), debit["end"], item, debit["rates"], True, False, item["quantity"])
        return line if amount else None

    def nets(self):
        """What a whole period of each item costs, less the discounts that are for this period: taken first, then
        prorated."""
        lines, offers = self.full_lines(), self.standing(self.start)
        parts = a.spread([line["amount"] for line in lines], [self.off(offer) for offer in offers])
        return {line["item"]: line["amount"] - sum(part[n] for part in parts) for n, line in enumerate(lines)}

    def change_interval(self, order, old, behavior, at, now):
        """The anchor moves to now: the rest of the old period comes back (all of it, where the whole difference is
        asked for), and a whole new one is billed at once."""
        credits = {}
        for name, item in old.items() if behavior != "none" else ():
            debit = item["debit"]
            credits[name] = self.credit_line(item, debit["start"] if debit and behavior == "full_difference" else at)
        self.begin(now)
        self.bill_period("subscription_update", now, order, credits)

    def invoice_waiting(self, now):
        made = self.invoice("subscription_update", self.waiting, self.start, now)
        self.stand(made)
        self.waiting = []

    def stand(self, made):
        """What waited stands on an invoice now."""
        for item in self.items.values():
            if item["debit"] and item["debit"]["on"] is None:
                item["debit"]["on"] = made

    # --- Everything else that moves money

    def wait(self, action, now):
        """Time goes by."""

    def cancel_at_period_end(self, action, now):
        self.ends_with_period = action["flag"]

    def unused(self, at):
        """Only what was paid comes back."""
        lines = []
        for item in self.items.values():
            debit = item["debit"]
            if debit and debit["end"] > at and (debit["on"] is None or debit["on"]["paid"]):
                line = self.credit_line(item, at)
                if line:
                    lines.append(line)
                    item["debit"] = None
        return lines

    def cancel(self, action, now):
        """What waits is collected, if it is to be, with it."""
        if self.status == "canceled":
            return
        if action.get("prorate"):
            self.waiting += self.unused(now)
        owes = any(not made["paid"] for made in self.invoices)
        gives_back = sum(line["amount"] for line in self.waiting) < 0
        if self.waiting and (action.get("invoice_now") or (owes and gives_back)):
            self.invoice_waiting(now)
        self.status = "canceled"

    def pause(self, action, now):
        if self.status == "trialing":
            raise Refused
        if self.status == "paused":
            return
        since = {"now": now, "item_current_period_start": self.start, "none": None}[action["unused_time_from"]]
        lines = self.unused(since) if since is not None else []
        self.status = "paused"
        if action["invoicing"] == "pending_invoice_item":
            self.waiting += lines
        elif lines:
            self.invoice("subscription_update", lines, self.start, now)

    def resume(self, action, now):
        """A new period now; or the rest of the one that it would be in, less what is paid for it already."""
        if self.status != "paused":
            raise Refused
        if action["anchor"] == "now":
            self.begin(now)
            return self.bill_period("subscription_update", now)
        self.status = "active"
        while a.boundary(self.anchor, *self.recurring(), self.cycle + 1) <= now:
            self.cycle += 1
        self.start = a.boundary(self.anchor, *self.recurring(), self.cycle)
        self.end = a.boundary(self.anchor, *self.recurring(), self.cycle + 1)
        for item in self.items.values():
            if item["debit"] and item["debit"]["end"] <= now:
                item["debit"] = None
        if action["behavior"] == "none":
            return
        nets, made = self.nets(), []
        for name, item in self.items.items():
            made += self.prorate(dict(item), item, nets[name], now)
        self.waiting += made
        if action["behavior"] == "always_invoice" and made:
            self.invoice_waiting(now)

    def pay(self, action, now):
        """All that is owed."""
        for made in self.invoices:
            made["paid"] = True

    def adjust_balance(self, action, now):
        self.balance += action["amount"]

    def invoice_item(self, action, now):
        discountable = action.get("discountable", action["amount"] >= 0)
        rates = action.get("rates") or self.rates
        self.waiting.append(self.line(action["amount"], now, now, None, rates, discountable=discountable))
