// Billing details: read, changed as far as the configuration lists them, and filled in as the country has it.
import { expect, test, type Page } from '@playwright/test'

import { enter, merchant, newCustomer } from '../portal'

const open = async (page: Page, customer: string, parameters = {}) => {
  await enter(page, customer, parameters)
  await page.getByRole('link', { name: 'Billing details', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Billing details' })).toBeVisible()
}
const part = (page: Page, name: string) => page.getByRole('region', { name })

test('a name and a phone are changed', async ({ page }) => {
  const customer = await newCustomer({ name: 'Robin Ferreira' })
  await open(page, customer.id)
  await expect(part(page, 'Contact')).toContainText('Robin Ferreira')
  await part(page, 'Contact').getByRole('link', { name: 'Edit' }).click()
  await page.getByLabel('Name').fill('Robin & Söhne <b>GmbH</b>')
  await page.getByLabel('Phone').fill('+49 228 1234')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Your changes are saved.')).toBeVisible()
  await expect(part(page, 'Contact')).toContainText('Robin & Söhne <b>GmbH</b>')
  expect(await merchant().customers.retrieve(customer.id)).toMatchObject({ name: 'Robin & Söhne <b>GmbH</b>', phone: '+49 228 1234' })
})

test('an address is asked for as its country has it', async ({ page }) => {
  const customer = await newCustomer()
  await open(page, customer.id)
  await expect(part(page, 'Billing address')).toContainText('Not given')
  await part(page, 'Billing address').getByRole('link', { name: 'Edit' }).click()
  await page.getByRole('combobox', { name: 'Country or region' }).selectOption('US')
  await page.getByRole('button', { name: 'Continue' }).click()
  await expect(page.getByLabel('ZIP code')).toBeVisible()
  await page.getByRole('combobox', { name: 'Country or region' }).selectOption('DE')
  await page.getByRole('button', { name: 'Change country' }).click()
  await expect(page.getByLabel('ZIP code')).toHaveCount(0)
  await page.getByLabel('Address line 1').fill('Lange Gasse 1')
  await page.getByLabel('Postal code').fill('53111')
  await page.getByLabel('City').fill('Bonn')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Your changes are saved.')).toBeVisible()
  await expect(part(page, 'Billing address')).toContainText('53111 Bonn')
  expect(await merchant().customers.retrieve(customer.id)).toMatchObject({
    address: { line1: 'Lange Gasse 1', line2: null, postal_code: '53111', city: 'Bonn', country: 'DE', state: null },
  })
})

test('what is not listed has no way to change it', async ({ page }) => {
  const configuration = await merchant().billingPortal.configurations.create({
    features: { customer_update: { enabled: true, allowed_updates: ['phone', 'shipping'] } },
  })
  const customer = await newCustomer()
  await open(page, customer.id, { configuration: configuration.id })
  await expect(part(page, 'Billing address').getByRole('link', { name: 'Edit' })).toHaveCount(0)
  await expect(part(page, 'Shipping address').getByRole('link', { name: 'Edit' })).toBeVisible()
  await part(page, 'Contact').getByRole('link', { name: 'Edit' }).click()
  await expect(page.getByLabel('Phone')).toBeVisible()
  await expect(page.getByLabel('Name')).toHaveCount(0)
  expect((await page.goto('/details/address'))?.status()).toBe(403)
})

test('a tax ID is checked, shown with its status, and removed', async ({ page }) => {
  const customer = await newCustomer()
  await open(page, customer.id)
  const section = part(page, 'Tax IDs')
  const add = async (value: string) => {
    if (!(await page.getByLabel('Number').isVisible())) await section.getByText('Add tax ID').click()
    await page.getByLabel('Country and type').selectOption({ label: 'Germany – EU VAT (DE123456789)' })
    await page.getByLabel('Number').fill(value)
    await section.getByRole('button', { name: 'Save' }).click()
  }
  await add('DE12')
  await expect(page.getByText('This number is not written as its type is.')).toBeVisible()
  await add('DE000000000')
  await expect(page.getByText('The tax ID was added.')).toBeVisible()
  await expect(section).toContainText('DE000000000')
  await expect(section).toContainText('Verified')
  expect((await merchant().customers.listTaxIds(customer.id)).data.map((t) => t.value)).toEqual(['DE000000000'])
  await section.getByRole('button', { name: 'Remove' }).click()
  await expect(page.getByText('The tax ID was removed.')).toBeVisible()
  expect((await merchant().customers.listTaxIds(customer.id)).data).toEqual([])
})
