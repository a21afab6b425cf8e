// A pause: for how long, from when, and going on for what was quoted.
import { expect, test, type Page } from '@playwright/test'

import { enter, merchant, newCustomer } from '../portal'

async function pausing(page: Page, feature: Record<string, unknown>) {
  const subscription_pause = { enabled: true, duration: { type: 'interval_options', interval_options: [{ interval: 'month' }, { interval: 'month', interval_count: 3 }] }, ...feature }
  const configuration = (await merchant().billingPortal.configurations.create({ features: { subscription_pause } } as never)).id
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id, { configuration })
  await page.getByRole('link', { name: 'Manage' }).first().click()
  await page.getByRole('link', { name: 'Pause subscription' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Pause subscription' })).toBeVisible()
  return () => merchant().subscriptions.retrieve(customer.subscriptions[0].id)
}

test('a pause from the end of the period is shown, and taken back', async ({ page }) => {
  const retrieve = await pausing(page, {})
  await expect(page.locator('#main')).toContainText('The pause begins on')
  await page.getByLabel('3 months').check()
  await page.getByRole('button', { name: 'Pause subscription' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Starter' })).toBeVisible()
  expect((await retrieve()).status).toBe('active')
  await page.getByRole('button', { name: 'Undo this change' }).click()
  await expect(page.getByText('Everything stays as it is.')).toBeVisible()
})

test('a pause now gives credit, and going on costs what was quoted', async ({ page }) => {
  const retrieve = await pausing(page, { at_period_end: false })
  await page.getByRole('button', { name: 'Pause subscription' }).click()
  await expect(page.getByText('Your subscription is paused.')).toBeVisible()
  expect((await retrieve()).status).toBe('paused')
  await page.getByRole('link', { name: 'Resume subscription' }).click()
  await expect(page.locator('.figure')).toHaveText('$0.00')
  await page.locator('#main').getByRole('button', { name: /Resume|Go on/ }).click()
  await expect(page.getByText('Your subscription goes on.')).toBeVisible()
  expect((await retrieve()).status).toBe('active')
})
