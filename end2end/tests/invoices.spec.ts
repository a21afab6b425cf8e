// Invoices: newest first, a page at a time.
import { expect, test } from '@playwright/test'

import { enter, merchant, newCustomer } from '../portal'
import { demo } from '../server'

test('lists number, date, amount and status', async ({ page }) => {
  await enter(page, demo().customers.active)
  await page.getByRole('link', { name: 'Invoices', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Invoices' })).toBeVisible()
  const invoices = await merchant().invoices.list({ customer: demo().customers.active })
  for (const invoice of invoices.data) await expect(page.locator('#main')).toContainText(invoice.number ?? 'a number')
})

test('pages by key, there and back', async ({ page }) => {
  test.slow()
  const customer = await newCustomer({ plans: Array.from({ length: 28 }, (_, n) => ['starter_monthly', 'team_monthly', 'studio_monthly'][n % 3]) })
  const numbers = (await merchant().invoices.list({ customer: customer.id, limit: 100 })).data.map((i) => i.number ?? '')
  expect(numbers).toHaveLength(28)
  await enter(page, customer.id)
  await page.goto('/invoices')
  const shown = () => page.locator('#main').innerText()
  expect(await shown()).toContain(numbers[0])
  expect(await shown()).not.toContain(numbers[27])
  await page.getByRole('link', { name: 'Older' }).click()
  await expect(page.locator('#main')).toContainText(numbers[27])
  await page.getByRole('link', { name: 'Newer' }).click()
  await expect(page.locator('#main')).toContainText(numbers[0])
})

test('is narrowed by a word, a status and a year, and stays so from page to page', async ({ page }) => {
  test.slow()
  const plans = Array.from({ length: 24 }, (_, n) => (n === 5 ? 'studio_monthly' : 'starter_monthly'))
  const customer = await newCustomer({ plans })
  const invoices = (await merchant().invoices.list({ customer: customer.id, limit: 100 })).data
  await enter(page, customer.id)
  await page.goto('/invoices')
  const rows = page.getByRole('rowheader')
  await page.getByRole('searchbox', { name: 'Search by number or plan' }).fill('studio')
  await page.getByRole('button', { name: 'Search' }).click()
  await expect(rows).toHaveCount(1)
  await expect(page.getByText('$49.00')).toBeVisible()
  await page.getByRole('link', { name: 'Show all' }).click()
  await expect(rows).toHaveCount(20)

  await page.getByLabel('Status').selectOption('Paid')
  await page.getByRole('button', { name: 'Search' }).click()
  await expect(page).toHaveURL(/status=paid/)
  await page.getByRole('link', { name: 'Older' }).click()
  await expect(rows).toHaveCount(4)
  await expect(page.getByLabel('Status')).toHaveValue('paid')
  await page.getByRole('searchbox', { name: 'Search by number or plan' }).fill(invoices[0].number ?? '')
  await page.getByLabel('Status').selectOption('Void')
  await page.getByRole('button', { name: 'Search' }).click()
  await expect(page.getByText('No invoices found')).toBeVisible()
})

test('says so where there are none', async ({ page }) => {
  await enter(page, demo().customers.no_subscription)
  await page.goto('/invoices')
  await expect(page.getByText('No invoices yet')).toBeVisible()
})
