// A merchant's own name: claimed through the API, proven by the DNS, and then the portal stands under it, over TLS, with its look.
import { expect, test } from '@playwright/test'

import { front, nameServer, type DnsRecord } from '../front'
import { serve, type Demo } from '../server'

const NAME = 'billing.umbra.test'

test.use({ launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', `--host-resolver-rules=MAP ${NAME} 127.0.0.1`] } })

test('the portal stands under the merchant’s own name', async ({ page, context }, info) => {
  test.slow()
  const [outside, dns] = [await front(), await nameServer()]
  const own = await serve(`portico-domain-${info.project.name}`, {
    PORTICO_PUBLIC_URL: `https://localhost:${outside.port}`, PORTICO_DNS_SERVER: dns.address, PORTICO_TRUSTED_PROXIES: '127.0.0.1/32',
  })
  try {
    outside.to(Number(new URL(own.url).port))
    const demo: Demo = JSON.parse(own.demo)
    const api = async (path: string, form: Record<string, string> = {}) => {
      const answer = await page.request.post(`https://localhost:${outside.port}/v1/${path}`, {
        form, headers: { authorization: `Bearer ${demo.secret_key}` },
      })
      expect(answer.status(), await answer.text()).toBe(200)
      return answer.json()
    }
    const claimed = await api('portal_domains', { domain_name: NAME })
    await api('billing_portal/configurations/default', { custom_domain: claimed.id })
    await api('portal_branding', { name: 'Umbra Press', accent_color: '#008060' })
    claimed.verification.records.forEach((record: DnsRecord) => dns.put(record))
    expect(await api(`portal_domains/${claimed.id}/verify`)).toMatchObject({ status: 'active' })

    const session = await api('billing_portal/sessions', { customer: demo.customers.active, locale: 'en' })
    const home = `https://${NAME}:${outside.port}`
    expect(session.url).toContain(`${home}/session/`)
    await page.goto(session.url)
    await page.locator('form button').click()
    await expect(page.locator('.merchant-name')).toHaveText('Umbra Press')
    expect(page.url().startsWith(home)).toBe(true)
    await page.getByRole('link', { name: 'Invoices' }).first().click()
    await expect(page.getByRole('heading', { level: 1, name: 'Invoices' })).toBeVisible()
    const cookies = await context.cookies(home)
    expect(cookies.map(({ name, domain, secure, sameSite }) => [name, domain, secure, sameSite])).toEqual([['__Host-portico', NAME, true, 'Lax']])
    // The session is that name's, and the API is not there.
    expect((await page.request.get(`https://localhost:${outside.port}/`, { headers: { cookie: `__Host-portico=${cookies[0].value}` } })).status()).toBe(401)
    expect((await page.goto(`${home}/v1/account`))?.status()).toBe(421)
  } finally {
    await own.stop()
    outside.stop()
    dns.stop()
  }
})
