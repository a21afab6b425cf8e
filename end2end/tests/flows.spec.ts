// A session for one thing: it begins at its page, leads nowhere else, and ends where the merchant said.
import { expect, test, type Page } from '@playwright/test'

import { enter, merchant, newCustomer, settled } from '../portal'

async function flow(page: Page, type: string, own: Record<string, unknown>, after: Record<string, unknown>) {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  const subscription = customer.subscriptions[0]
  const given = Object.keys(own).length || type.startsWith('subscription') ? { [type]: { subscription: subscription.id, ...own } } : {}
  const flow_data = { type, after_completion: after, ...given }
  await enter(page, customer.id, { flow_data, return_url: 'https://app.example.com/account' })
  await settled(page)
  return { customer, subscription }
}

test('cancels, with the merchant\'s words at the end and nothing else to do', async ({ page }) => {
  const after = { type: 'hosted_confirmation', hosted_confirmation: { custom_message: 'Your files stay for 90 days.' } }
  const { subscription } = await flow(page, 'subscription_cancel', {}, after)
  await expect(page.getByRole('heading', { level: 1, name: 'Cancel subscription' })).toBeVisible()
  await expect(page.getByRole('navigation')).toHaveCount(0)
  await expect(page.getByRole('link', { name: 'Back to subscription' })).toBeHidden()
  await expect(page.getByRole('link', { name: 'Keep subscription' })).toHaveAttribute('href', '/leave')
  await page.getByRole('button', { name: 'Cancel subscription' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Your cancellation is confirmed' })).toBeVisible()
  await expect(page.getByText('Your files stay for 90 days.')).toBeVisible()
  await expect(page.getByRole('navigation')).toHaveCount(0)
  await expect(page.locator('#main').getByRole('link', { name: 'Return to Northwind Studio' })).toHaveAttribute('href', '/leave')
  expect((await merchant().subscriptions.retrieve(subscription.id)).cancel_at_period_end).toBe(true)
})

test('a coupon of the flow is offered', async ({ page }) => {
  const coupon = await merchant().coupons.create({ percent_off: 50, duration: 'once' })
  const retention = { type: 'coupon_offer', coupon_offer: { coupon: coupon.id } }
  const { subscription } = await flow(page, 'subscription_cancel', { retention }, { type: 'hosted_confirmation' })
  await expect(page.getByText('50% off your next payment')).toBeVisible()
  await page.getByRole('button', { name: 'Stay with this offer' }).click()
  await expect(page).toHaveURL(/\/done$/)
  expect((await merchant().subscriptions.retrieve(subscription.id)).discounts).toHaveLength(1)
})

test('confirms one change, with the discount that comes with it, and goes back to the merchant', async ({ page }) => {
  const coupon = await merchant().coupons.create({ percent_off: 50, duration: 'once' })
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  const [subscription, studio] = [customer.subscriptions[0], (await merchant().prices.list({ lookup_keys: ['studio_monthly'] })).data[0]]
  const items = [{ id: subscription.items.data[0].id, price: studio.id, quantity: 1 }]
  const subscription_update_confirm = { subscription: subscription.id, items, discounts: [{ coupon: coupon.id }] }
  const after_completion = { type: 'redirect', redirect: { return_url: 'https://app.example.com/changed?plan=studio' } }
  const flow_data = { type: 'subscription_update_confirm', subscription_update_confirm, after_completion }
  await enter(page, customer.id, { flow_data })
  await settled(page)
  await expect(page.getByRole('heading', { level: 1, name: 'Review your change' })).toBeVisible()
  await expect(page.locator('#main')).toContainText('From Starter to Studio')
  await expect(page.getByLabel('Promotion code')).toHaveCount(0)
  const shown = await page.locator('.figure').innerText()

  const left = page.waitForRequest((request) => request.url().startsWith('https://app.example.com/changed'))
  await page.route('https://app.example.com/**', (route) => route.fulfill({ body: 'back' }))
  await page.getByRole('button', { name: `Pay ${shown} and change` }).click()
  expect((await left).url()).toBe('https://app.example.com/changed?plan=studio')
  const { items: after, latest_invoice } = await merchant().subscriptions.retrieve(subscription.id, { expand: ['latest_invoice'] })
  expect(after.data[0].price.id).toBe(studio.id)
  expect(`$${((latest_invoice as { amount_paid: number }).amount_paid / 100).toFixed(2)}`).toBe(shown)
})

test('a flow that ends in the portal opens the rest of it', async ({ page }) => {
  await flow(page, 'subscription_update', {}, { type: 'portal_homepage' })
  await expect(page.getByRole('heading', { level: 1, name: 'Change plan' })).toBeVisible()
  await expect(page.getByRole('navigation')).toHaveCount(0)
  await page.getByRole('region', { name: 'Billed monthly' }).getByRole('article', { name: 'Studio' }).getByRole('button', { name: 'Choose plan' }).click()
  await page.getByRole('button', { name: /^Pay .* and change$/ }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible()
  await expect(page.getByRole('navigation')).toBeVisible()
  await expect(page.locator('#main')).toContainText('Studio')
})

test('billing details and payment methods are flows, too', async ({ page }) => {
  await flow(page, 'payment_method_update', {}, { type: 'portal_homepage' })
  await expect(page.getByRole('heading', { level: 1, name: 'Payment methods' })).toBeVisible()
  await expect(page.getByRole('navigation')).toHaveCount(0)
  await flow(page, 'customer_update', {}, { type: 'hosted_confirmation' })
  await page.getByRole('link', { name: 'Edit' }).first().click()
  await page.getByLabel('Name').fill('Robin F.')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Your details are saved' })).toBeVisible()
})
