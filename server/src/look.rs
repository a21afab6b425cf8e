//! A brand as style: one element a page, which the page's policy knows by its nonce. It follows the style sheet and sets
//! the tokens of `style/tokens.css`; what the merchant has not chosen stays as it is there.

use billing::portal::branding::color::Rgb;
use billing::portal::branding::{Colors, Font, Look, Palette};

/// The rules of a look; `None` where nothing of it is chosen.
pub fn rules(look: &Look) -> Option<String> {
    let paper = look.light.accent.or(look.accent_color).map(|_| accents(&look.paper()));
    let parts = [
        ("@media screen and (prefers-color-scheme:light)", mode(&look.light, look.accent_color, &look.light())),
        ("@media screen and (prefers-color-scheme:dark)", mode(&look.dark, look.accent_color, &look.dark())),
        ("@media print", paper.unwrap_or_default()),
        ("@media all", form(look)),
    ];
    let said = parts.iter().filter(|(_, tokens)| !tokens.is_empty());
    let rules: String = said.map(|(media, tokens)| format!("{media}{{:root{{{tokens}}}}}")).collect();
    (!rules.is_empty()).then_some(rules)
}

/// The root's class, where a mode's ground is not what its name says: states are then painted for the ground.
pub fn ground(look: &Look) -> Option<&'static str> {
    match (look.light().is_dark(), look.dark().is_dark()) {
        (false, true) => None,
        (true, true) => Some("dark"),
        (false, false) => Some("light"),
        (true, false) => Some("inverse"),
    }
}

fn mode(chosen: &Colors<Option<Rgb>>, accent_of_both: Option<Rgb>, palette: &Palette) -> String {
    let mut tokens = String::new();
    if chosen.accent.or(accent_of_both).is_some() || has_ground(chosen) {
        tokens += &accents(palette);
    }
    if has_ground(chosen) {
        tokens += &grounds(palette);
    }
    tokens
}

fn has_ground(chosen: &Colors<Option<Rgb>>) -> bool {
    chosen.page.or(chosen.surface).or(chosen.text).is_some()
}

fn accents(palette: &Palette) -> String {
    tokens(&[
        ("accent", palette.accent),
        ("on-accent", palette.on_accent),
        ("accent-hover", palette.accent_hover),
        ("accent-text", palette.accent_text),
    ])
}

fn grounds(palette: &Palette) -> String {
    tokens(&[
        ("page", palette.page),
        ("surface", palette.surface),
        ("sunken", palette.sunken),
        ("rail", palette.sunken),
        ("line", palette.line),
        ("line-strong", palette.line_strong),
        ("text", palette.text),
        ("text-quiet", palette.text_quiet),
    ])
}

fn tokens(colors: &[(&str, Rgb)]) -> String {
    colors.iter().map(|(name, color)| format!("--{name}:{};", String::from(*color))).collect()
}

fn form(look: &Look) -> String {
    let radius = look.corner_radius.map(|pixels| format!("--radius:{pixels}px;--radius-small:{}px;", pixels * 4 / 7));
    [radius.as_deref().unwrap_or_default(), look.font.map(family).unwrap_or_default()].concat()
}

/// What systems have of each kind, and what they write the languages with that those fonts lack.
fn family(font: Font) -> &'static str {
    match font {
        Font::System => "",
        Font::Serif => {
            "--font:ui-serif,\"New York\",Charter,\"Iowan Old Style\",Cambria,Georgia,\"Noto Serif\",\"Noto Naskh Arabic\",\"Geeza Pro\",serif;"
        }
        Font::Rounded => {
            "--font:ui-rounded,\"SF Pro Rounded\",\"Hiragino Maru Gothic ProN\",Quicksand,Nunito,\"Arial Rounded MT Bold\",\"Segoe UI Variable\",\"Noto Sans\",\"Noto Sans Arabic\",\"Geeza Pro\",sans-serif;"
        }
        Font::Monospace => {
            "--font:ui-monospace,\"SF Mono\",\"Cascadia Code\",\"Roboto Mono\",Consolas,\"DejaVu Sans Mono\",\"Noto Sans Mono\",\"Noto Sans Arabic\",monospace;"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Option<Rgb> = Some(Rgb(200, 0, 0));
    const BLACK: Option<Rgb> = Some(Rgb(0, 0, 0));

    #[test]
    fn nothing_chosen_is_nothing_said() {
        assert_eq!((rules(&Look::default()), ground(&Look::default())), (None, None));
    }

    #[test]
    fn an_accent_is_said_for_both_modes_and_for_paper() {
        let rules = rules(&Look { accent_color: RED, ..Look::default() }).unwrap();
        assert_eq!(rules.matches("--accent:").count(), 3, "{rules}");
        assert!(!rules.contains("--page:"), "the rest stays as it is: {rules}");
    }

    #[test]
    fn each_mode_says_its_own() {
        let look = Look { light: Colors { page: BLACK, ..Colors::default() }, ..Look::default() };
        let rules = rules(&look).unwrap();
        assert!(rules.starts_with("@media screen and (prefers-color-scheme:light){:root{--accent:"), "{rules}");
        assert_eq!((rules.matches("--page:").count(), rules.matches("@media").count()), (1, 1), "{rules}");
        assert_eq!(ground(&look), Some("dark"));
    }

    #[test]
    fn corners_and_type_are_for_any_medium() {
        let look = Look { corner_radius: Some(14), font: Some(Font::Serif), ..Look::default() };
        let rules = rules(&look).unwrap();
        assert!(rules.starts_with("@media all{:root{--radius:14px;--radius-small:8px;--font:ui-serif,"), "{rules}");
        assert!(!rules.contains('<'));
    }
}
