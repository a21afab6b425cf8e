// The first purchase: choose, look at what it costs, confirm; and exactly that is charged.
import { expect, test, type Page } from '@playwright/test'

import { enter, merchant, newCustomer } from '../portal'

async function selling() {
  const prices = (await merchant().prices.list({ type: 'recurring', active: true, limit: 100 })).data
  const named = prices.filter((price) => /^(starter|team|studio)_/.test(price.lookup_key ?? ''))
  const products = [...new Set(named.map((price) => price.product as string))]
  const features = {
    customer_update: { enabled: true, allowed_updates: ['name', 'address', 'tax_id'] },
    payment_method_update: { enabled: true },
    subscription_create: { enabled: true, products: products.map((product) => ({ product })) },
  }
  return (await merchant().billingPortal.configurations.create({ features } as never)).id
}

async function choosing(page: Page, card: string | null) {
  const customer = await newCustomer({ card })
  await enter(page, customer.id, { configuration: await selling() })
  await page.getByRole('link', { name: 'Choose a plan' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Choose a plan' })).toBeVisible()
  await page.getByRole('region', { name: 'Billed monthly' }).getByRole('article', { name: 'Starter' }).getByRole('button', { name: 'Choose plan' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Confirm your order' })).toBeVisible()
  return { id: customer.id, held: async () => (await merchant().subscriptions.list({ customer: customer.id, status: 'all' })).data }
}

test('is bought in four presses for exactly what was shown', async ({ page }) => {
  const { id, held } = await choosing(page, 'pm_card_visa')
  const shown = await page.locator('.figure').innerText()
  expect(shown).toBe('$9.00')
  await page.getByRole('button', { name: `Pay ${shown} and subscribe` }).click()
  await expect(page.getByText('Welcome! Your subscription has started.')).toBeVisible()
  const [bought, ...others] = await held()
  expect([bought.status, others]).toEqual(['active', []])
  const invoices = (await merchant().invoices.list({ customer: id })).data
  expect(invoices.map((invoice) => [invoice.status, invoice.amount_paid])).toEqual([['paid', 900]])

  await page.goto('/subscribe')
  await expect(page.getByText('Nothing can be ordered here now')).toBeVisible()
})

test('a payment that is declined starts nothing, and another card, typed on the way, does', async ({ page }) => {
  const { held } = await choosing(page, 'pm_card_chargeCustomerFail')
  await page.getByRole('button', { name: 'Pay $9.00 and subscribe' }).click()
  await expect(page.getByText('Your payment was declined')).toBeVisible()
  expect((await held()).filter((each) => each.status !== 'incomplete_expired')).toEqual([])
  const hasScripts = test.info().project.use.javaScriptEnabled !== false
  await page.getByRole('link', { name: 'Add a payment method' }).click()
  if (!hasScripts) await page.getByRole('link', { name: 'Enter payment details' }).click()
  const fields = hasScripts ? page.frameLocator('iframe') : page
  await fields.getByLabel('Card number').fill('4242 4242 4242 4242')
  await fields.getByLabel('Expiry date').fill('12 / 30')
  await fields.getByLabel('Security code').fill('123')
  await fields.getByLabel('Name on card').fill('Maya Lind')
  await fields.getByRole('button', { name: 'Save' }).click()
  if (!hasScripts) await page.getByRole('button', { name: 'Save payment method' }).click()
  await page.getByLabel('Visa •••• 4242').check()
  await page.getByRole('button', { name: 'Pay $9.00 and subscribe' }).click()
  await expect(page.getByText('Welcome! Your subscription has started.')).toBeVisible()
  expect((await held()).filter((each) => each.status === 'active')).toHaveLength(1)
})

test('the country decides the tax, and one comes back from choosing it', async ({ page }) => {
  // One a project: they run side by side, and every rate of a country counts.
  const [country, named] = test.info().project.name === 'wasm' ? ['SE', 'Sweden'] : ['FI', 'Finland']
  const rates = await merchant().taxRates.list({ active: true, limit: 100 })
  if (!rates.data.some((rate) => rate.country === country)) {
    await merchant().taxRates.create({ display_name: 'Moms', percentage: 25, inclusive: false, country })
  }
  await choosing(page, 'pm_card_visa')
  await page.getByRole('link', { name: 'Edit' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Billing details' })).toBeVisible()
  await page.getByRole('region', { name: 'Billing address' }).getByRole('link', { name: 'Edit' }).click()
  await page.locator('#field-country').selectOption(country)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByLabel('Address line 1').fill('Storgatan 1')
  await page.getByLabel('Postal code').fill('111 22')
  await page.getByLabel('City').fill('Stockholm')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Confirm your order' })).toBeVisible()
  await expect(page.locator('#main')).toContainText(named)
  await expect(page.locator('.figure')).toHaveText('$11.25')
  await expect(page.locator('.bill')).toContainText('$2.25')
})
