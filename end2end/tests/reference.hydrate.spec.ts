// The reference of the merchant API: everything on it comes from this server, under its own policy, and nothing is sent.
import { expect, test } from '@playwright/test'

test('the reference shows every endpoint and asks nobody else', async ({ page, baseURL }) => {
  test.slow()
  const said: string[] = []
  const asked = new Set<string>()
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => said.push(`error: ${error.message}`))
  page.on('request', (request) => asked.add(new URL(request.url()).protocol === 'data:' ? 'data:' : new URL(request.url()).origin))
  const answer = await page.goto('/docs/api')
  expect(answer?.headers()['content-security-policy']).toContain("script-src 'self';")
  const { paths } = await (await page.request.get('/docs/openapi.json')).json()
  const endpoints = Object.values(paths as Record<string, object>).flatMap((methods) => Object.keys(methods)).length
  // Only those in sight are in the document.
  const seen = new Set<string>()
  await page.locator('.opblock').first().waitFor()
  for (let turn = 0; turn < 100 && seen.size < endpoints; turn++) {
    for (const id of await page.locator('.opblock').evaluateAll((blocks) => blocks.map((block) => block.id))) seen.add(id)
    await page.mouse.wheel(0, 400)
    await page.waitForFunction(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))
  }
  expect(seen.size).toBe(endpoints)

  await page.reload()
  const one = page.locator('#operations-customers-post_customers')
  await page.locator('.opblock').first().waitFor()
  while ((await one.count()) === 0) await page.mouse.wheel(0, 200)
  await one.locator('.opblock-summary-control').click()
  await expect(one).toContainText('external_id')
  await expect(page.getByRole('button', { name: 'Try it out' })).toHaveCount(0)
  expect([...asked].filter((origin) => origin !== 'data:' && origin !== baseURL)).toEqual([])
  expect(said).toEqual([])
})
