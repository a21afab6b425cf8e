// Adding a payment method: typed in the hosted fields, framed or behind a link, and stored here; and a bank that asks.
import { expect, test, type FrameLocator, type Page } from '@playwright/test'

import { enter, merchant, newCustomer, settled } from '../portal'

const hasScripts = () => test.info().project.use.javaScriptEnabled !== false

/** The form in which it is typed: in a frame, or, without JavaScript, on a page of its own. */
async function open(page: Page, kind?: string): Promise<Page | FrameLocator> {
  await page.goto('/payment-methods')
  await settled(page)
  await page.getByRole('link', { name: 'Add a payment method' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Add a payment method' })).toBeVisible()
  if (kind) await page.getByRole('link', { name: kind, exact: true }).click()
  if (hasScripts()) return page.frameLocator('iframe')
  if (kind) await expect(page.getByRole('link', { name: kind, exact: true })).toHaveAttribute('aria-current', 'page')
  await page.getByRole('link', { name: 'Enter payment details' }).click()
  await expect(page.getByRole('button', { name: 'Save' })).toBeVisible()
  return page
}

async function save(page: Page, fields: Page | FrameLocator) {
  await fields.getByRole('button', { name: 'Save' }).click()
  if (!hasScripts()) await page.getByRole('button', { name: 'Save payment method' }).click()
}

async function typeCard(fields: Page | FrameLocator, number: string) {
  await fields.getByLabel('Card number').pressSequentially(number)
  await fields.getByLabel('Expiry date').pressSequentially('1230')
  await fields.getByLabel('Security code').fill('737')
  await fields.getByLabel('Name on card').fill('Maya Lind')
}

const methods = async (customer: string) => (await merchant().customers.listPaymentMethods(customer)).data

test('a card is added and is the default from then on', async ({ page }) => {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id)
  const fields = await open(page, 'Card')
  await typeCard(fields, '5555555555554444')
  if (hasScripts()) {
    await expect(fields.getByLabel('Card number')).toHaveValue('5555 5555 5555 4444')
    await expect(fields.getByText('Mastercard', { exact: true })).toBeVisible()
    await expect(fields.getByLabel('Expiry date')).toHaveValue('12 / 30')
  }
  await save(page, fields)
  await expect(page.getByText('Mastercard •••• 4444 was saved.')).toBeVisible()
  const held = await methods(customer.id)
  expect(held[0]).toMatchObject({ type: 'card', card: { last4: '4444', exp_month: 12, exp_year: 2030 }, billing_details: { name: 'Maya Lind' } })
  const after = await merchant().customers.retrieve(customer.id)
  expect(after).toMatchObject({ invoice_settings: { default_payment_method: held[0].id } })
  const events = (await merchant().events.list({ limit: 20 })).data.map((event) => event.type)
  expect(events).toEqual(expect.arrayContaining(['setup_intent.succeeded', 'payment_method.attached']))
})

test('what is wrong is said at its field, in words', async ({ page }) => {
  const customer = await newCustomer({ card: null })
  await enter(page, customer.id)
  const fields = await open(page, 'Card')
  await typeCard(fields, '4242424242424241')
  await fields.getByRole('button', { name: 'Save' }).click()
  await expect(fields.getByText('This is not a valid card number. Please check it.')).toBeVisible()
  await expect(fields.getByLabel('Name on card')).toHaveValue('Maya Lind')
  expect(await methods(customer.id)).toHaveLength(0)
})

test('a card that is declined is not stored, and the page says why', async ({ page }) => {
  const customer = await newCustomer({ card: null })
  await enter(page, customer.id)
  const fields = await open(page, 'Card')
  await typeCard(fields, '4000000000009995')
  await save(page, fields)
  await expect(page.getByText('There is not enough money available')).toBeVisible()
  expect(await methods(customer.id)).toHaveLength(0)
})

test('a direct debit needs leave', async ({ page }) => {
  const customer = await newCustomer({ card: null })
  await enter(page, customer.id)
  const fields = await open(page, 'SEPA Direct Debit')
  await fields.getByLabel('IBAN').pressSequentially('DE89370400440532013000')
  await fields.getByLabel('Name of the account holder').fill('Maya Lind')
  await fields.getByLabel('I agree to this authorization').check()
  await save(page, fields)
  await expect(page.getByText('SEPA Direct Debit •••• 3000 was saved.')).toBeVisible()
  expect(await methods(customer.id)).toMatchObject([{ type: 'sepa_debit', sepa_debit: { last4: '3000', country: 'DE' } }])
})

test('a bank account in the United States', async ({ page }) => {
  const customer = await newCustomer({ card: null })
  await enter(page, customer.id)
  const fields = await open(page, 'Bank account')
  await fields.getByLabel('Routing number').fill('110000000')
  await fields.getByLabel('Account number').fill('000123456789')
  await fields.getByLabel('Name of the account holder').fill('Maya Lind')
  await fields.getByLabel('I agree to this authorization').check()
  await save(page, fields)
  await expect(page.getByText('•••• 6789 was saved.')).toBeVisible()
})

for (const [answer, then] of [['Confirm', 'M-Pesa •••• 0101 was saved.'], ['Refuse', 'was not confirmed with your bank']]) {
  test(`mobile money is confirmed on the phone: ${answer}`, async ({ page }) => {
    const customer = await newCustomer({ card: null })
    await enter(page, customer.id)
    const fields = await open(page, 'Mobile money')
    await fields.getByLabel('Operator').selectOption('M-Pesa')
    await fields.getByLabel('Phone number').fill('+254 700 000 101')
    await fields.getByLabel('Name of the account holder').fill('Maya Lind')
    await save(page, fields)
    await expect(page.getByRole('heading', { name: 'Is it you?' })).toBeVisible()
    await page.getByRole('button', { name: answer }).click()
    await expect(page.getByText(then)).toBeVisible()
    expect(await methods(customer.id)).toHaveLength(answer === 'Confirm' ? 1 : 0)
  })
}

test('a confirmation that is closed stores nothing, and can be taken up again', async ({ page }) => {
  const customer = await newCustomer({ card: null })
  await enter(page, customer.id)
  const fields = await open(page, 'Card')
  await typeCard(fields, '4000002500003155')
  await save(page, fields)
  await expect(page.getByRole('heading', { name: 'Is it you?' })).toBeVisible()
  await page.getByRole('link', { name: 'Go back without answering' }).click()
  await expect(page.getByRole('heading', { name: 'Please confirm' })).toBeVisible()
  expect(await methods(customer.id)).toHaveLength(0)
  await page.getByRole('link', { name: 'Go to confirmation' }).click()
  await page.getByRole('button', { name: 'Confirm' }).click()
  await expect(page.getByText('Visa •••• 3155 was saved.')).toBeVisible()
})

test('only the kinds that are configured are offered', async ({ page }) => {
  const features = { payment_method_update: { enabled: true, accepted_types: ['card'] } } as never
  const configuration = await merchant().billingPortal.configurations.create({ features })
  const customer = await newCustomer({ card: null })
  await enter(page, customer.id, { configuration: configuration.id })
  await page.goto('/payment-methods/add?kind=sepa_debit')
  await expect(page.getByRole('link', { name: 'SEPA Direct Debit' })).toHaveCount(0)
})
