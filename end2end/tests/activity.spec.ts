// Activity: what was done, in plain words, and by whom.
import { expect, test } from '@playwright/test'

import { MERCHANT, enter, newCustomer } from '../portal'

test('says what the merchant, the customer and time did', async ({ page }) => {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id)
  await page.goto(`/subscriptions/${customer.subscriptions[0].id}/cancel`)
  await page.getByRole('button', { name: 'Cancel subscription' }).click()
  await expect(page.getByText('Your cancellation is confirmed.')).toBeVisible()
  await page.getByRole('link', { name: 'Activity', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Activity' })).toBeVisible()
  const entry = (text: string) => page.getByRole('listitem').filter({ hasText: text })
  await expect(entry('Starter was canceled.')).toContainText('You')
  await expect(entry('The subscription to Starter began.')).toContainText(MERCHANT)
  await expect(entry('Visa •••• 4242 was added.')).toContainText('UTC')
  await entry('was paid: $9.00.').getByRole('link').click()
  await expect(page.getByRole('heading', { level: 1, name: /^Invoice / })).toBeVisible()
})

test('pages back, and to the newest again', async ({ page }) => {
  test.slow()
  const customer = await newCustomer({ plans: Array.from({ length: 12 }, () => 'starter_monthly') })
  await enter(page, customer.id)
  await page.goto('/activity')
  await expect(page.locator('#main')).not.toContainText('Your billing account was set up.')
  while (await page.getByRole('link', { name: 'Older' }).count()) {
    const before = page.url()
    await page.getByRole('link', { name: 'Older' }).click()
    await expect(page).not.toHaveURL(before)
    await expect(page.getByRole('link', { name: 'Newest' })).toBeVisible()
  }
  await expect(page.locator('#main')).toContainText('Your billing account was set up.')
  await page.getByRole('link', { name: 'Newest' }).click()
  await expect(page).toHaveURL('/activity')
})
