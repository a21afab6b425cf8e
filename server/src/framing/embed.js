// Shows the portal inside a page of the merchant's:
//   <script src="https://billing.example.com/embed.js" defer></script>
//   <billing-portal src="THE url OF A SESSION"></billing-portal>
// It is as high as what it shows, and says `completed` once something was done in it. The page's origin must be one of
// `features.embedding.parent_origins` of the session's configuration.
(() => {
  class BillingPortal extends HTMLElement {
    static observedAttributes = ['src', 'title']

    connectedCallback() {
      if (this.frame) return
      this.frame = document.createElement('iframe')
      Object.assign(this.frame.style, { border: '0', display: 'block', inlineSize: '100%', blockSize: '40rem' })
      this.frame.title = this.getAttribute('title') || 'Billing'
      this.frame.src = this.getAttribute('src') || 'about:blank'
      this.hear = (event) => this.told(event)
      addEventListener('message', this.hear)
      this.append(this.frame)
    }

    disconnectedCallback() {
      removeEventListener('message', this.hear)
      this.frame?.remove()
      this.frame = undefined
    }

    attributeChangedCallback(name, before, now) {
      if (this.frame && before !== now) this.frame[name] = now ?? ''
    }

    // Only what the frame's own page says, from where its link led.
    told({ source, origin, data }) {
      if (source !== this.frame.contentWindow || origin !== new URL(this.getAttribute('src'), location.href).origin) return
      if (data?.type === 'billing_portal.height' && Number.isFinite(data.height)) {
        this.frame.style.blockSize = `${Math.min(Math.max(data.height, 0), 20000)}px`
      }
      if (data?.type === 'billing_portal.completed') {
        this.dispatchEvent(new CustomEvent('completed', { bubbles: true }))
      }
    }
  }
  if (!customElements.get('billing-portal')) customElements.define('billing-portal', BillingPortal)
})()
