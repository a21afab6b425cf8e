// The overview answers: what do I pay, when, how, and is anything wrong.
import { expect, test } from '@playwright/test'

import { MERCHANT, enter, newCustomer } from '../portal'
import { demo } from '../server'

test('names the merchant, the customer, the plan, the next charge and the card', async ({ page }) => {
  await enter(page, demo().customers.active)
  await expect(page.getByRole('banner')).toContainText(MERCHANT)
  await expect(page.getByRole('banner')).toContainText('m•••@lindqvist.example')
  const card = page.locator('#main')
  await expect(card).toContainText('Team')
  await expect(card).toContainText('$95.00')
  await expect(card).toContainText('Next charge')
  await expect(card).toContainText('4242')
  await expect(card).toContainText('Active')
  expect(await page.getByText('Paid', { exact: true }).count()).toBeGreaterThanOrEqual(3)
})

test('says at a glance that all is well, and what comes next', async ({ page }) => {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id)
  await expect(page.getByText('Everything is in order.')).toBeVisible()
  await expect(page.getByText('Next, $9.00 for Starter will be charged to Visa •••• 4242 on')).toBeVisible()
  await page.getByRole('link', { name: 'All payment methods' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Payment methods' })).toBeVisible()
})

test('a failed payment needs attention', async ({ page }) => {
  await enter(page, demo().customers.past_due)
  await expect(page.locator('#main')).toContainText('Your last payment did not go through')
  await expect(page.locator('#main')).toContainText('Payment failed')
})

test('a trial says when it ends, and that nothing can be charged yet', async ({ page }) => {
  await enter(page, demo().customers.trialing)
  await expect(page.locator('#main')).toContainText('Free trial')
  await expect(page.locator('#main')).toContainText('There is nothing to charge yet')
})

test('without a subscription the page says so, and past invoices stay', async ({ page }) => {
  await enter(page, demo().customers.no_subscription)
  await expect(page.locator('#main')).toContainText('No active subscription')
  await enter(page, demo().customers.canceled)
  await expect(page.locator('#main')).toContainText('Ended')
  await page.getByRole('link', { name: 'Invoices', exact: true }).click()
  await expect(page.getByText('$9.00').first()).toBeVisible()
})

test('several subscriptions stand side by side', async ({ page }) => {
  const customer = await newCustomer({ plans: ['starter_monthly', 'studio_monthly'] })
  await enter(page, customer.id)
  await expect(page.locator('#main')).toContainText('Starter')
  await expect(page.locator('#main')).toContainText('Studio')
})

test('fits a screen of 320 pixels', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 700 })
  await enter(page, demo().customers.past_due)
  for (const path of ['/', '/invoices', '/payment-methods', '/details', '/details/address?country=US', '/activity']) {
    await page.goto(path)
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    expect(overflow, path).toBe(0)
  }
})
