// axe finds nothing on any page, in light and dark, left to right and right to left, on the screen and on paper.
import AxeBuilder from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'

import { moments, open, paths, states } from '../pages'
import { enter, newCustomer, settled } from '../portal'
import { demo } from '../server'

// Nothing fades, so that no colour is looked at on its way to another.
test.use({ contextOptions: { reducedMotion: 'reduce' } })

/** In light, and in dark. */
async function checkBoth(page: Page, what: string) {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await check(page, `${what}, ${colorScheme}`)
  }
}

async function check(page: Page, what: string) {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map((v) => `${what}: ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)).toEqual([])
}

for (const locale of ['en', 'ar']) {
  test.describe(locale, () => {
    test('the pages', async ({ page }) => {
      test.setTimeout(180_000)
      for (const path of await paths(page, { locale })) {
        await open(page, path)
        await checkBoth(page, path)
      }
      for await (const state of states(page, { locale })) await checkBoth(page, state)
      for await (const moment of moments(page, { locale })) await checkBoth(page, moment)
    })

    test('an invoice on paper', async ({ page }) => {
      const invoices = (await paths(page, { locale })).filter((path) => /invoices?\/[^/]+$/.test(path))
      expect(invoices).toHaveLength(2)
      await page.emulateMedia({ media: 'print' })
      for (const path of invoices) {
        await open(page, path)
        await checkBoth(page, `${path} on paper`)
      }
    })

    test('what comes and goes', async ({ page }) => {
      const customer = await newCustomer({ plans: ['starter_monthly'] })
      const own = `/subscriptions/${customer.subscriptions[0].id}`
      await enter(page, customer.id, { locale })
      await open(page, `${own}/cancel`)
      await page.locator('.danger-fill').click()
      await expect(page.locator('.notice')).toBeVisible()
      await checkBoth(page, 'said what was done')
      await open(page, '/details')
      await page.locator('.adding summary').click()
      await page.locator('#field-value').fill('DE12')
      await page.locator('.adding button').click()
      await expect(page.locator('.alert.bad')).toBeVisible()
      await checkBoth(page, 'said what is wrong')
    })
  })
}

test('what no page of ours sent is refused on a page that can be read', async ({ page }) => {
  await page.setContent(`<form method="post" action="${process.env.PORTICO_URL}/session/unknown"><button>Go</button></form>`)
  await page.getByRole('button').click()
  await expect(page.locator('.door h1')).toBeVisible()
  await check(page, 'a form of another site')
})

test('after a link was followed, reading goes on where the page begins', async ({ page }) => {
  await enter(page, demo().customers.active)
  await settled(page)
  for (const name of ['Invoices', 'Payment methods', 'Billing details', 'Activity', 'Overview']) {
    await page.getByRole('navigation', { name: 'Main menu' }).getByRole('link', { name, exact: true }).click()
    await expect(page.locator('#main h1')).toBeVisible()
    await expect(page.locator('#main')).toBeFocused()
  }
})
