//! Text in the fonts that the program carries, so that a document looks the same wherever it is made: shaped, in the order
//! in which it is read, and broken into lines.

use std::ops::Range;
use std::sync::LazyLock;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::ttf_parser::Tag;
use rustybuzz::{Direction, Face, Feature, UnicodeBuffer};
use unicode_bidi::BidiInfo;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

/// One font. The first that has a letter draws it.
struct Cut {
    font: Font,
    face: Face<'static>,
}

const LATIN: &[u8] = include_bytes!("../../fonts/Inter-Regular.otf");
const LATIN_BOLD: &[u8] = include_bytes!("../../fonts/Inter-SemiBold.otf");
const ARABIC: &[u8] = include_bytes!("../../fonts/NotoSansArabic-Regular.ttf");
const ARABIC_BOLD: &[u8] = include_bytes!("../../fonts/NotoSansArabic-Bold.ttf");
/// Chinese, Japanese and Korean.
const EASTERN: &[u8] = include_bytes!("../../fonts/DroidSansFallback.ttf");

static REGULAR: LazyLock<Vec<Cut>> = LazyLock::new(|| cuts(&[LATIN, ARABIC, EASTERN]));
static BOLD: LazyLock<Vec<Cut>> = LazyLock::new(|| cuts(&[LATIN_BOLD, ARABIC_BOLD, EASTERN]));

fn cuts(files: &[&'static [u8]]) -> Vec<Cut> {
    let cut =
        |file: &&'static [u8]| Some(Cut { font: Font::new((*file).into(), 0)?, face: Face::from_slice(file, 0)? });
    files.iter().filter_map(cut).collect()
}

impl Weight {
    fn cuts(self) -> &'static [Cut] {
        match self {
            Self::Regular => &REGULAR,
            Self::Bold => &BOLD,
        }
    }
}

/// What stands for a letter that no font has.
const UNKNOWN: char = '\u{25a1}';

/// Signs of money that no font here has, and what is written instead.
const SIGNS: [(&str, &str); 1] = [("\u{e3f}", "THB")];

/// Glyphs of one font, from left to right.
#[derive(Debug, Clone)]
pub struct Run {
    pub font: Font,
    pub glyphs: Vec<KrillaGlyph>,
    /// What the glyphs say, in the order of reading.
    pub text: String,
    /// In ems.
    pub width: f32,
}

/// Text on one line, from left to right.
#[derive(Debug, Clone, Default)]
pub struct Line {
    pub runs: Vec<Run>,
    /// In ems.
    pub width: f32,
}

/// Breaks text where it says so and where it gets longer than `width`, in ems.
pub fn wrap(text: &str, weight: Weight, width: f32) -> Vec<Line> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for piece in pieces(paragraph) {
            if fits(&format!("{line}{}", piece.trim_end()), weight, width) {
                line.push_str(piece);
                continue;
            }
            if !line.trim().is_empty() {
                lines.push(shape(line.trim_end(), weight));
            }
            line.clear();
            for letter in piece.chars() {
                if !line.is_empty() && !letter.is_whitespace() && !fits(&format!("{line}{letter}"), weight, width) {
                    lines.push(shape(&line, weight));
                    line.clear();
                }
                line.push(letter);
            }
        }
        if !line.trim().is_empty() {
            lines.push(shape(line.trim_end(), weight));
        }
    }
    lines
}

fn fits(text: &str, weight: Weight, width: f32) -> bool {
    shape(text, weight).width <= width
}

/// What a line may be broken between: words with the space after them, and each letter of scripts without spaces.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, letter) in text.char_indices() {
        let after_space = before.is_some_and(|before| is_space(before) && !is_space(letter));
        if after_space || before.is_some_and(is_ideograph) || (at > start && is_ideograph(letter)) {
            pieces.push(&text[start..at]);
            start = at;
        }
        before = Some(letter);
    }
    pieces.push(&text[start..]);
    pieces
}

fn is_space(letter: char) -> bool {
    letter == ' ' || letter == '\t'
}

fn is_ideograph(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// One line of text. Its first strong letter says in which direction it is read, as `<bdi>` has it.
pub fn shape(text: &str, weight: Weight) -> Line {
    let cuts = weight.cuts();
    let text: String = written(text).chars().map(|letter| drawable(letter, cuts)).collect();
    let bidi = BidiInfo::new(&text, None);
    let mut line = Line::default();
    for paragraph in &bidi.paragraphs {
        let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
        for range in runs {
            let backward = levels.get(range.start).is_some_and(|level| level.is_rtl());
            let mut parts = by_font(&text[range], cuts);
            if backward {
                parts.reverse();
            }
            line.runs.extend(parts.into_iter().filter_map(|(cut, part)| run(cuts.get(cut)?, part, backward)));
        }
    }
    line.width = line.runs.iter().map(|run| run.width).sum();
    line
}

fn written(text: &str) -> String {
    SIGNS.iter().fold(text.to_owned(), |text, (sign, code)| text.replace(sign, code))
}

/// A letter as it can be drawn: no control character is, and every space has a width.
fn drawable(letter: char, cuts: &[Cut]) -> char {
    let is_known = || cuts.iter().any(|cut| cut.face.glyph_index(letter).is_some());
    match letter {
        _ if is_direction(letter) => letter,
        '\u{2028}' | '\u{2029}' => ' ',
        _ if letter.is_control() => ' ',
        _ if is_known() => letter,
        _ if letter.is_whitespace() => ' ',
        _ => UNKNOWN,
    }
}

/// Marks that only say how others are ordered.
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The parts of a text that one font each can draw, without the marks.
fn by_font(text: &str, cuts: &[Cut]) -> Vec<(usize, String)> {
    let has = |cut: usize, letter: char| cuts.get(cut).is_some_and(|cut| cut.face.glyph_index(letter).is_some());
    let mut parts: Vec<(usize, String)> = Vec::new();
    for letter in text.chars().filter(|letter| !is_direction(*letter)) {
        let joins = letter == ' ' || letter == '\u{200c}' || letter == '\u{200d}';
        let last = parts.last().map(|(cut, _)| *cut).filter(|cut| joins && has(*cut, letter));
        let cut = last.or_else(|| (0..cuts.len()).find(|cut| has(*cut, letter))).unwrap_or_default();
        match parts.last_mut() {
            Some((same, part)) if *same == cut => part.push(letter),
            _ => parts.push((cut, letter.to_string())),
        }
    }
    parts
}

fn run(cut: &Cut, text: String, backward: bool) -> Option<Run> {
    if text.is_empty() {
        return None;
    }
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(&text);
    buffer.set_direction(if backward { Direction::RightToLeft } else { Direction::LeftToRight });
    buffer.guess_segment_properties();
    // Figures of one width, so that amounts stand under each other.
    let figures = Feature::new(Tag::from_bytes(b"tnum"), 1, ..);
    let shaped = rustybuzz::shape(&cut.face, &[figures], buffer);
    let starts: Vec<usize> = shaped.glyph_infos().iter().map(|info| info.cluster as usize).collect();
    let em = cut.font.units_per_em();
    let placed = shaped.glyph_infos().iter().zip(shaped.glyph_positions());
    #[expect(clippy::cast_precision_loss, reason = "font units are small")]
    let glyph = |(info, at): (&rustybuzz::GlyphInfo, &rustybuzz::GlyphPosition)| {
        let of_em = |units: i32| units as f32 / em;
        let (x, y) = (of_em(at.x_offset), of_em(at.y_offset));
        let says = cluster(info.cluster as usize, &starts, text.len());
        KrillaGlyph::new(GlyphId::new(info.glyph_id), of_em(at.x_advance), x, y, of_em(at.y_advance), says, None)
    };
    let glyphs: Vec<KrillaGlyph> = placed.map(glyph).collect();
    let width = glyphs.iter().map(|glyph| glyph.x_advance).sum();
    Some(Run { font: cut.font.clone(), glyphs, text, width })
}

/// The letters of a glyph: from where they start to where those of the next do.
fn cluster(start: usize, starts: &[usize], end: usize) -> Range<usize> {
    start..starts.iter().copied().filter(|other| *other > start).min().unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &Line) -> Vec<&str> {
        line.runs.iter().map(|run| run.text.as_str()).collect()
    }

    #[test]
    fn every_font_is_there() {
        assert_eq!((REGULAR.len(), BOLD.len()), (3, 3));
    }

    #[test]
    fn every_letter_of_the_portals_texts_can_be_drawn() {
        let catalogues = concat!(env!("CARGO_MANIFEST_DIR"), "/../app/locales");
        let files = std::fs::read_dir(catalogues).unwrap().map(|file| file.unwrap().path());
        for path in files.filter(|path| path.is_file()) {
            let text = written(&std::fs::read_to_string(&path).unwrap());
            for cuts in [&REGULAR, &BOLD] {
                let unknown: String = text.chars().filter(|letter| drawable(*letter, cuts) == UNKNOWN).collect();
                assert_eq!(unknown, "", "{}", path.display());
            }
        }
    }

    #[test]
    fn what_is_read_from_the_right_stands_so() {
        let line = shape("الفاتورة ACME-0001", Weight::Regular);
        assert_eq!(said(&line), ["ACME-0001", "الفاتورة "]);
        assert!(line.runs[1].glyphs[0].text_range.start > line.runs[1].glyphs[5].text_range.start);
    }

    #[test]
    fn what_no_font_has_is_a_box() {
        assert_eq!(said(&shape("a\u{1f600}\n\u{0}b\u{2068}", Weight::Bold)), ["a□  b"]);
        assert!(shape("\u{200f}", Weight::Regular).runs.is_empty());
    }

    #[test]
    fn lines_break_between_words_and_in_those_that_are_too_long() {
        let lines = |text: &str, width: f32| -> Vec<String> {
            wrap(text, Weight::Regular, width).iter().map(|line| said(line).concat()).collect()
        };
        assert_eq!(lines("one two\nthree", 100.0), ["one two", "three"]);
        assert_eq!(lines("one two three", 4.5), ["one two", "three"]);
        assert_eq!(lines("mmmmmm", 2.0).concat(), "mmmmmm");
        assert!(lines("mmmmmm", 2.0).len() > 2);
        assert_eq!(lines("請求書請求書", 3.1), ["請求書", "請求書"]);
        assert!(lines(" \n", 4.0).is_empty());
    }
}
