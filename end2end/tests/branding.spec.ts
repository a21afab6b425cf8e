// The merchant's look: its name, colours, corners, type, headline and links, from the first paint on.
import { crc32, deflateSync } from 'node:zlib'

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

/** A PNG of one colour, as a data: URL. */
function picture(width: number, height: number, rgb: number[]) {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    sum.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, sum])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2], 8)
  const row = Buffer.concat([Buffer.of(0), Buffer.concat(Array.from({ length: width }, () => Buffer.from(rgb)))])
  const rows = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)))
  const start = Buffer.from('89504e470d0a1a0a', 'hex')
  const png = Buffer.concat([start, chunk('IHDR', head), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
  return `data:image/png;base64,${png.toString('base64')}`
}

test('a logo stands in the place of the name, and an icon beside it', async ({ page }) => {
  const square = picture(64, 64, [170, 0, 68])
  const wide = picture(480, 120, [0, 128, 96])
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id, { configuration: await branded({ name: 'Umbra', logo: wide, icon: square }) })
  const logo = page.getByRole('img', { name: 'Umbra' })
  await expect(logo).toBeVisible()
  const size = await logo.evaluate((image: HTMLImageElement) => [image.naturalWidth, image.clientHeight, image.clientWidth])
  expect(size[0]).toBe(480)
  expect(size[1]).toBeLessThanOrEqual(40)
  expect(Math.abs(size[2] / size[1] - 4)).toBeLessThan(0.1)
  await expect(page.locator('link[rel=icon]')).toHaveAttribute('href', /^\/brand\/img_/)
})

test('an icon stands beside the name', async ({ page }) => {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id, { configuration: await branded({ name: 'Umbra', icon: picture(64, 64, [170, 0, 68]) }) })
  await expect(page.locator('.merchant-name')).toHaveText('Umbra')
  expect(await page.locator('img.monogram').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(64)
})
