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

/** A portal that sells, offers something to who leaves, and pauses at once. */
async function generous() {
  const price = (await merchant().prices.list({ lookup_keys: ['starter_monthly'] })).data[0]
  const features = {
    customer_update: { enabled: true, allowed_updates: ['name', 'address', 'tax_id'] },
    subscription_cancel: {
      enabled: true,
      cancellation_reason: { enabled: true, options: ['too_expensive', 'other'] },
      offers: [{ type: 'free_days', free_days: 30 }, { type: 'pause', reasons: ['other'] }],
    },
    subscription_create: { enabled: true, products: [{ product: price.product }] },
    subscription_pause: { enabled: true, at_period_end: false },
  }
  return { price: price.id, configuration: (await merchant().billingPortal.configurations.create({ features } as never)).id }
}

/** Where a flow leads to that no path alone does: each is there to be looked at when it is named. */
export async function* moments(page: Page, parameters: Record<string, unknown> = {}) {
  const { price, configuration } = await generous()
  const buyer = await newCustomer()
  await enter(page, buyer.id, { configuration, ...parameters })
  await open(page, `/subscribe/review?price=${price}&quantity=1`)
  yield 'a purchase before it is confirmed'

  const customer = await newCustomer({ plans: ['starter_monthly'] })
  const own = `/subscriptions/${customer.subscriptions[0].id}`
  await enter(page, customer.id, { configuration, ...parameters })
  await open(page, `${own}/cancel`)
  await page.locator('input[value=other]').check()
  yield 'what is offered to who leaves'
  await open(page, `${own}/pause`)
  await page.locator('#main form button').last().click()
  await page.locator(`a[href$="${own}/resume"]`).first().waitFor()
  await open(page, `${own}/resume`)
  yield 'going on after a pause'

  const flow_data = { type: 'customer_update', after_completion: { type: 'hosted_confirmation', hosted_confirmation: { custom_message: 'Thank you.' } } }
  await enter(page, buyer.id, { flow_data, ...parameters })
  await open(page, '/details/contact')
  await page.locator('#main form button').last().click()
  await page.waitForURL(/\/done$/)
  await settled(page)
  yield 'a flow that is done'
}

/** Opens one of them, and waits until it answers by itself. */
export async function open(page: Page, path: string) {
  await page.goto(path)
  await settled(page)
}
