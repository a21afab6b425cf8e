//! The colours that a page is painted with: what the merchant chose, corrected until everybody can read it.

use super::color::{Rgb, WHITE};
use super::{Colors, Look};

/// One mode's. Whatever is said of contrast is WCAG's, and holds for any choice of the merchant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    pub page: Rgb,
    pub surface: Rgb,
    pub text: Rgb,
    /// Words that matter less: at least 4.5 : 1 on every ground here.
    pub text_quiet: Rgb,
    /// A ground beside page and surface, told from them by little.
    pub sunken: Rgb,
    pub line: Rgb,
    /// What an entry is known by: at least 3 : 1 on page and surface (WCAG 1.4.11).
    pub line_strong: Rgb,
    /// A fill: at least 3 : 1 on page and surface (WCAG 1.4.11).
    pub accent: Rgb,
    /// Words on the accent: black or white, at least 4.5 : 1.
    pub on_accent: Rgb,
    /// The fill under a pointer: the words on it are read at least as well.
    pub accent_hover: Rgb,
    /// Words in the accent's colour: at least 5.5 : 1 on page and surface, so that 4.5 : 1 is left (WCAG 1.4.3) where
    /// the ground has a breath of the same colour.
    pub accent_text: Rgb,
}

const LIGHT: Colors<Rgb> =
    Colors { accent: Rgb(0x35, 0x34, 0xa0), page: Rgb(0xfb, 0xfc, 0xfd), surface: WHITE, text: Rgb(0x19, 0x1d, 0x27) };
const DARK: Colors<Rgb> = Colors {
    accent: Rgb(0x6d, 0x78, 0xea),
    page: Rgb(0x0d, 0x0e, 0x12),
    surface: Rgb(0x15, 0x16, 0x1a),
    text: Rgb(0xef, 0xf0, 0xf3),
};

impl Look {
    pub fn light(&self) -> Palette {
        Palette::of(&self.light, self.accent_color, &LIGHT)
    }

    pub fn dark(&self) -> Palette {
        Palette::of(&self.dark, self.accent_color, &DARK)
    }

    /// On white paper, whatever the screen shows.
    pub fn paper(&self) -> Palette {
        let accent = self.light.accent.or(self.accent_color);
        Palette::of(&Colors { accent, page: Some(WHITE), surface: Some(WHITE), text: None }, None, &LIGHT)
    }
}

impl Palette {
    fn of(chosen: &Colors<Option<Rgb>>, accent_of_both: Option<Rgb>, usual: &Colors<Rgb>) -> Self {
        let page = chosen.page.unwrap_or(usual.page).as_ground();
        // A surface of one's own page: cards are told from it by their lines.
        let surface = chosen.surface.or(chosen.page).unwrap_or(usual.surface).as_ground().together_with(page);
        let grounds = [page, surface];
        let text = chosen.text.unwrap_or(usual.text).readable_on(&grounds, 70);
        let sunken = surface.mixed(text, 2);
        let chosen_accent = chosen.accent.or(accent_of_both).unwrap_or(usual.accent);
        let accent = chosen_accent.readable_on(&grounds, 30);
        Self {
            page,
            surface,
            text,
            text_quiet: text.mixed(surface, 18).readable_on(&[page, surface, sunken], 46),
            sunken,
            line: surface.mixed(text, 6),
            line_strong: surface.mixed(text, 26).readable_on(&grounds, 30),
            accent,
            on_accent: accent.words(),
            accent_hover: accent.mixed(accent.words().opposite(), 8),
            accent_text: chosen_accent.readable_on(&grounds, 55),
        }
    }

    /// Whether it is light words that are read on it.
    pub fn is_dark(&self) -> bool {
        self.surface.words() == WHITE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn colors() -> impl Strategy<Value = Colors<Option<Rgb>>> {
        let color = || proptest::option::of(any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Rgb(r, g, b)));
        (color(), color(), color(), color()).prop_map(|(accent, page, surface, text)| Colors {
            accent,
            page,
            surface,
            text,
        })
    }

    proptest! {
        #[test]
        fn whatever_is_chosen_can_be_read(light in colors(), dark in colors()) {
            let look = Look { light, dark, ..Look::default() };
            for palette in [look.light(), look.dark(), look.paper()] {
                for ground in [palette.page, palette.surface, palette.sunken] {
                    prop_assert!(palette.text.contrast(ground) >= 650);
                    prop_assert!(palette.text_quiet.contrast(ground) >= 450);
                }
                for ground in [palette.page, palette.surface] {
                    prop_assert!(palette.accent.contrast(ground) >= 300);
                    prop_assert!(palette.line_strong.contrast(ground) >= 300);
                    let tinted = ground.mixed(palette.accent_text, 6);
                    prop_assert!(palette.accent_text.contrast(tinted) >= 450);
                }
                prop_assert!(palette.accent.contrast(palette.on_accent) >= 450);
                prop_assert!(palette.accent_hover.contrast(palette.on_accent) >= 450);
            }
        }
    }

    #[test]
    fn paper_is_white() {
        let look = Look { light: Colors { page: Some(Rgb(0, 0, 0)), ..Colors::default() }, ..Look::default() };
        assert!(look.light().is_dark());
        assert_eq!((look.paper().page, look.paper().is_dark()), (WHITE, false));
    }
}
