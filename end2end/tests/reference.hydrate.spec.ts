// The reference of the merchant API: everything on it comes from this server, under its own policy, and nothing is sent.
import { expect, test } from '@playwright/test'

test('the reference shows every endpoint and asks nobody else', async ({ page, baseURL }) => {
  const said: string[] = []
  const asked = new Set<string>()
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => said.push(`error: ${error.message}`))
  page.on('request', (request) => asked.add(new URL(request.url()).protocol === 'data:' ? 'data:' : new URL(request.url()).origin))
  const answer = await page.goto('/docs/api')
  expect(answer?.headers()['content-security-policy']).toContain("script-src 'self';")
  const { paths } = await (await page.request.get('/docs/openapi.json')).json()
  const endpoints = Object.values(paths as Record<string, object>).flatMap((methods) => Object.keys(methods)).length
  await expect(page.locator('.opblock')).toHaveCount(endpoints)

  await page.locator('#operations-customers-post_customers .opblock-summary-control').click()
  await expect(page.locator('#operations-customers-post_customers')).toContainText('external_id')
  await expect(page.getByRole('button', { name: 'Try it out' })).toHaveCount(0)
  expect([...asked].filter((origin) => origin !== 'data:' && origin !== baseURL)).toEqual([])
  expect(said).toEqual([])
})
