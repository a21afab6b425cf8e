// Before somebody goes: what is offered by reason, taken in one press, and "cancel anyway" always beside it.
import { expect, test, type Page } from '@playwright/test'

import { enter, merchant, newCustomer } from '../portal'

/** A configuration that offers a coupon for one reason, and a month free for every other. */
async function offering() {
  const coupon = await merchant().coupons.create({ percent_off: 30, duration: 'repeating', duration_in_months: 3 })
  const offers = [{ type: 'coupon', coupon: coupon.id, reasons: ['too_expensive'] }, { type: 'free_days', free_days: 30 }]
  const question = { enabled: true, options: ['too_expensive', 'unused', 'other'] }
  const features = { subscription_cancel: { enabled: true, cancellation_reason: question, offers } }
  const made = await merchant().billingPortal.configurations.create({ features } as never)
  return { coupon: coupon.id, configuration: made.id }
}

async function leaving(page: Page) {
  const { coupon, configuration } = await offering()
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id, { configuration })
  await page.getByRole('link', { name: 'Manage' }).first().click()
  await page.getByRole('link', { name: 'Cancel subscription' }).click()
  await expect(page.getByRole('heading', { name: 'Before you go' })).toBeVisible()
  return { coupon, id: customer.subscriptions[0].id, retrieve: () => merchant().subscriptions.retrieve(customer.subscriptions[0].id) }
}

test('a reason unfolds its offer, which is taken in one press and not made twice', async ({ page }) => {
  const { coupon, id, retrieve } = await leaving(page)
  await expect(page.getByText('30% off for 3 months')).toBeHidden()
  await page.getByLabel('It is too expensive').check()
  await expect(page.getByText('30% off for 3 months')).toBeVisible()
  await expect(page.locator('#main')).toContainText('$6.30 instead of $9.00')
  await page.locator('.reason').getByRole('button', { name: 'Stay with this offer' }).click()
  await expect(page.getByText('Good to have you with us')).toBeVisible()

  const kept = await retrieve()
  expect(kept).toMatchObject({ status: 'active', cancel_at_period_end: false })
  const [discount] = (await merchant().subscriptions.retrieve(id, { expand: ['discounts'] })).discounts
  expect((discount as { source?: { coupon: unknown }; coupon?: { id: string } }).coupon?.id).toBe(coupon)

  await page.getByRole('link', { name: 'Cancel subscription' }).click()
  await expect(page.getByRole('button', { name: 'Cancel subscription' })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Stay with this offer' })).toHaveCount(0)
})

test('an offer for everybody puts the next payment off', async ({ page }) => {
  const { retrieve } = await leaving(page)
  const before = await retrieve()
  await page.getByRole('region', { name: 'Before you go' }).getByRole('button', { name: 'Stay with this offer' }).click()
  await expect(page.getByText('Good to have you with us')).toBeVisible()
  const [old, kept] = [before.items.data[0].current_period_end, (await retrieve()).items.data[0].current_period_end]
  expect(kept - old).toBe(30 * 86400)
})

test('cancel anyway takes no more presses, and no offer', async ({ page }) => {
  const { retrieve } = await leaving(page)
  await page.getByLabel('It is too expensive').check()
  await page.getByRole('button', { name: 'Cancel subscription' }).click()
  await expect(page.getByText('Your cancellation is confirmed.')).toBeVisible()
  const canceled = await retrieve()
  expect(canceled).toMatchObject({ cancel_at_period_end: true, cancellation_details: { feedback: 'too_expensive' } })
  expect(canceled.discounts).toHaveLength(0)
})

test('what is given back is said before, and is what is given', async ({ page }) => {
  const features = { subscription_cancel: { enabled: true, mode: 'immediately', proration_behavior: 'create_prorations' } }
  const configuration = (await merchant().billingPortal.configurations.create({ features } as never)).id
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id, { configuration })
  await page.goto(`/subscriptions/${customer.subscriptions[0].id}/cancel`)
  await expect(page.locator('#main')).toContainText('$9.00 for unused time is credited')
  await page.getByRole('button', { name: 'Cancel immediately' }).click()
  await expect(page.getByText('Your subscription has ended.')).toBeVisible()
  const waiting = await merchant().invoiceItems.list({ customer: customer.id, pending: true })
  expect(waiting.data.map((item) => item.amount)).toEqual([-900])
})
