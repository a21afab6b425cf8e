// One invoice: in the portal, and on its own page for whoever holds its link.
import { expect, test } from '@playwright/test'
import { readFileSync } from 'node:fs'

import { MERCHANT, enter, merchant, newCustomer } from '../portal'

const latest = async (customer: string) => (await merchant().invoices.list({ customer, limit: 1 })).data[0]

test('a row leads to the invoice, and back', async ({ page }) => {
  const customer = await newCustomer({ plans: ['team_monthly'] })
  const invoice = await latest(customer.id)
  await enter(page, customer.id)
  await page.getByRole('link', { name: invoice.number ?? 'a number' }).click()
  await expect(page.getByRole('heading', { level: 1, name: `Invoice ${invoice.number}` })).toBeVisible()
  const main = page.locator('#main')
  for (const text of ['Paid', '$19.00', 'Team', '1 × $19.00 per month', 'Robin Ferreira', MERCHANT, 'Visa •••• 4242']) {
    await expect(main).toContainText(text)
  }
  await page.getByRole('link', { name: 'Back to invoices' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Invoices' })).toBeVisible()
})

test('its own page needs no session, and shows that one invoice', async ({ page, browser }) => {
  const customer = await newCustomer({ plans: ['studio_monthly'] })
  const invoice = await latest(customer.id)
  const other = await browser.newPage()
  const answer = await other.goto(invoice.hosted_invoice_url ?? '')
  expect(answer?.status()).toBe(200)
  expect(answer?.headers()['referrer-policy']).toBe('no-referrer')
  await expect(other.getByRole('heading', { level: 1, name: `Invoice ${invoice.number}` })).toBeVisible()
  await expect(other.locator('#main')).toContainText('$49.00')
  const link = other.getByRole('link')
  await expect(link).toHaveCount(1)
  const [saved] = await Promise.all([other.waitForEvent('download'), link.click()])
  expect(saved.suggestedFilename()).toBe(`Invoice ${invoice.number}.pdf`)
  expect(await other.context().cookies()).toEqual([])
  await other.close()

  const url = new URL(invoice.hosted_invoice_url ?? '')
  expect((await page.goto(url.href.slice(0, -1)))?.status()).toBe(404)
  await merchant().customers.del(customer.id)
  expect((await page.goto(url.href))?.status()).toBe(410)
  await expect(page.getByRole('heading', { name: 'This link has expired' })).toBeVisible()
})

test('the invoice and its receipt are saved as files', async ({ page }) => {
  const customer = await newCustomer({ plans: ['team_monthly'] })
  const { id, number } = await latest(customer.id)
  await enter(page, customer.id)
  const save = async (name: string) => {
    const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()])
    expect(readFileSync(await saved.path()).subarray(0, 5).toString()).toBe('%PDF-')
    return saved.suggestedFilename()
  }
  await page.goto(`/invoices/${id}`)
  expect(await save('Download PDF')).toBe(`Invoice ${number}.pdf`)
  expect(await save('Download receipt')).toBe(`Receipt ${number}.pdf`)
  await page.goto('/invoices')
  expect(await save('Download PDF')).toBe(`Invoice ${number}.pdf`)
})

test('on paper it is the invoice alone', async ({ page }) => {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id)
  await page.goto(`/invoices/${(await latest(customer.id)).id}`)
  await page.emulateMedia({ media: 'print' })
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expect(page.getByRole('navigation').first()).toBeHidden()
  await expect(page.getByRole('link', { name: 'Back to invoices' })).toBeHidden()
})

test("somebody else's is not there", async ({ page }) => {
  const [first, second] = [await newCustomer({ plans: ['starter_monthly'] }), await newCustomer()]
  const invoice = await latest(first.id)
  await enter(page, second.id)
  expect((await page.goto(`/invoices/${invoice.id}`))?.status()).toBe(404)
  await expect(page.locator('#main')).not.toContainText(invoice.number ?? 'a number')
})
