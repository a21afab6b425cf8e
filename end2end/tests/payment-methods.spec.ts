// Payment methods: which is charged, another default, one less; and the last one of a living subscription stays.
import { expect, test, type Page } from '@playwright/test'

import { enter, merchant, newCustomer } from '../portal'
import { demo } from '../server'

const open = async (page: Page, customer: string, parameters = {}) => {
  await enter(page, customer, parameters)
  await page.getByRole('link', { name: 'Payment methods', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Payment methods' })).toBeVisible()
}
const card = (page: Page, name: string) => page.getByRole('article').filter({ has: page.locator('.method', { hasText: name }) })

test('another default, and then one card less', async ({ page }) => {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  const second = await merchant().paymentMethods.attach('pm_card_amex', { customer: customer.id })
  await open(page, customer.id)
  await expect(card(page, 'Visa')).toContainText('Default')
  await expect(card(page, 'Visa')).toContainText('Used for Starter')
  await card(page, 'American Express').getByRole('button', { name: 'Make default' }).click()
  await expect(page.getByText('American Express •••• 8431 is now your default.')).toBeVisible()
  await expect(card(page, 'American Express')).toContainText('Default')
  const after = (await merchant().customers.retrieve(customer.id)) as { invoice_settings: { default_payment_method: string } }
  expect(after.invoice_settings.default_payment_method).toBe(second.id)

  await card(page, 'Visa').getByText('Remove', { exact: true }).click()
  await expect(card(page, 'Visa')).toContainText('Visa •••• 4242 will no longer be charged.')
  await card(page, 'Visa').getByRole('button', { name: 'Remove payment method' }).click()
  await expect(page.getByText('The payment method was removed.')).toBeVisible()
  await expect(card(page, 'Visa')).toHaveCount(0)
  expect((await merchant().customers.listPaymentMethods(customer.id)).data.map((m) => m.id)).toEqual([second.id])
})

test('the only card of a living subscription stays, and the page says why', async ({ page }) => {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await open(page, customer.id)
  await expect(page.getByText('This is your only payment method, and a subscription is charged to it.')).toBeVisible()
  await expect(page.getByText('Remove', { exact: true })).toHaveCount(0)
})

test('a card that is needed after all is refused with a sentence', async ({ page }) => {
  const customer = await newCustomer()
  await open(page, customer.id)
  await page.getByText('Remove', { exact: true }).click()
  const prices = await merchant().prices.list({ lookup_keys: ['starter_monthly'] })
  await merchant().subscriptions.create({ customer: customer.id, items: [{ price: prices.data[0].id }] })
  await page.getByRole('button', { name: 'Remove payment method' }).click()
  await expect(page.getByText('This payment method is still needed')).toBeVisible()
  expect((await merchant().customers.listPaymentMethods(customer.id)).data).toHaveLength(1)
})

test('without any, the page says so', async ({ page }) => {
  await open(page, demo().customers.no_subscription)
  await expect(page.getByText('No payment method on file')).toBeVisible()
})

test('where it is switched off there is no way to it', async ({ page }) => {
  const configuration = await merchant().billingPortal.configurations.create({ features: { invoice_history: { enabled: true } } })
  const customer = await newCustomer()
  await enter(page, customer.id, { configuration: configuration.id })
  await expect(page.getByRole('link', { name: 'Payment methods' })).toHaveCount(0)
  expect((await page.goto('/payment-methods'))?.status()).toBe(403)
})
