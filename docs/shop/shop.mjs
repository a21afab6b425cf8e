// A shop with an account page and a "Manage billing" button: the whole integration is the one call below.
//
//   PORTICO_URL=http://localhost:3000 PORTICO_KEY=sk_test_… CUSTOMER=cus_… node shop.mjs
import { createServer } from 'node:http'
import Stripe from 'stripe'

const portico = new URL(process.env.PORTICO_URL ?? 'http://localhost:3000')
const shop = new URL(process.env.SHOP_URL ?? 'http://127.0.0.1:3002')
const stripe = new Stripe(process.env.PORTICO_KEY, {
  host: portico.hostname,
  port: portico.port || (portico.protocol === 'https:' ? 443 : 80),
  protocol: portico.protocol.slice(0, -1),
})

// Your own sign-in knows who this is; here it is always the same person.
const signedInCustomer = () => process.env.CUSTOMER

const page = (body) => `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Northwind Studio</title><style>
  body { font: 17px/1.6 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1.25rem; color: #1d2430; background: #fbfaf8 }
  button { font: inherit; font-weight: 600; padding: .7rem 1.2rem; border: 0; border-radius: .6rem; background: #1d2430; color: #fff; cursor: pointer }
</style>${body}</html>`

createServer(async (request, response) => {
  const { pathname } = new URL(request.url, shop)
  if (request.method === 'POST' && pathname === '/billing') {
    try {
      const session = await stripe.billingPortal.sessions.create({
        customer: signedInCustomer(),
        return_url: new URL('/account', shop).href,
      })
      return response.writeHead(303, { location: session.url }).end()
    } catch (error) {
      console.error(error.message)
      response.writeHead(502, { 'content-type': 'text/html' })
      return response.end(page('<h1>Billing is not available right now</h1><p><a href="/account">Back to your account</a>'))
    }
  }
  if (pathname === '/') return response.writeHead(303, { location: '/account' }).end()
  if (pathname !== '/account') return response.writeHead(404).end('Not found')
  response.writeHead(200, { 'content-type': 'text/html' })
  response.end(page('<h1>Your account</h1><p>Plans, invoices and cards are in your billing portal.</p><form method="post" action="/billing"><button>Manage billing</button></form>'))
}).listen(Number(shop.port), shop.hostname, () => console.log(`The sample shop is at ${shop.href}`))
