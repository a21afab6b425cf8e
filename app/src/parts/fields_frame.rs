//! The hosted fields in a frame: what is typed in it is another origin's; what comes out is a reference, or its height.

use leptos::ev::MessageEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsValue;
use serde::Deserialize;

/// What the frame may say. Anything else is somebody else's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    portico: String,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    height: Option<u32>,
}

/// Higher than any of the forms.
const HIGHEST: u32 = 1600;

/// `src` is on `origin`. The frame is drawn once the page answers by itself: nothing that it says is missed. Its room is
/// kept before that, so that nothing jumps. Without JavaScript a link leads to the same page.
#[component]
pub fn FieldsFrame(
    src: String,
    origin: String,
    /// `card`, `sepa_debit`, …: how much room is kept.
    kind: String,
    title: String,
    link: AnyView,
    on_reference: Callback<String>,
) -> AnyView {
    let frame = NodeRef::<html::Iframe>::new();
    let (is_live, live) = signal(false);
    let is_handed = StoredValue::new(false);
    Effect::new(move |_| live.set(true));
    let heard = window_listener(move |event: MessageEvent| {
        let Some(said) = read(&event, &origin, frame) else { return };
        if let (Some(height), Some(element)) = (said.height, frame.get_untracked()) {
            let _ = element.set_attribute("height", &height.min(HIGHEST).to_string());
        }
        // The first one counts: whatever is said after it is an echo.
        if let Some(reference) = said.reference.filter(|_| !is_handed.get_value()) {
            is_handed.set_value(true);
            on_reference.run(reference);
        }
    });
    on_cleanup(move || drop(heard));
    let view = move || {
        is_live.get().then(
            || view! { <iframe node_ref=frame src=src.clone() title=title.clone() allow="payment 'none'"></iframe> },
        )
    };
    view! {
        <div class=format!("fields-frame of-{kind}")>{view}</div>
        <div class="fields-link">{link}</div>
    }
    .into_any()
}

/// A message of this very frame, from its own origin, in its own words.
fn read(event: &MessageEvent, origin: &str, frame: NodeRef<html::Iframe>) -> Option<Said> {
    let window = frame.get_untracked()?.content_window()?;
    let is_source = event.source().is_some_and(|source| JsValue::from(source) == JsValue::from(window));
    let is_ours = event.origin() == origin && is_source;
    let text = event.data().as_string().filter(|_| is_ours)?;
    serde_json::from_str(&text).ok().filter(|said: &Said| said.portico == "fields")
}

/// Hears messages until it is dropped; on the server there are none.
fn window_listener(hear: impl Fn(MessageEvent) + 'static) -> Option<Listening> {
    cfg!(target_arch = "wasm32").then(|| Listening(Some(window_event_listener(leptos::ev::message, hear))))
}

struct Listening(Option<WindowListenerHandle>);

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            handle.remove();
        }
    }
}
