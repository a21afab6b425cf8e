// The merchant's look: its name, colours, corners, type, headline and links, from the first paint on.
import { expect, test, type Page } from '@playwright/test'

import { branded, enter, newCustomer, settled } from '../portal'

const paint = (page: Page, selector: string, property: string) =>
  page.locator(selector).first().evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property)

test('name, accent, corners, type, headline and links are the merchant’s', async ({ page }) => {
  const branding = {
    name: 'Umbra Press', accent_color: '#008060', corner_radius: 0, font: 'serif', header_text: 'Not this one',
    support_url: 'https://umbra.example/help', privacy_policy_url: 'https://umbra.example/privacy',
  }
  const configuration = await branded(branding, { headline: 'Books, printed well', terms_of_service_url: 'https://umbra.example/terms' })
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id, { configuration })
  await expect(page).toHaveTitle(/Umbra Press/)
  await expect(page.locator('.merchant-name')).toHaveText('Umbra Press')
  await expect(page.getByText('Books, printed well')).toBeVisible()
  await expect(page.getByText('Not this one')).toHaveCount(0)
  const foot = page.getByRole('contentinfo')
  for (const [name, href] of [['Get help', 'help'], ['Privacy', 'privacy'], ['Terms', 'terms']]) {
    await expect(foot.getByRole('link', { name: new RegExp(name) })).toHaveAttribute('href', `https://umbra.example/${href}`)
  }
  expect(await paint(page, '.monogram', 'background-color')).toBe('rgb(0, 128, 96)')
  expect(await paint(page, '.card', 'border-top-left-radius')).toBe('0px')
  expect(await paint(page, 'html', 'font-family')).toContain('serif')
})

test('the look is there before anything runs, and stays', async ({ page }) => {
  const configuration = await branded({ accent_color: '#aa0044', light: { page_color: '#fff8f0' } })
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id, { configuration })
  const html = await (await page.request.get('/')).text()
  expect(html.indexOf('--accent:#aa0044')).toBeGreaterThan(0)
  expect(html.indexOf('--accent:#aa0044')).toBeLessThan(html.indexOf('<body'))
  await settled(page)
  await page.getByRole('link', { name: 'Billing details' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Billing details' })).toBeVisible()
  expect(await paint(page, 'html', 'background-color')).toBe('rgb(255, 248, 240)')
})
