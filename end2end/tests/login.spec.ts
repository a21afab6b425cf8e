// Signing in by mail: the link, the code, the choice between those who share an address, and the way out.
import { expect, test, type Page } from '@playwright/test'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { MERCHANT, enter, merchant, newCustomer } from '../portal'
import { folder } from '../server'

const login = async () => (await merchant().billingPortal.configurations.list({ is_default: true })).data[0].login_page.url ?? ''

/** An address of its own for each test, so that no two read each other's mail. */
const address = () => `robin.${Math.random().toString(36).slice(2)}@ferreira.example`

/** The newest mail to an address: its link and its code. */
async function mailTo(email: string) {
  const box = join(folder(), 'data/mail')
  const found = () =>
    readdirSync(box)
      .filter(name => name.endsWith('.eml'))
      .sort((a, b) => statSync(join(box, b)).mtimeMs - statSync(join(box, a)).mtimeMs)
      .map(name => readFileSync(join(box, name), 'utf8').replace(/=\r?\n/g, ''))
      .find(text => text.includes(email) && text.includes('/access/'))
  let text: string | undefined
  await expect(async () => expect((text = found())).toBeTruthy()).toPass({ timeout: 20_000 })
  const link = /https?:\/\/\S+\/access\/[\w-]+/.exec(text ?? '')?.[0] ?? ''
  return { link, code: /^\s+(\d{6})\s*$/m.exec(text ?? '')?.[1] ?? '' }
}

async function ask(page: Page, email: string, query = '') {
  await page.goto((await login()) + query)
  await expect(page.getByRole('heading', { level: 1 })).toContainText(MERCHANT)
  await page.getByLabel('Email address').fill(email)
  await page.getByRole('button', { name: 'Email me a link' }).click()
  await expect(page.getByRole('heading', { name: 'Check your email' })).toBeVisible()
}

test('a mailed link leads in by its button, in any browser, once', async ({ page, browser }) => {
  const email = address()
  await newCustomer({ email, plans: ['starter_monthly'] })
  await ask(page, email, '?destination=payment_methods')
  const { link } = await mailTo(email)
  const other = await browser.newPage()
  await other.goto(link)
  await other.getByRole('button', { name: 'Continue to billing' }).click()
  await expect(other).toHaveURL('/payment-methods')
  await page.goto(link)
  await expect(page.getByRole('heading', { name: 'This session has expired' })).toBeVisible()
  await page.getByRole('link', { name: 'Email me a new link' }).click()
  await expect(page.getByLabel('Email address')).toBeVisible()
  await other.close()
})

test('the code leads in where it was asked for', async ({ page }) => {
  const email = address()
  await newCustomer({ email })
  await ask(page, email)
  const { code } = await mailTo(email)
  await page.getByLabel('Six-digit code').fill(code === '000000' ? '000001' : '000000')
  await page.getByRole('button', { name: 'Continue' }).click()
  await expect(page.getByRole('alert')).toContainText('That is not the code')
  await page.getByLabel('Six-digit code').fill(code)
  await page.getByRole('button', { name: 'Continue' }).click()
  await expect(page).toHaveURL('/')
  await expect(page.getByRole('heading', { level: 1, name: 'Billing overview' })).toBeVisible()
})

test('an unknown address is told the same', async ({ page }) => {
  const email = address()
  await ask(page, email)
  await expect(page.getByText(`If ${email} is a customer of ${MERCHANT}`)).toBeVisible()
})

test('who shares an address chooses', async ({ page }) => {
  const email = address()
  await newCustomer({ email, name: 'Robin at home' })
  await newCustomer({ email, name: 'Robin at work', plans: ['studio_monthly'] })
  await ask(page, email)
  await page.goto((await mailTo(email)).link)
  await page.getByRole('button', { name: 'Continue to billing' }).click()
  await expect(page.getByRole('heading', { name: 'Choose an account' })).toBeVisible()
  await page.getByRole('button', { name: 'Robin at work' }).click()
  await expect(page).toHaveURL('/')
  await expect(page.getByText('Robin at work')).toBeVisible()
})

test('signing out ends the session', async ({ page }) => {
  const { id } = await newCustomer({ email: address() })
  await enter(page, id)
  await page.getByRole('link', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign out', exact: true }).click()
  await expect(page.getByRole('heading', { name: 'You are signed out' })).toBeVisible()
  await page.goto('/')
  await expect(page.getByRole('heading', { name: 'This session has expired' })).toBeVisible()
})
