// Every page there is, for specs that hold of all of them.
import type { Page } from '@playwright/test'

import { enter, link, merchant, newCustomer, settled } from './portal'
import { demo } from './server'

/** Paths of one customer's portal, each a page of its own kind, its hosted invoice and dead ends among them. */
export async function paths(page: Page, parameters: Record<string, unknown> = {}, wishes = {}) {
  const customer = await newCustomer({ plans: ['starter_monthly'], ...wishes })
  const own = `/subscriptions/${customer.subscriptions[0].id}`
  await merchant().customers.createTaxId(customer.id, { type: 'eu_vat', value: 'DE000000000' })
  await enter(page, customer.id, { return_url: 'https://app.example.com/', ...parameters })
  const [item, studio] = [customer.subscriptions[0].items.data[0], (await merchant().prices.list({ lookup_keys: ['studio_monthly'] })).data[0]]
  const review = `${own}/change/review?item=${item.id}&price=${studio.id}&quantity=1`
  const invoice = (await merchant().invoices.list({ customer: customer.id })).data[0]
  return [
    '/', own, `${own}/cancel`, `${own}/change`, review, `${own}/pause`, '/subscribe', '/invoices', '/invoices?q=none', `/invoices/${invoice.id}`, '/payment-methods', '/details', '/details/contact',
    '/details/address?country=DE', '/activity', '/no-such-page', '/subscriptions/sub_nobodys', '/session/unknown', invoice.hosted_invoice_url ?? '',
    await link(customer.id, parameters),
  ]
}

/** The overviews of the demo's customers, one a state. */
export async function* states(page: Page, parameters: Record<string, unknown> = {}) {
  for (const state of ['past_due', 'trialing', 'scheduled_to_cancel', 'canceled', 'no_subscription']) {
    await enter(page, demo().customers[state], parameters)
    await settled(page)
    yield state
  }
}

/** Opens one of them, and waits until it answers by itself. */
export async function open(page: Page, path: string) {
  await page.goto(path)
  await settled(page)
}
