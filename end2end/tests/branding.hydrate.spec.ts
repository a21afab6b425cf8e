// Whatever a merchant chooses can be read, on every page, in light and dark.
import AxeBuilder from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'

import { branded, link, merchant, newCustomer, settled } from '../portal'

const looks = {
  'a colour that nobody can read': { accent_color: '#ffee00' },
  'everything grey': { accent_color: '#808080', light: { page_color: '#808080', text_color: '#7f7f7f' }, dark: { page_color: '#777777', surface_color: '#888888' } },
  'dark by day, light by night': { accent_color: '#ff5500', light: { page_color: '#101820' }, dark: { page_color: '#f5f0e0' } },
  'loud': { accent_color: '#00ff00', light: { page_color: '#ffd9f0', surface_color: '#ffff99', text_color: '#ff0000' }, dark: { page_color: '#001a4d' } },
}

// Nothing fades, so that no colour is looked at on its way to another.
test.use({ contextOptions: { reducedMotion: 'reduce' } })

for (const [name, branding] of Object.entries(looks)) {
  test(`${name} can be read on every page`, async ({ page }) => {
    test.setTimeout(120_000)
    const configuration = await branded(branding)
    const customer = await newCustomer({ plans: ['starter_monthly'] })
    const url = await link(customer.id, { locale: 'en', configuration })
    await page.goto(url)
    await check(page, 'the link')
    await page.locator('form button').click()
    await page.locator('#main h1').waitFor()
    const own = `/subscriptions/${customer.subscriptions[0].id}`
    const invoice = (await merchant().invoices.list({ customer: customer.id })).data[0]
    const paths = ['/', own, `${own}/cancel`, '/invoices', `/invoices/${invoice.id}`, '/payment-methods', '/details', '/details/address', '/activity']
    for (const path of [...paths, '/no-such-page', `${own}?done=canceled`]) {
      await page.goto(path)
      await settled(page)
      await check(page, path)
    }
  })
}

/** A look is colours: all else is looked at where every page is. */
async function check(page: Page, what: string) {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    const { violations } = await new AxeBuilder({ page }).withRules(['color-contrast', 'link-in-text-block']).analyze()
    expect(violations.map((v) => `${what}, ${colorScheme}: ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)).toEqual([])
  }
}
