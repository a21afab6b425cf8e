"""Documents as others read them: what Debian's pdftotext, PyPI pypdf and PyPI pikepdf find in the PDF of an invoice, in each
language that there is, against what the API says of the invoice.

usage: PORTICO_URL=http://localhost:3000 PORTICO_KEY=sk_test_… python journeys/documents.py
"""

import io
import json
import os
import subprocess
import unicodedata
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import pikepdf
import pypdf
import stripe

URL = os.environ["PORTICO_URL"]
KEY = os.environ["PORTICO_KEY"]
LOCALES = Path(__file__).parents[2] / "app" / "locales"
LANGUAGES = sorted(path.name.removesuffix(".json") for path in LOCALES.glob("??.json"))
ADDRESS = {"line1": "Lange Gasse 1", "city": "Bonn", "postal_code": "53111", "country": "DE"}
# What readers of bidirectional text put beside it, and spaces that do not break.
UNSEEN = dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF])


def words(language):
    return json.loads((LOCALES / f"{language}.json").read_text("utf-8"))


def plain(text):
    """Letters as they are typed, one space between words."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(UNSEEN).split())


def letters(text):
    """The letters of each word, in no order: readers disagree about those that Arabic joins into one (lam and alef)."""
    return {"".join(sorted(word)) for word in plain(text).split()}


def fetch(url):
    with urllib.request.urlopen(url) as answer:
        return answer.headers, answer.read()


def extracted(pdf):
    text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return plain(text.stdout.decode("utf-8"))


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stripe.enable_telemetry = False
        cls.api = stripe.StripeClient(KEY, base_addresses={"api": URL}, max_network_retries=0).v1
        cls.rate = cls.api.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": False})
        cls.coupon = cls.api.coupons.create({"percent_off": 10, "duration": "once", "name": "Spring"})
        cls.price = cls.api.prices.create(
            {
                "currency": "eur",
                "unit_amount": 123456,
                "recurring": {"interval": "month"},
                "product_data": {"name": "Team"},
            }
        )

    def invoice(self, language, name="Maya Lindqvist", **more):
        customer = self.api.customers.create(
            {"name": name, "address": ADDRESS, "preferred_locales": [language], "email": "maya@example.com"}
        )
        self.api.customers.tax_ids.create(customer.id, {"type": "eu_vat", "value": "DE123456789"})
        method = self.api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
        subscription = self.api.subscriptions.create(
            {
                "customer": customer.id,
                "items": [{"price": self.price.id, "quantity": 3}],
                "default_payment_method": method.id,
                "default_tax_rates": [self.rate.id],
                "discounts": [{"coupon": self.coupon.id}],
                "expand": ["latest_invoice"],
                **more,
            }
        )
        return subscription.latest_invoice

    def test_an_invoice_says_in_every_language_what_the_api_says(self):
        for language in LANGUAGES:
            with self.subTest(language):
                invoice, said = self.invoice(language), words(language)
                headers, pdf = fetch(invoice.invoice_pdf)
                self.assertEqual(headers["content-type"], "application/pdf")
                self.assertTrue(headers["content-disposition"].startswith("attachment; filename="))
                text = extracted(pdf)
                for key in ["paper.invoice", "paper.number", "paper.quantity", "sheet.subtotal", "sheet.total", "sheet.to"]:
                    self.assertLessEqual(letters(said[key]), letters(text), key)
                for exact in [invoice.number, "Maya Lindqvist", "Lange Gasse 1", "53111 Bonn", "DE123456789", "Team", "Spring"]:
                    self.assertIn(exact, text)
                digits = "".join(letter for letter in text if letter.isdigit() or letter == " ")
                for amount in [123456, invoice.subtotal, invoice.total_discount_amounts[0].amount, invoice.tax, invoice.total]:
                    self.assertIn(str(amount), digits, amount)
                read = plain("\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages))
                for exact in [invoice.number, "Maya Lindqvist", "DE123456789"]:
                    self.assertIn(exact, read)

    def test_a_document_is_archival_and_tagged(self):
        for language in LANGUAGES:
            with self.subTest(language):
                _, pdf = fetch(self.invoice(language).invoice_pdf)
                with pikepdf.open(io.BytesIO(pdf)) as document:
                    self.assertEqual(document.check_pdf_syntax(), [])
                    self.assertTrue(document.Root.MarkInfo.Marked)
                    self.assertEqual(str(document.Root.Lang), language)
                    self.assertIn("/OutputIntents", document.Root)
                    with document.open_metadata() as metadata:
                        self.assertEqual((metadata["pdfaid:part"], metadata["pdfaid:conformance"]), ("3", "A"))
                        self.assertEqual(metadata["pdfuaid:part"], "1")
                    roles, fonts = set(), []
                    for thing in document.objects:
                        if isinstance(thing, pikepdf.Dictionary):
                            roles.add(str(thing.get("/S", "")))
                            if thing.get("/Type") == "/FontDescriptor":
                                fonts.append("/FontFile2" in thing or "/FontFile3" in thing)
                    self.assertLessEqual({"/H1", "/H2", "/P", "/Table", "/TR", "/TH", "/TD"}, roles)
                    self.assertTrue(fonts and all(fonts), "every font is inside")

    def test_it_is_the_same_bytes_each_time(self):
        invoice = self.invoice("de")
        self.assertEqual(fetch(invoice.invoice_pdf)[1], fetch(self.api.invoices.retrieve(invoice.id).invoice_pdf)[1])

    def test_a_long_one_goes_on_over_pages(self):
        customer = self.api.customers.create({"name": "Maya Lindqvist"})
        invoice = self.api.invoices.create({"customer": customer.id, "collection_method": "send_invoice", "days_until_due": 30})
        for number in range(60):
            item = {"customer": customer.id, "invoice": invoice.id, "amount": 100 + number, "currency": "eur"}
            self.api.invoice_items.create({**item, "description": f"Line {number:02}"})
        done = self.api.invoices.finalize_invoice(invoice.id)
        _, pdf = fetch(done.invoice_pdf)
        text, pages = extracted(pdf), len(pypdf.PdfReader(io.BytesIO(pdf)).pages)
        self.assertGreater(pages, 2)
        for number in range(60):
            self.assertIn(f"Line {number:02}", text)
        for page in range(1, pages + 1):
            self.assertIn(f"Page {page} of {pages}", text)
        self.assertIn("Pay online", text)

    def test_names_in_scripts_of_others_are_drawn(self):
        for name in ["株式会社サンプル", "示例有限公司", "شركة المثال", "Zażółć gęślą jaźń", "Ελληνικά Кириллица", "Łódź & <b>Søn</b>"]:
            with self.subTest(name):
                self.assertIn(plain(name).replace(" ", ""), extracted(fetch(self.invoice("en", name).invoice_pdf)[1]).replace(" ", ""))

    def test_a_link_that_is_not_whole_opens_nothing(self):
        link = self.invoice("en").invoice_pdf
        for wrong in [link[:-1], link.rsplit("/", 1)[0] + "/x", link.replace("/in_", "/in_x")]:
            with self.assertRaises(urllib.error.HTTPError) as caught:
                fetch(wrong)
            self.assertEqual(caught.exception.code, 404)


if __name__ == "__main__":
    unittest.main()
