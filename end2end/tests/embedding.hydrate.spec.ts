// The portal inside a page of the merchant's: shown to listed pages only, as high as what it shows, and it says when something was done.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, test, type Page } from '@playwright/test'
import Stripe from 'stripe'

import { link, merchant, newCustomer } from '../portal'

let shop: Server

test.beforeAll(async () => {
  shop = createServer((request, response) => {
    const src = new URL(request.url ?? '/', 'http://shop').searchParams.get('src') ?? ''
    response.setHeader('Content-Type', 'text/html')
    response.end(`<!doctype html><title>Shop</title><script src="${process.env.PORTICO_URL}/embed.js" defer></script>
      <script>addEventListener('completed', () => document.title = 'Completed'); addEventListener('message', event => (window.heard ??= []).push(event.data))</script>
      <billing-portal src="${src.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}" title="Your subscription"></billing-portal>`)
  }).listen(0, '127.0.0.1')
  await once(shop, 'listening')
})

test.afterAll(() => void shop.close())

const at = (host: string) => `http://${host}:${(shop.address() as AddressInfo).port}`

/** A customer's portal on the shop's page, which the configuration knows as `localhost`. */
async function show(page: Page, host: string) {
  const configuration = await merchant().billingPortal.configurations.create({
    features: {
      invoice_history: { enabled: true }, subscription_cancel: { enabled: true }, embedding: { parent_origins: [at('localhost')] },
    },
  } as Stripe.BillingPortal.ConfigurationCreateParams)
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  const src = await link(customer.id, { configuration: configuration.id, locale: 'en' })
  await page.goto(`${at(host)}/?src=${encodeURIComponent(src)}`)
  return { src, subscription: customer.subscriptions[0].id }
}

test('a listed page shows it, at its height, and hears what was done', async ({ page, context }) => {
  const { src, subscription } = await show(page, 'localhost')
  const portal = page.frameLocator('billing-portal iframe')
  await expect(portal.locator('#main h1')).toBeVisible()
  await expect(page.locator('iframe')).toHaveAttribute('title', 'Your subscription')
  await expect(portal.locator('.way-back')).toHaveCount(0)
  const heights = () => page.evaluate(() => [
    document.querySelector('iframe')!.clientHeight,
    Math.max(...((window as unknown as { heard?: { height?: number }[] }).heard ?? []).map(said => said.height ?? 0)),
  ])
  await expect.poll(async () => (await heights())[1]).toBeGreaterThan(200)
  const [shown, said] = await heights()
  expect(Math.abs(shown - said)).toBeLessThan(2)
  expect((await context.cookies(process.env.PORTICO_URL)).map(cookie => cookie.name)).toEqual(['portico-frame'])

  const frame = page.frames().find(one => one.url().startsWith(process.env.PORTICO_URL ?? ''))!
  await frame.goto(new URL(`/subscriptions/${subscription}/cancel`, src).href)
  await portal.locator('form button[type=submit]').last().click()
  await expect(page).toHaveTitle('Completed')
})

test('nobody else shows it', async ({ page }) => {
  const { src } = await show(page, '127.0.0.1')
  await page.waitForLoadState('networkidle')
  await expect(page.frameLocator('billing-portal iframe').locator('#main')).toHaveCount(0)
  expect(new URL(src).pathname).toContain('/session/')
})

test('the cookie of a frame is none at the top', async ({ page, context }) => {
  const { src } = await show(page, 'localhost')
  await expect(page.frameLocator('billing-portal iframe').locator('#main h1')).toBeVisible()
  expect((await context.cookies(src)).length).toBe(1)
  const answer = await page.goto(new URL('/', src).href)
  expect(answer?.status()).toBe(401)
})
