// The way in: one link, one session, and nothing for scanners.
import { expect, test } from '@playwright/test'

import { MERCHANT, enter, link, newCustomer } from '../portal'
import { demo } from '../server'

test('a pasted link shows a button, and the button leads in', async ({ page }) => {
  await page.goto(await link(demo().customers.active, { locale: 'en' }))
  await expect(page.getByRole('heading', { level: 1 })).toContainText(MERCHANT)
  await expect(page.getByText('m•••@lindqvist.example')).toBeVisible()
  await page.getByRole('button', { name: 'Continue to billing' }).click()
  await expect(page).toHaveURL('/')
  await expect(page.getByRole('heading', { level: 1, name: 'Billing overview' })).toBeVisible()
})

test('a link followed from a page leads straight in', async ({ page, context }) => {
  const url = await link(demo().customers.active, { locale: 'en' })
  await page.goto('/healthz')
  await page.setContent(`<a href="${url}">Manage billing</a>`)
  await page.getByRole('link').click()
  await expect(page).toHaveURL('/')
  const cookie = (await context.cookies()).find((c) => c.name.endsWith('portico'))
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' })
  expect(url).not.toContain(cookie?.value ?? 'no cookie')
})

test('a link works once; the browser that holds its session is let back in', async ({ page, browser }) => {
  const url = await link(demo().customers.active, { locale: 'en', return_url: 'https://app.example.com/account' })
  await page.goto(url)
  await page.getByRole('button', { name: 'Continue to billing' }).click()
  await expect(page).toHaveURL('/')
  await page.goto(url)
  await expect(page).toHaveURL('/')

  const other = await browser.newPage()
  const answer = await other.goto(url)
  expect(answer?.status()).toBe(410)
  await expect(other.getByRole('heading', { name: 'This session has expired' })).toBeVisible()
  await expect(other.getByRole('link', { name: `Return to ${MERCHANT}` })).toHaveAttribute('href', 'https://app.example.com/account')
  await other.close()
})

test('scanners, previews and prefetches change nothing', async ({ page, playwright }) => {
  const url = await link(demo().customers.active, { locale: 'en' })
  const scanner = await playwright.request.newContext()
  const visits = [
    () => scanner.get(url),
    () => scanner.head(url),
    () => scanner.get(url, { headers: { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' } }),
    () => scanner.get(url, { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch' } }),
    () => scanner.get(url, { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' } }),
  ]
  for (const visit of visits) {
    const answer = await visit()
    expect(answer.status()).toBe(200)
    expect(answer.headers()['set-cookie']).toBeUndefined()
    expect(answer.headers()['cache-control']).toContain('no-store')
  }
  const forged = await scanner.post(url, { headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' } })
  expect(forged.status()).toBe(403)
  await scanner.dispose()
  await page.goto(url)
  await page.getByRole('button', { name: 'Continue to billing' }).click()
  await expect(page).toHaveURL('/')
})

test('an unknown link and a visit without a session say that the session has expired', async ({ page }) => {
  expect((await page.goto('/session/nobody-made-this'))?.status()).toBe(404)
  await expect(page.getByRole('heading', { name: 'This session has expired' })).toBeVisible()
  expect((await page.goto('/'))?.status()).toBe(401)
  await expect(page.getByRole('heading', { name: 'This session has expired' })).toBeVisible()
})

test('a deleted customer is out at the next request', async ({ page }) => {
  const { merchant } = await import('../portal')
  const customer = await newCustomer()
  await enter(page, customer.id)
  await merchant().customers.del(customer.id)
  expect((await page.goto('/'))?.status()).toBe(401)
  await expect(page.getByRole('heading', { name: 'This session has expired' })).toBeVisible()
  await expect(page.getByText(MERCHANT).first()).toBeVisible()
})

test('a path that leads nowhere says so', async ({ page }) => {
  await enter(page, demo().customers.active)
  expect((await page.goto('/no-such-page'))?.status()).toBe(404)
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  expect((await page.goto('/subscriptions/sub_nobodys'))?.status()).toBe(404)
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible()
})
