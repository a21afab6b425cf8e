"""Reads a log a line, with the invoices that were made of it, and answers a line: empty where they are right, else the
first thing that is not."""

import json
import sys

from books import Books

SUMS = ("reason", "created", "subtotal", "discount", "tax", "total", "starting", "ending", "due", "paid", "number")


def shown(invoice):
    lines = [
        [line["item"], line["quantity"], line["amount"], line["start"], line["end"], line["proration"],
         sorted(line["discounts"].items()), list(line["taxes"].items())]
        for line in invoice["lines"]
    ]
    return {**{name: invoice[name] for name in SUMS}, "lines": lines}


def told(invoice):
    lines = [[*line[:6], sorted(map(tuple, line[6])), list(map(tuple, line[7]))] for line in invoice["lines"]]
    return {**invoice, "lines": lines}


def difference(log):
    books = Books(log)
    if books.refused != log["refused"]:
        return f"refused by the rules: {books.refused}, by the program: {log['refused']}"
    ours, theirs = [shown(i) for i in books.invoices], [told(i) for i in log["invoices"]]
    for n in range(max(len(ours), len(theirs))):
        if n >= len(ours) or n >= len(theirs):
            return f"{len(ours)} invoices by the rules, {len(theirs)} by the program; the next is {(ours + theirs)[-1]}"
        for name in ours[n]:
            if ours[n][name] != theirs[n].get(name):
                return f"invoice {n + 1}, {name}: by the rules {ours[n][name]}, by the program {theirs[n].get(name)}"
    if books.balance != log["balance"]:
        return f"balance by the rules {books.balance}, by the program {log['balance']}"
    return ""


for text in sys.stdin:
    print(difference(json.loads(text)), flush=True)
