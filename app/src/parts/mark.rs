//! Whose page it is: the merchant's logo; without one, its icon or first letter beside its name.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub name: String,
    /// The first letter of the name.
    pub monogram: String,
    pub logo: Option<Picture>,
    pub icon: Option<Picture>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    pub src: String,
    pub width: u32,
    pub height: u32,
}

/// The mark and the name beside it.
pub fn mark(mark: Mark) -> AnyView {
    if let Some(logo) = mark.logo {
        let Picture { src, width, height } = logo;
        return view! { <p class="merchant-name with-logo"><img class="logo" src=src width=width height=height alt=mark.name/></p> }
            .into_any();
    }
    view! {
        {sign(mark.icon, mark.monogram)}
        <p class="merchant-name"><bdi>{mark.name}</bdi></p>
    }
    .into_any()
}

/// Only the mark, where the name is said beside it. Nobody needs to hear of it.
pub fn sign(icon: Option<Picture>, monogram: String) -> AnyView {
    match icon {
        Some(Picture { src, width, height }) => {
            view! { <img class="monogram picture" src=src width=width height=height alt=""/> }.into_any()
        }
        None => view! { <span class="monogram" aria-hidden="true">{monogram}</span> }.into_any(),
    }
}
