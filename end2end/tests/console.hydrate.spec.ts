// Hydration takes the page over without a word in the console, under the page's own security policy.
import { expect, test } from '@playwright/test'

import { enter, newCustomer, settled } from '../portal'

test('every page hydrates in silence, and actions do not reload', async ({ page }) => {
  const said: string[] = []
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => said.push(`error: ${error.message}`))
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  const id = customer.subscriptions[0].id
  await enter(page, customer.id)
  for (const path of ['/', '/invoices', `/subscriptions/${id}`, `/subscriptions/${id}/cancel`]) {
    await page.goto(path)
    await settled(page)
  }
  await page.evaluate(() => Object.assign(window, { stillHere: true }))
  await page.getByRole('button', { name: 'Cancel subscription' }).click()
  await expect(page.getByText('Your cancellation is confirmed.')).toBeVisible()
  await page.getByRole('link', { name: 'Overview', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Billing overview' })).toBeVisible()
  expect(await page.evaluate(() => 'stillHere' in window)).toBe(true)
  expect(said).toEqual([])
})

test('a session that ends in the middle is said, not swallowed', async ({ page, context }) => {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id)
  await page.goto(`/subscriptions/${customer.subscriptions[0].id}/cancel`)
  await settled(page)
  await context.clearCookies()
  await page.getByRole('button', { name: 'Cancel subscription' }).click()
  await expect(page.getByRole('heading', { name: 'This session has expired' })).toBeVisible()
})
