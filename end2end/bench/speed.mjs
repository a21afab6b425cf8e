// How soon the overview is seen and usable on a slow phone: Chromium at 1.6 Mbit/s, 150 ms and a quarter of this CPU.
import { createRequire } from 'node:module'

const { chromium } = createRequire(import.meta.url)('@playwright/test')
const RUNS = 5
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/** Medians over fresh browsers: first and largest paint, hydration (ms), blocking time (ms), layout shift. */
export async function measure(url, cookie) {
  const [name, value] = [cookie.slice(0, cookie.indexOf('=')), cookie.slice(cookie.indexOf('=') + 1)]
  const seen = []
  for (let run = 0; run < RUNS; run++) {
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
    })
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } })
    await context.addCookies([{ name, value, url }])
    const page = await context.newPage()
    const cdp = await context.newCDPSession(page)
    await cdp.send('Network.enable')
    await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 })
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 })
    await page.addInitScript(() => {
      globalThis.seen = { largest: 0, shift: 0, tasks: [] }
      const watch = (type, each) => new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true })
      watch('largest-contentful-paint', (entry) => { globalThis.seen.largest = entry.startTime })
      watch('layout-shift', (entry) => { globalThis.seen.shift += entry.value })
      watch('longtask', (entry) => { globalThis.seen.tasks.push([entry.startTime, entry.duration]) })
    })
    await page.goto(url)
    await page.waitForFunction(() => performance.getEntriesByName('hydrated').length > 0)
    await page.waitForLoadState('networkidle')
    seen.push(await page.evaluate(() => {
      const [first] = performance.getEntriesByName('first-contentful-paint')
      const [hydrated] = performance.getEntriesByName('hydrated')
      const blocking = globalThis.seen.tasks.filter(([start]) => start >= first.startTime).reduce((sum, [, took]) => sum + Math.max(0, took - 50), 0)
      return { first: first.startTime, largest: globalThis.seen.largest, hydrated: hydrated.startTime, blocking, shift: globalThis.seen.shift }
    }))
    await browser.close()
  }
  return Object.fromEntries(Object.keys(seen[0]).map((figure) => [figure, median(seen.map((run) => run[figure]))]))
}
