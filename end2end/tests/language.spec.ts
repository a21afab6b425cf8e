// Language: the session's, else the customer's, else the browser's; Arabic runs right to left.
import { expect, test } from '@playwright/test'

import { enter, newCustomer } from '../portal'
import { demo } from '../server'

test('the session decides', async ({ page }) => {
  await enter(page, demo().customers.active, { locale: 'de' })
  await expect(page.locator('html')).toHaveAttribute('lang', /^de/)
  await expect(page.locator('#main')).toContainText('95,00')
})

test('then the customer', async ({ page }) => {
  await enter(page, demo().customers.scheduled_to_cancel, { locale: 'auto' })
  await expect(page.locator('html')).toHaveAttribute('lang', /^ar/)
  await expect(page.locator('html')).toHaveAttribute('dir', 'rtl')
})

test.describe('then the browser', () => {
  test.use({ locale: 'de-DE' })
  test('speaks German', async ({ page }) => {
    const customer = await newCustomer({ plans: ['starter_monthly'] })
    await enter(page, customer.id, { locale: 'auto' })
    await expect(page.locator('html')).toHaveAttribute('lang', /^de/)
  })
})
