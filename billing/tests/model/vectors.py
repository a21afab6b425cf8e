"""Reckons every row of the vector file anew; prints each one that says something else, and fails if there is any."""

import json
import sys
from datetime import datetime, timezone

import arithmetic as a


def instant(day):
    return int(datetime.fromisoformat(day).replace(tzinfo=timezone.utc).timestamp())


def credit_and_debit(row):
    now = row["of"] - row["left"]
    yield -a.share(row["debited"], 0, row["of"], now), row["credit"]
    yield a.share(row["price"], 0, row["of"], now), row["debit"]


def days_left(row):
    start, end, now = instant(row["from"]), instant(row["to"]), instant(row["at"])
    yield (end - start, end - now), (row["of"] * a.DAY, row["left"] * a.DAY)


def full_difference(row):
    yield row["new"] - row["old"], row["net"]


def steps(row):
    yield a.stepped(row["amount"], row["step"]), row["near"]


def periods(row):
    starts = [a.boundary(instant(row["anchor"]), row["interval"], row["count"], n) for n in row["n"]]
    yield starts, [instant(start) for start in row["starts"]]


def switches(row):
    debited, since, net = row["first"], 0, 0
    period = row["of"] * row["unit"]
    for switch in row["switches"]:
        now = period - switch["left"] * row["unit"]
        lines = -a.share(debited, since, period, now), a.share(switch["price"], 0, period, now)
        yield lines, (switch["credit"], switch["debit"])
        debited, since, net = lines[1], now, net + sum(lines)
    yield net, row["net"]


def documents(row):
    open_lines = [line for line in row["lines"] if not line.get("fixed")]
    parts = a.spread([line["amount"] for line in open_lines], row["off"])
    every = list(zip(*parts)) if parts else [()] * len(open_lines)
    total = 0
    for line in row["lines"]:
        taken = [0] * len(row["off"]) if line.get("fixed") else list(every.pop(0))
        net, taxes = a.taxed(line["amount"] - sum(taken), row["rates"])
        yield (taken, net, taxes), (line["discounts"], line["net"], line["taxes"])
        total += net + sum(taxes)
    yield total, row["total"]
    yield sum(line["amount"] for line in row["lines"]), row["subtotal"]
    yield sum(sum(line["discounts"]) for line in row["lines"]), row["discount"]
    yield sum(sum(line["taxes"]) for line in row["lines"]), row["tax"]


def units(row):
    amount = a.cost(row, row["quantity"])
    yield amount if amount <= a.MOST else None, row["amount"]


def tiers(row):
    for quantity in row["quantities"]:
        for mode in ("volume", "graduated"):
            yield a.cost({"tiers": row["tiers"], "tiers_mode": mode}, quantity["quantity"]), quantity[mode]


def discounts(row):
    parts = a.spread(row["lines"], row["off"])
    yield [sum(part[n] for part in parts) for n in range(len(row["lines"]))], row["taken"]


def redemptions(row):
    end = a.redemption_end(row["duration"], row.get("months"), instant(row["redeemed"]))
    yield [a.covers(end, instant(day)) for day in row["covered"]], [True] * len(row["covered"])
    yield [a.covers(end, instant(day)) for day in row["beyond"]], [False] * len(row["beyond"])


def once(row):
    yield a.uses_up(row["duration"], row["amount"], row["only_prorations"]), row["used_up"]


def taxes(row):
    yield [list(a.taxed(line, row["rates"])) for line in row["lines"]], [list(pair) for pair in zip(row["net"], row["taxes"])]


def notes(row):
    credited = (0, 0)
    for note in row["notes"]:
        tax = a.noted((row["amount"], row["tax"]), credited, note["amount"])
        yield tax, note["tax"]
        credited = (credited[0] + note["amount"], credited[1] + tax)
    yield credited, (row["amount"], row["tax"])


def parties(row):
    yield a.untaxed(row["merchant"], row["customer"], row["exempt"], row.get("vat_id")), row["untaxed"]


def main(path):
    rows = wrong = 0
    with open(path) as file:
        sections = {name: section for name, section in json.load(file).items() if name != "about"}
    for name, section in sections.items():
        for row in section["rows"]:
            rows += len(row.get("quantities", [row]))
            for ours, theirs in globals()[name](row):
                if ours != theirs:
                    wrong += 1
                    print(f"{name}: {json.dumps(row)}: {ours} and not {theirs}")
    print(f"{rows} rows")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
