// A payment that failed: what and why, and the two ways to mend it; a bank that asks on the way.
import { expect, test, type Page } from '@playwright/test'

import { enter, merchant, newCustomer, settled } from '../portal'

const hasScripts = () => test.info().project.use.javaScriptEnabled !== false

/** A customer whose card was good and is not any more: the first renewal of a plan was declined. */
async function behind(card = 'pm_card_chargeCustomerFail') {
  const customer = await newCustomer({ card, plans: ['starter_monthly'] })
  const invoice = (await merchant().invoices.list({ customer: customer.id })).data[0]
  expect(invoice.status).toBe('open')
  return { ...customer, invoice: invoice.id as string }
}

const status = async (invoice: string) => (await merchant().invoices.retrieve(invoice)).status

async function toRepair(page: Page, customer: string) {
  await enter(page, customer)
  await settled(page)
  await page.getByRole('region', { name: 'Needs your attention' }).getByRole('link').first().click()
  await expect(page.getByRole('heading', { level: 1, name: 'Fix your payment' })).toBeVisible()
}

test('the reason is said, and a card that is good pays in two presses', async ({ page }) => {
  const customer = await behind()
  await toRepair(page, customer.id)
  await expect(page.getByText('Your bank declined this payment without giving a reason.')).toBeVisible()
  const good = await merchant().paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await merchant().customers.update(customer.id, { invoice_settings: { default_payment_method: good.id } })
  await page.getByRole('button', { name: /^Pay .* now$/ }).click()
  await expect(page.getByText(/was paid\. Thank you\./)).toBeVisible()
  expect(await status(customer.invoice)).toBe('paid')
})

test('paid again with the same card it fails again, and says so', async ({ page }) => {
  const customer = await behind()
  await toRepair(page, customer.id)
  await page.getByRole('button', { name: /^Pay .* now$/ }).click()
  await expect(page.getByText('Your bank declined this payment without giving a reason.')).toBeVisible()
  expect(await status(customer.invoice)).toBe('open')
})

test('another card pays what failed by itself', async ({ page }) => {
  const customer = await behind()
  await toRepair(page, customer.id)
  await page.getByRole('link', { name: 'Use another payment method' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Add a payment method' })).toBeVisible()
  if (!hasScripts()) await page.getByRole('link', { name: 'Enter payment details' }).click()
  const fields = hasScripts() ? page.frameLocator('iframe') : page
  await fields.getByLabel('Card number').fill('4242 4242 4242 4242')
  await fields.getByLabel('Expiry date').fill('12 / 30')
  await fields.getByLabel('Security code').fill('123')
  await fields.getByLabel('Name on card').fill('Maya Lind')
  await fields.getByRole('button', { name: 'Save' }).click()
  if (!hasScripts()) await page.getByRole('button', { name: 'Save payment method' }).click()
  await expect(page.getByText('Everything is paid')).toBeVisible()
  expect(await status(customer.invoice)).toBe('paid')
})

for (const [answer, ends] of [['Confirm', 'paid'], ['Refuse', 'open']]) {
  test(`a bank that asks is answered: ${answer}`, async ({ page }) => {
    const customer = await behind('pm_card_authenticationRequired')
    await enter(page, customer.id)
    await page.goto('/repair')
    await page.getByRole('link', { name: 'Confirm payment' }).click()
    await expect(page.getByRole('heading', { name: 'Is it you?' })).toBeVisible()
    await page.getByRole('button', { name: answer }).click()
    await expect(page.getByText(ends === 'paid' ? /was paid\. Thank you\./ : /was not confirmed with your bank/)).toBeVisible()
    expect(await status(customer.invoice)).toBe(ends)
  })
}

test('an open invoice is paid from its own page', async ({ page }) => {
  const customer = await behind()
  const good = await merchant().paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await merchant().customers.update(customer.id, { invoice_settings: { default_payment_method: good.id } })
  await enter(page, customer.id)
  await page.goto(`/invoices/${customer.invoice}`)
  await settled(page)
  await page.getByRole('button', { name: /^Pay .* now$/ }).click()
  await expect(page.getByText(/was paid\. Thank you\./)).toBeVisible()
})

test('where all is paid there is nothing to mend', async ({ page }) => {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id)
  await page.goto('/repair')
  await expect(page.getByText('Everything is paid')).toBeVisible()
})
