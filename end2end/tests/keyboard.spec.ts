// By keyboard alone: everything is reached in the order that it is read in, is seen where it is, and lets go again.
import { expect, test, type Page } from '@playwright/test'

import { moments, open, paths } from '../pages'
import { enter, merchant, newCustomer, settled } from '../portal'
import { demo } from '../server'

interface Stop {
  name: string
  /** Its place among everything that can be reached. */
  place: number
  isSeen: boolean
  isMarked: boolean
}

/** Where the focus is; `null` where it has left the page. */
const here = (page: Page) =>
  page.evaluate((): Stop | null => {
    const element = document.activeElement
    if (!element || element === document.body) return null
    const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
    const painted = [element, element.closest('.choice') ?? element].flatMap((e) => [getComputedStyle(e), getComputedStyle(e, '::after')])
    const box = element.getBoundingClientRect()
    return {
      name: (element.textContent || element.getAttribute('name') || element.tagName).trim(),
      place: all.indexOf(element),
      isSeen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
      isMarked: painted.some((style) => style.boxShadow !== 'none' || (style.outlineStyle !== 'none' && style.outlineWidth !== '0px' && !/, 0\)$/.test(style.outlineColor))),
    }
  })

async function walk(page: Page) {
  const stops: Stop[] = []
  for (let n = 0; n < 150; n++) {
    await page.keyboard.press('Tab')
    const stop = await here(page)
    // Some browsers go round: at the end they begin again.
    if (!stop || (n > 0 && stop.place === stops[0].place)) return stops
    stops.push(stop)
  }
  throw new Error(`the focus does not get out: ${stops.slice(-5).map((stop) => stop.name).join(', ')}`)
}

/** In the order of the page, seeing where one is, and to everything that can be reached. */
async function walkThrough(page: Page, what: string) {
  // From the top, wherever something was pressed before.
  await page.evaluate(() => {
    document.body.tabIndex = -1
    document.body.focus()
  })
  const stops = await walk(page)
  const places = stops.map((stop) => stop.place)
  expect(places, `${what}: the order is that of the page`).toEqual([...places].sort((a, b) => a - b))
  expect(stops.filter((stop) => !stop.isSeen || !stop.isMarked), what).toEqual([])
  // Of a group of choices one is reached; what is folded away is not.
  const reachable = await page.locator('a[href]:visible, button:visible:not([tabindex="-1"]), input:not([type=radio]):visible, select:visible, textarea:visible, summary:visible').count()
  const radios = (await page.locator('input[type=radio]:visible').count()) ? 1 : 0
  expect(stops.length, `${what}: ${stops.map((stop) => stop.name).join(', ')}`).toBe(reachable + radios)
}

test('every page is walked through from its beginning to its end', async ({ page }) => {
  test.slow()
  for (const path of await paths(page)) {
    await open(page, path)
    await walkThrough(page, path)
  }
  for await (const moment of moments(page)) await walkThrough(page, moment)
})

test('the way past the menu', async ({ page }) => {
  await enter(page, demo().customers.active, { return_url: 'https://app.example.com/' })
  await settled(page)
  await page.keyboard.press('Tab')
  await expect(page.locator(':focus')).toHaveText('Skip to content')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await expect(page.locator('#main :focus')).toHaveText('Change plan')
})

test('what is folded away is unfolded, and leads to its button', async ({ page }) => {
  const customer = await newCustomer()
  const second = await merchant().paymentMethods.attach('pm_card_mastercard', { customer: customer.id })
  expect(second.id).toBeTruthy()
  await enter(page, customer.id)
  await open(page, '/payment-methods')
  await page.locator('summary').last().focus()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await expect(page.locator('details[open] button:focus')).toHaveCount(1)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('status')).toBeVisible()
  expect((await merchant().paymentMethods.list({ customer: customer.id })).data).toHaveLength(1)
})

test('a choice is made with the arrows', async ({ page }) => {
  const customer = await newCustomer({ plans: ['starter_monthly'] })
  await enter(page, customer.id)
  await open(page, `/subscriptions/${customer.subscriptions[0].id}/cancel`)
  await page.getByRole('radio').first().focus()
  await page.keyboard.press('ArrowDown')
  await expect(page.getByRole('radio').nth(1)).toBeChecked()
})

test('what is wrong is said at its entry', async ({ page }) => {
  const customer = await newCustomer()
  await enter(page, customer.id)
  await open(page, '/details')
  await page.getByText('Add tax ID').click()
  await page.getByLabel('Number').fill('DE12')
  await page.locator('details').getByRole('button', { name: 'Save' }).click()
  const entry = page.getByLabel('Number')
  await expect(entry).toBeVisible()
  await expect(entry).toHaveAttribute('aria-invalid', 'true')
  await expect(entry).toHaveAccessibleDescription(/This number is not written as its type is/)
})
