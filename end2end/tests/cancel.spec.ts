// Canceling: three presses, a question that may be skipped, and the way back until it takes effect.
import { expect, test, type Page } from '@playwright/test'

import { enter, merchant, newCustomer } from '../portal'

const toForm = async (page: Page) => {
  await page.getByRole('link', { name: 'Manage' }).first().click()
  await page.getByRole('link', { name: 'Cancel subscription' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Cancel subscription' })).toBeVisible()
}

test('cancels in three presses with a reason, and undoes it', async ({ page }) => {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  const id = customer.subscriptions[0].id
  await enter(page, customer.id)
  await toForm(page)
  await expect(page.locator('#main')).toContainText('You keep access until')
  await page.getByLabel('I do not use it enough').check()
  await page.getByLabel('Anything you would like to add?').fill('Back in spring & <b>then</b>')
  await page.getByRole('button', { name: 'Cancel subscription' }).click()
  await expect(page.getByText('Your cancellation is confirmed.')).toBeVisible()
  await expect(page.locator('#main')).toContainText('You keep access until then')

  const canceled = await merchant().subscriptions.retrieve(id)
  expect(canceled).toMatchObject({
    status: 'active',
    cancel_at_period_end: true,
    cancellation_details: { reason: 'cancellation_requested', feedback: 'unused', comment: 'Back in spring & <b>then</b>' },
  })

  await page.getByRole('button', { name: 'Keep my subscription' }).click()
  await expect(page.getByText('Your subscription continues.')).toBeVisible()
  expect(await merchant().subscriptions.retrieve(id)).toMatchObject({ status: 'active', cancel_at_period_end: false, cancel_at: null })

  const events = await merchant().events.list({ limit: 100 })
  const types = events.data.filter((e) => (e.data.object as { id: string }).id === id).map((e) => e.type as string)
  expect(types.filter((t) => t === 'subscription.cancellation_scheduled')).toHaveLength(1)
  expect(types.filter((t) => t === 'customer.subscription.updated').length).toBeGreaterThanOrEqual(2)
})

test('the question may be skipped, and the form may be left', async ({ page }) => {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id)
  await toForm(page)
  await page.getByRole('link', { name: 'Keep subscription' }).click()
  await expect(page.getByText('Your cancellation is confirmed.')).toHaveCount(0)
  await page.getByRole('link', { name: 'Cancel subscription' }).click()
  await page.getByRole('button', { name: 'Cancel subscription' }).click()
  await expect(page.getByText('Your cancellation is confirmed.')).toBeVisible()
})

test('where it is switched off there is no way to it', async ({ page }) => {
  const configuration = await merchant().billingPortal.configurations.create({ features: { invoice_history: { enabled: true } } })
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id, { configuration: configuration.id })
  await page.getByRole('link', { name: 'Manage' }).first().click()
  await expect(page.getByRole('link', { name: 'Cancel subscription' })).toHaveCount(0)
  await page.goto(`/subscriptions/${customer.subscriptions[0].id}/cancel`)
  await expect(page.getByText('Canceling online is not available')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Cancel subscription' })).toHaveCount(0)
})

test('at once, where the configuration says so', async ({ page }) => {
  const configuration = await merchant().billingPortal.configurations.create({
    features: { subscription_cancel: { enabled: true, mode: 'immediately' } },
  })
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id, { configuration: configuration.id })
  await toForm(page)
  await expect(page.locator('#main')).toContainText('Your access ends immediately.')
  await page.getByRole('button', { name: 'Cancel immediately' }).click()
  await expect(page.getByText('Your subscription has ended.')).toBeVisible()
  expect((await merchant().subscriptions.retrieve(customer.subscriptions[0].id)).status).toBe('canceled')
})

test("a stale tab of another customer's session changes nothing and says so", async ({ page, context }) => {
  const first = await newCustomer({ plans: ['starter_monthly'] })
  const second = await newCustomer({ name: 'Sascha Vogel', plans: ['studio_monthly'] })
  await enter(page, first.id)
  await toForm(page)
  const tab = await context.newPage()
  await enter(tab, second.id)
  await page.getByRole('button', { name: 'Cancel subscription' }).click()
  await expect(page.getByText('This page belongs to an earlier session').first()).toBeVisible()
  for (const customer of [first, second]) {
    expect((await merchant().subscriptions.retrieve(customer.subscriptions[0].id)).cancel_at_period_end).toBe(false)
  }
})
