// However a page is looked at: narrow, enlarged, printed, without motion; and it says what it is and in which language.
import { expect, test, type Page } from '@playwright/test'

import { moments, open, paths, states } from '../pages'
import { enter, newCustomer } from '../portal'

const LONG = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft Rindfleischetikettierungsüberwachung'
const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

for (const [locale, dir] of [['en', 'ltr'], ['de', 'ltr'], ['ar', 'rtl']]) {
  test(`each page fits 320 pixels, and 1280 at 200 %, and has its name, one first heading and its language: ${locale}`, async ({ page }) => {
    test.setTimeout(120_000)
    const titles: string[] = []
    const long = { name: LONG, email: `${'long'.repeat(15)}@${'company'.repeat(8)}.example` }
    for (const path of await paths(page, { locale }, { locale, ...long })) {
      await page.setViewportSize({ width: 320, height: 640 })
      await open(page, path)
      expect(await overflow(page), `${path} at 320`).toBeLessThanOrEqual(0)
      await page.setViewportSize({ width: 640, height: 800 })
      expect(await overflow(page), `${path} at 200 %`).toBeLessThanOrEqual(0)
      const outside = path.startsWith('/session/') || path.startsWith('/no-such')
      if (!outside) await expect(page.locator('html'), path).toHaveAttribute('lang', locale)
      if (!outside) await expect(page.locator('html'), path).toHaveAttribute('dir', dir)
      await expect(page.locator('h1'), path).toHaveCount(1)
      await expect(page.locator('main'), path).toHaveCount(1)
      await expect(page, path).toHaveTitle(/./)
      if (!outside) titles.push(await page.title())
    }
    const named = titles.slice(0, 11).filter((title) => !/in_|none/.test(title))
    // The list of invoices is one page, searched or not.
    expect(new Set(named).size, named.join(', ')).toBe(named.length - 1)
    await page.setViewportSize({ width: 320, height: 640 })
    for await (const state of states(page, { locale })) expect(await overflow(page), state).toBeLessThanOrEqual(0)
    for await (const moment of moments(page, { locale })) expect(await overflow(page), moment).toBeLessThanOrEqual(0)
  })
}

test.describe('for those whom motion makes ill', () => {
  test.use({ contextOptions: { reducedMotion: 'reduce' } })

  test('nothing moves', async ({ page }) => {
    for (const path of await paths(page)) {
      await open(page, path)
      const moving = await page.evaluate(() =>
        [...document.querySelectorAll('*')].filter((element) => {
          const style = getComputedStyle(element)
          return style.transitionDuration.split(',').some((time) => parseFloat(time) > 0) || style.animationName !== 'none'
        }).length,
      )
      expect(moving, path).toBe(0)
    }
  })
})

test.describe('an invoice on paper', () => {
  test.use({ colorScheme: 'dark' })

  test('is dark on white, and without what can only be pressed', async ({ page }) => {
    const customer = await newCustomer({ plans: ['studio_monthly'] })
    await enter(page, customer.id)
    await page.getByRole('link', { name: 'Invoices', exact: true }).click()
    await page.locator('.rows a').first().click()
    await expect(page.locator('.sheet')).toBeVisible()
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    for (const part of ['.menu', '.back', '.skip', '.way-back']) await expect(page.locator(part).first()).toBeHidden()
    const channels = (color: string) => page.evaluate((css) => {
      const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true })
      if (!context) throw new Error('no canvas')
      context.fillStyle = css
      context.fillRect(0, 0, 1, 1)
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)
    }, color)
    const color = await page.locator('.sheet h1').evaluate((element) => getComputedStyle(element).color)
    const ground = await page.locator('html').evaluate((element) => getComputedStyle(element).backgroundColor)
    for (const channel of await channels(color)) expect(channel).toBeLessThan(100)
    for (const channel of await channels(ground)) expect(channel).toBeGreaterThan(240)
  })
})
