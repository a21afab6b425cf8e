// axe finds nothing on any page, in light and dark, left to right and right to left.
import AxeBuilder from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'

import { enter, link, merchant, newCustomer } from '../portal'
import { demo } from '../server'

async function check(page: Page, what: string) {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map((v) => `${what}: ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)).toEqual([])
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const locale of ['en', 'ar']) {
    test.describe(`${colorScheme}, ${locale}`, () => {
      test.use({ colorScheme })

      test('the pages', async ({ page }) => {
        test.slow()
        const customer = await newCustomer({ plans: ['starter_monthly'] })
        const subscription = `/subscriptions/${customer.subscriptions[0].id}`
        await enter(page, customer.id, { locale, return_url: 'https://app.example.com/' })
        const invoice = (await merchant().invoices.list({ customer: customer.id })).data[0]
        const own = ['/', subscription, `${subscription}/cancel`, '/invoices', '/invoices?q=none', `/invoices/${invoice.id}`]
        const forms = ['/payment-methods', '/details', '/details/contact', '/details/address?country=DE', '/activity']
        for (const path of [...own, ...forms, '/no-such-page', '/subscriptions/sub_nobodys', invoice.hosted_invoice_url ?? '']) {
          await page.goto(path)
          await check(page, path)
        }
        for (const state of ['past_due', 'trialing', 'scheduled_to_cancel', 'canceled', 'no_subscription']) {
          await enter(page, demo().customers[state], { locale })
          await check(page, state)
        }
      })

      test('the door', async ({ page }) => {
        await page.goto(await link(demo().customers.active, { locale }))
        await check(page, 'continue')
        await page.goto('/session/unknown')
        await check(page, 'expired')
      })
    })
  }
}

test('the keyboard reaches everything in reading order, and sees where it is', async ({ page }) => {
  await enter(page, demo().customers.active, { return_url: 'https://app.example.com/' })
  await page.keyboard.press('Tab')
  await expect(page.locator(':focus')).toHaveText('Skip to content')
  const order: string[] = []
  for (let n = 0; n < 30; n++) {
    await page.keyboard.press('Tab')
    const focus = page.locator(':focus')
    if ((await focus.count()) === 0) break
    const outline = await focus.evaluate((e) => getComputedStyle(e).outlineStyle)
    expect(outline, await focus.innerText()).not.toBe('none')
    order.push((await focus.innerText()).trim())
  }
  expect(order).toContain('Overview')
  expect(order.indexOf('Overview')).toBeLessThan(order.indexOf('Manage'))
})
