// Changing a plan: three presses, the quote spelled out, and exactly that is charged.
import { expect, test, type Page } from '@playwright/test'

import { enter, merchant, newCustomer } from '../portal'

const price = async (key: string) => (await merchant().prices.list({ lookup_keys: [key] })).data[0].id
const plan = (page: Page, group: string, name: string) =>
  page.getByRole('region', { name: group }).getByRole('article', { name })

/** What is due, as the review says it. */
async function due(page: Page) {
  await expect(page.getByRole('heading', { level: 1, name: 'Review your change' })).toBeVisible()
  return page.locator('.figure').innerText()
}

async function choosing(page: Page, wishes = {}, parameters = {}) {
  const customer = await newCustomer({ plans: ['starter_monthly'], ...wishes })
  await enter(page, customer.id, parameters)
  await page.getByRole('link', { name: 'Change plan' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Change plan' })).toBeVisible()
  return customer.subscriptions[0]
}

test('upgrades in three presses, for exactly what was shown', async ({ page }) => {
  const { id, customer } = await choosing(page)
  await expect(plan(page, 'Billed monthly', 'Starter')).toContainText('Current plan')
  await expect(plan(page, 'Billed monthly', 'Starter').getByRole('button')).toHaveCount(0)
  await plan(page, 'Billed monthly', 'Studio').getByRole('button', { name: 'Choose plan' }).click()

  const amount = await due(page)
  await expect(page.locator('#main')).toContainText('From Starter to Studio')
  await expect(page.getByRole('row', { name: 'Total' })).toContainText(amount)
  await page.getByRole('button', { name: `Pay ${amount} and change` }).click()

  await expect(page.getByText('Your plan was changed.')).toBeVisible()
  await expect(page.getByRole('heading', { level: 1, name: 'Studio' })).toBeVisible()
  const { items, latest_invoice } = await merchant().subscriptions.retrieve(id, { expand: ['latest_invoice'] })
  expect(items.data[0].price.id).toBe(await price('studio_monthly'))
  const invoice = latest_invoice as { amount_paid: number; status: string; billing_reason: string }
  expect(invoice).toMatchObject({ status: 'paid', billing_reason: 'subscription_update' })
  expect(`$${(invoice.amount_paid / 100).toFixed(2)}`).toBe(amount)
  expect((await merchant().invoices.list({ customer: customer as string })).data).toHaveLength(2)
})

test('a cheaper plan begins with the next period, is shown, and can be taken back', async ({ page }) => {
  const { id } = await choosing(page, { plans: ['studio_monthly'] })
  await expect(plan(page, 'Billed monthly', 'Starter')).toContainText('Starts on')
  await plan(page, 'Billed monthly', 'Starter').getByRole('button').click()
  expect(await due(page)).toBe('$0.00')
  await expect(page.locator('#main')).toContainText('Next charge')
  await page.getByRole('button', { name: 'Schedule this change' }).click()
  await expect(page.getByText('Your change is scheduled.')).toBeVisible()
  await expect(page.getByText('Changes to Starter on')).toBeVisible()
  expect((await merchant().subscriptions.retrieve(id)).items.data[0].price.id).toBe(await price('studio_monthly'))

  await page.getByRole('button', { name: 'Undo this change' }).click()
  await expect(page.getByText('Everything stays as it is.')).toBeVisible()
  await expect(page.getByText('Changes to Starter on')).toHaveCount(0)
})

test('seats are changed within their bounds', async ({ page }) => {
  const { id } = await choosing(page, { plans: ['team_monthly'] })
  const team = plan(page, 'Billed monthly', 'Team')
  await team.getByLabel('Quantity').fill('3')
  await team.getByRole('button', { name: 'Set quantity' }).click()
  await expect(page.locator('#main')).toContainText('From Team to Team × 3')
  await page.getByRole('button', { name: /^Pay/ }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Team × 3' })).toBeVisible()
  const { items } = await merchant().subscriptions.retrieve(id)
  expect(items.data[0].quantity).toBe(3)

  await page.goto(`/subscriptions/${id}/change/review?item=${items.data[0].id}&price=${items.data[0].price.id}&quantity=51`)
  await expect(page.locator('#main')).toContainText('This quantity cannot be chosen.')
  expect((await merchant().subscriptions.retrieve(id)).items.data[0].quantity).toBe(3)
})

test('from monthly to yearly, a promotion code, and a code that is none', async ({ page }) => {
  const coupon = await merchant().coupons.create({ percent_off: 50, duration: 'once' })
  const { code } = await merchant().promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id } })
  const { id } = await choosing(page)
  await plan(page, 'Billed yearly', 'Team').getByRole('button').click()
  await page.getByRole('textbox', { name: 'Promotion code' }).fill('NOT-A-CODE')
  await page.getByRole('button', { name: 'Apply' }).click()
  await expect(page.getByText('This code cannot be used here.')).toBeVisible()
  await page.getByRole('textbox', { name: 'Promotion code' }).fill(code.toLowerCase())
  await page.getByRole('button', { name: 'Apply' }).click()
  await expect(page.getByText('This code cannot be used here.')).toHaveCount(0)
  await expect(page.getByRole('row', { name: /Discount/ })).toBeVisible()
  await page.getByRole('button', { name: /^Pay/ }).click()
  await expect(page.getByText('Your plan was changed.')).toBeVisible()
  const { items, discounts } = await merchant().subscriptions.retrieve(id)
  expect(items.data[0].price.recurring?.interval).toBe('year')
  expect((await merchant().coupons.retrieve(coupon.id)).times_redeemed).toBe(1)
  expect(discounts.length).toBeLessThanOrEqual(1)
})

test('what changed meanwhile is shown again before anything is charged', async ({ page }) => {
  const { id, customer } = await choosing(page)
  await plan(page, 'Billed monthly', 'Studio').getByRole('button').click()
  const before = await due(page)
  await merchant().customers.createBalanceTransaction(customer as string, { amount: -1000, currency: 'usd' })
  await page.getByRole('button', { name: /^Pay/ }).click()
  await expect(page.getByText('Please look again')).toBeVisible()
  const fresh = await due(page)
  expect(fresh).not.toBe(before)
  expect((await merchant().subscriptions.retrieve(id)).items.data[0].price.id).toBe(await price('starter_monthly'))
  await page.getByRole('button', { name: `Pay ${fresh} and change` }).click()
  await expect(page.getByText('Your plan was changed.')).toBeVisible()
})

test('a change that is not paid waits, and can be dropped', async ({ page }) => {
  const { id, customer } = await choosing(page)
  const broken = await merchant().paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer as string })
  await merchant().customers.update(customer as string, { invoice_settings: { default_payment_method: broken.id } })
  await plan(page, 'Billed monthly', 'Studio').getByRole('button').click()
  await page.getByRole('button', { name: /^Pay/ }).click()
  await expect(page.getByText('Your change is waiting for its payment.')).toBeVisible()
  expect((await merchant().subscriptions.retrieve(id)).pending_update).not.toBeNull()
  await page.getByRole('button', { name: 'Drop this change' }).click()
  await expect(page.getByText('Everything stays as it is.')).toBeVisible()
  const after = await merchant().subscriptions.retrieve(id)
  expect(after.pending_update).toBeNull()
  expect(after.items.data[0].price.id).toBe(await price('starter_monthly'))
})

test('where it is switched off there is no way to it', async ({ page }) => {
  const configuration = await merchant().billingPortal.configurations.create({ features: { invoice_history: { enabled: true } } })
  const { id, subscriptions } = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, id, { configuration: configuration.id })
  await expect(page.getByRole('link', { name: 'Change plan' })).toHaveCount(0)
  await page.goto(`/subscriptions/${subscriptions[0].id}/change`)
  await expect(page.getByText('This is not available').first()).toBeVisible()
})
