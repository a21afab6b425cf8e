// What the portal hears from the fields' frame, and what it does not: messages of nobody's are without effect.
import { expect, test } from '@playwright/test'

import { enter, merchant, newCustomer, settled } from '../portal'

test('a thousand messages of others change nothing, nor does an echo', async ({ page }) => {
  const customer = await newCustomer({ card: null })
  await enter(page, customer.id)
  const asked: string[] = []
  page.on('request', (request) => request.url().includes('/add_method/add_method') && asked.push(request.url()))
  await page.goto('/payment-methods/add?kind=card')
  await settled(page)
  const frame = page.frameLocator('iframe')
  await expect(frame.getByLabel('Card number')).toBeVisible()
  await page.evaluate(() => {
    const frame = document.querySelector('iframe') as HTMLIFrameElement
    const origin = new URL(frame.src).origin
    const texts = ['{"portico":"fields","reference":"stolen"}', '{"portico":"fields","reference":"x","more":1}', '{"reference":"x"}', 'x', '', '[]', '{"portico":"fields","height":"1"}']
    for (let n = 0; n < 1000; n++) {
      const data: unknown = n % 9 === 8 ? { portico: 'fields', reference: 'x' } : texts[n % texts.length]
      const ways = [
        () => window.postMessage(data, '*'),
        () => window.dispatchEvent(new MessageEvent('message', { data, origin, source: window })),
        () => window.dispatchEvent(new MessageEvent('message', { data, origin })),
        () => window.dispatchEvent(new MessageEvent('message', { data, origin: location.origin, source: frame.contentWindow })),
        () => window.dispatchEvent(new MessageEvent('message', { data, origin: origin + '.evil.example', source: frame.contentWindow })),
      ]
      ways[n % ways.length]()
    }
  })
  await expect(frame.getByLabel('Card number')).toBeVisible()
  expect(asked).toEqual([])

  await page.evaluate(() => {
    const frame = document.querySelector('iframe') as HTMLIFrameElement
    // Said by the very frame, again and again: what it says first counts.
    window.addEventListener('message', (event) => {
      if (event.source !== frame.contentWindow || !String(event.data).includes('reference')) return
      if (!event.isTrusted) return
      for (let n = 0; n < 20; n++) window.dispatchEvent(new MessageEvent('message', { data: event.data, origin: event.origin, source: event.source }))
    })
  })
  await frame.getByLabel('Card number').fill('4242424242424242')
  await frame.getByLabel('Expiry date').fill('12 / 30')
  await frame.getByLabel('Security code').fill('123')
  await frame.getByLabel('Name on card').fill('Maya')
  await frame.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Visa •••• 4242 was saved.')).toBeVisible()
  expect(asked).toHaveLength(1)
  expect((await merchant().customers.listPaymentMethods(customer.id)).data).toHaveLength(1)
})

test('the frame has its room before it is there, and the page does not jump', async ({ page }) => {
  const customer = await newCustomer({ card: null })
  await enter(page, customer.id)
  await page.addInitScript(() => {
    const jumps = ((window as never as { jumps: number[] }).jumps = [] as number[])
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => jumps.push((entry as never as { value: number }).value))).observe({ type: 'layout-shift', buffered: true })
  })
  await page.goto('/payment-methods/add?kind=card')
  await settled(page)
  await expect(page.frameLocator('iframe').getByRole('button', { name: 'Save' })).toBeVisible()
  const jumps = await page.evaluate(() => (window as never as { jumps: number[] }).jumps)
  expect(jumps.reduce((sum, jump) => sum + jump, 0)).toBeLessThan(0.05)
})
