// Leaving: to where the merchant said, and it knows whether something was done.
import { expect, test, type Page } from '@playwright/test'

import { MERCHANT, enter, newCustomer } from '../portal'
import { demo } from '../server'

// The merchant's site does not exist here: answer for it.
const site = async (page: Page) => page.route('https://app.example.com/**', (route) => route.fulfill({ body: 'the shop' }))
const back = (page: Page) => page.getByRole('link', { name: `Return to ${MERCHANT}` }).click()

test('nothing done: to cancel_url; something done: to return_url with success', async ({ page }) => {
  await site(page)
  const urls = { return_url: 'https://app.example.com/account?tab=billing#plan', cancel_url: 'https://app.example.com/nothing' }
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id, urls)
  await back(page)
  await expect(page).toHaveURL('https://app.example.com/nothing')

  await enter(page, customer.id, urls)
  await page.goto(`/subscriptions/${customer.subscriptions[0].id}/cancel`)
  await page.getByRole('button', { name: 'Cancel subscription' }).click()
  await expect(page.getByText('Your cancellation is confirmed.')).toBeVisible()
  await back(page)
  await expect(page).toHaveURL('https://app.example.com/account?tab=billing&success=true#plan')
})

test('with a return_url alone, always there; with none, no link', async ({ page }) => {
  await site(page)
  await enter(page, demo().customers.active, { return_url: 'https://app.example.com/account' })
  await back(page)
  await expect(page).toHaveURL('https://app.example.com/account')
  await enter(page, demo().customers.active)
  await expect(page.getByRole('link', { name: `Return to ${MERCHANT}` })).toHaveCount(0)
})
