// What specs need of a merchant: customers made through the API, links for them, and the way in.
import { expect, test, type Page } from '@playwright/test'
import Stripe from 'stripe'

import { demo } from './server'

const portal = () => new URL(process.env.PORTICO_URL ?? '')

/** The merchant's backend, as the official SDK sees it. */
export const merchant = (key = demo().secret_key) =>
  new Stripe(key, { host: portal().hostname, port: Number(portal().port), protocol: 'http' })

export const MERCHANT = 'Northwind Studio'

interface Wishes {
  name?: string
  email?: string
  locale?: string
  /** A test method to attach and make the default; `null` for none. */
  card?: string | null
  /** Lookup keys of the demo's prices, one subscription each. */
  plans?: string[]
  trialDays?: number
}

/** A fresh customer, so that specs that change something do not meet. */
export async function newCustomer(wishes: Wishes = {}) {
  const stripe = merchant()
  const customer = await stripe.customers.create({
    name: wishes.name ?? 'Robin Ferreira',
    email: wishes.email ?? 'robin@ferreira.example',
    preferred_locales: wishes.locale ? [wishes.locale] : undefined,
  })
  if (wishes.card !== null) {
    const method = await stripe.paymentMethods.attach(wishes.card ?? 'pm_card_visa', { customer: customer.id })
    await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } })
  }
  const subscriptions = []
  for (const plan of wishes.plans ?? []) {
    const prices = await stripe.prices.list({ lookup_keys: [plan] })
    const terms = wishes.trialDays ? { trial_period_days: wishes.trialDays } : {}
    subscriptions.push(await stripe.subscriptions.create({ customer: customer.id, items: [{ price: prices.data[0].id }], ...terms }))
  }
  return { id: customer.id, subscriptions }
}

/** A portal configuration with a look of its own, so that other specs keep theirs. */
export async function branded(branding: Record<string, unknown>, profile: Record<string, string> = {}) {
  const features = {
    customer_update: { enabled: true, allowed_updates: ['name', 'address', 'tax_id'] },
    invoice_history: { enabled: true },
    payment_method_update: { enabled: true },
    subscription_cancel: { enabled: true, cancellation_reason: { enabled: true, options: ['unused', 'other'] } },
  }
  const parameters = { features, business_profile: profile, branding } as Stripe.BillingPortal.ConfigurationCreateParams
  return (await merchant().billingPortal.configurations.create(parameters)).id
}

/** A link into the portal; parameters of ours (`cancel_url`, `subscription`) go the same way. */
export async function link(customer: string, parameters: Record<string, unknown> = {}) {
  const session = await merchant().billingPortal.sessions.create({ customer, ...parameters } as Stripe.BillingPortal.SessionCreateParams)
  return session.url
}

/** Goes in as a person who pasted the link does: through the button. */
export async function enter(page: Page, customer: string, parameters: Record<string, unknown> = {}) {
  await page.goto(await link(customer, { locale: 'en', ...parameters }))
  await page.locator('form button').click()
  await expect(page.locator('#main h1')).toBeVisible()
}

/** Waits until a page has been taken over by WebAssembly; at once where there is no JavaScript. */
export async function settled(page: Page) {
  if (test.info().project.use.javaScriptEnabled === false) return
  await page.waitForLoadState('networkidle')
}
